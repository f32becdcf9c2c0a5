from dataclasses import replace
from pathlib import Path

import pytest
import torch

from al_lightning import DatasetOracle, Images, NoisyOracle, SimulatedOracle, UsageError
from tests.helpers import TinySource

LABELS = torch.tensor([4, 0, 3, 1])


def test_labels_come_in_the_order_of_the_ids() -> None:
    oracle: SimulatedOracle = DatasetOracle(LABELS)
    assert oracle.annotate(torch.tensor([2, 0, 3])).tolist() == [3, 4, 1]


def test_labels_are_int64() -> None:
    answer = DatasetOracle(LABELS).annotate(torch.tensor([1]))
    assert (answer.dtype, answer.shape) == (torch.int64, (1,))


def test_nothing_asked_is_nothing_answered() -> None:
    assert DatasetOracle(LABELS).annotate(torch.empty(0, dtype=torch.int64)).tolist() == []


def test_an_id_that_is_none_is_an_error() -> None:
    with pytest.raises(UsageError, match="The oracle has 4 labels, and is asked for id 4"):
        DatasetOracle(LABELS).annotate(torch.tensor([4]))


def test_what_the_data_set_does_not_know_is_left_to_people() -> None:
    with pytest.raises(UsageError, match="oracle=page, oracle=csv or oracle=label_studio"):
        DatasetOracle(torch.tensor([0, -1])).annotate(torch.tensor([1]))


def test_labels_are_whole_numbers_in_any_form() -> None:
    oracle = DatasetOracle([2, 0, 1])  # type: ignore[arg-type]
    assert oracle.annotate(torch.tensor([2, 0])).tolist() == [1, 2]
    with pytest.raises(
        UsageError, match=r"labels of an oracle must be whole numbers.*torch.float32"
    ):
        DatasetOracle(torch.zeros(4))


def test_labels_that_nobody_knows_cannot_be_revealed() -> None:
    with pytest.raises(UsageError, match="1 of the images that are asked for, such as id 2"):
        DatasetOracle(torch.tensor([0, 1, -1])).annotate(torch.tensor([1, 2]))


def test_a_run_that_would_need_a_person_is_refused_before_it_begins(tmp_path: Path) -> None:
    data = TinySource().load()
    unknown = data.train.labels.clone()
    unknown[5:] = -1
    partly = replace(data, train=Images(data.train.pixels, unknown))
    with pytest.raises(UsageError, match=r"classes of 55 images.*oracle=csv"):
        DatasetOracle.for_run(partly, tmp_path, 0)
    with pytest.raises(UsageError, match="classes of 55 images"):
        NoisyOracle.for_run(partly, tmp_path, 0)
    given = DatasetOracle.for_run(data, tmp_path, 0).annotate(torch.arange(60))
    assert given.equal(data.train.labels)
