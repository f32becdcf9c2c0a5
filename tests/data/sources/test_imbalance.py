import math

import pytest
import torch

from al_lightning.data.sources.imbalance import (
    exponential_shares,
    imbalanced_ids,
    imbalanced_sizes,
    step_shares,
)
from al_lightning.utils.errors import DataError, UsageError

LABELS = torch.arange(1000) % 10
CLASSES = tuple("abcdefghij")


def test_exponential_sizes_are_the_published_ones() -> None:
    # CIFAR-10-LT, as in Cui et al. 2019 and everyone since.
    sizes = imbalanced_sizes([5000] * 10, "exponential", 100)
    assert sizes == [5000, 2997, 1796, 1077, 645, 387, 232, 139, 83, 50]
    assert imbalanced_sizes([6000] * 10, "exponential", 50)[-1] == 120


def test_step_makes_the_later_half_rare() -> None:
    assert imbalanced_sizes([100] * 4, "step", 10) == [100, 100, 10, 10]
    assert step_shares(5, 2.0) == [1.0, 1.0, 1.0, 0.5, 0.5]


def test_the_ratio_holds_where_the_data_is_imbalanced_already() -> None:
    assert imbalanced_sizes([40, 100], "exponential", 4) == [40, 10]
    assert imbalanced_sizes([100, 10], "exponential", 4) == [40, 10]


def test_one_class_and_ratio_one_keep_everything() -> None:
    assert exponential_shares(1, 50.0) == [1.0]
    assert imbalanced_sizes([7, 7, 7], "exponential", 1) == [7, 7, 7]
    assert torch.equal(imbalanced_ids(LABELS, CLASSES, "step", 1), torch.arange(1000))


def test_kept_ids_are_ascending_distinct_and_fixed() -> None:
    kept = imbalanced_ids(LABELS, CLASSES, "exponential", 50)
    assert kept.dtype == torch.int64
    assert kept.tolist() == sorted(set(kept.tolist()))
    expected = imbalanced_sizes([100] * 10, "exponential", 50)
    assert LABELS[kept].bincount().tolist() == expected
    torch.manual_seed(7)
    assert torch.equal(kept, imbalanced_ids(LABELS, CLASSES, "exponential", 50))


def test_a_higher_ratio_keeps_a_subset() -> None:
    more = imbalanced_ids(LABELS, CLASSES, "exponential", 10)
    fewer = imbalanced_ids(LABELS, CLASSES, "exponential", 50)
    assert set(fewer.tolist()) < set(more.tolist())


def test_an_unknown_profile_is_refused_with_the_known_ones() -> None:
    with pytest.raises(UsageError, match=r"dataset.imbalance=linear .*exponential, step"):
        imbalanced_ids(LABELS, CLASSES, "linear", 50)


@pytest.mark.parametrize("ratio", [0.5, 0.0, -3.0, math.nan, math.inf])
def test_an_impossible_ratio_is_refused(ratio: float) -> None:
    with pytest.raises(UsageError, match=r"dataset\.imbalance_ratio=.*at least 1"):
        imbalanced_ids(LABELS, CLASSES, "step", ratio)


def test_a_class_left_without_images_is_named() -> None:
    with pytest.raises(DataError, match=r"dataset\.imbalance_ratio=120 leaves the class 'j'"):
        imbalanced_ids(LABELS, CLASSES, "exponential", 120)
    with pytest.raises(DataError, match=r"class 'a' without a training image \(it has 100\)"):
        imbalanced_ids(LABELS, (*CLASSES, "k"), "step", 2)
