import dataclasses

import pytest
import torch
from torch import Tensor

from al_lightning.run.pool import Pool


def ids(*values: int) -> Tensor:
    return torch.tensor(values, dtype=torch.int64)


def test_nothing_is_labeled_at_first() -> None:
    pool = Pool(4)
    assert pool.unlabeled_ids.tolist() == [0, 1, 2, 3]
    assert pool.unlabeled_ids.dtype == torch.int64
    assert pool.labels_bought == 0


def test_reveal_keeps_the_order_of_buying() -> None:
    pool = Pool(9).reveal(ids(7, 2), ids(1, 0)).reveal(ids(4, 0), ids(2, 5))
    assert pool.labeled_ids.tolist() == [7, 2, 4, 0]
    assert pool.labels.tolist() == [1, 0, 2, 5]
    assert pool.unlabeled_ids.tolist() == [1, 3, 5, 6, 8]


def test_validation_labels_are_bought_but_never_trained_on() -> None:
    pool = Pool(6).reveal(ids(5, 1), ids(2, 0), validation=True).reveal(ids(3), ids(1))
    assert (pool.validation_ids.tolist(), pool.validation_labels.tolist()) == ([5, 1], [2, 0])
    assert (pool.labeled_ids.tolist(), pool.labels.tolist()) == ([3], [1])
    assert pool.unlabeled_ids.tolist() == [0, 2, 4]
    assert pool.labels_bought == 3


def test_reveal_leaves_the_pool_it_came_from_alone() -> None:
    before = Pool(3)
    _ = before.unlabeled_ids
    after = before.reveal(ids(1), ids(0))
    assert before.unlabeled_ids.tolist() == [0, 1, 2]
    assert before.labels_bought == 0
    assert after.unlabeled_ids.tolist() == [0, 2]


def test_is_immutable() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Pool(3).size = 4  # type: ignore[misc]


def test_all_can_be_labeled_and_nothing_revealed() -> None:
    pool = Pool(2).reveal(ids(1, 0), ids(0, 0)).reveal(ids(), ids())
    assert pool.unlabeled_ids.tolist() == []
    assert pool.labels_bought == 2


@pytest.mark.parametrize("validation", [False, True])
@pytest.mark.parametrize(
    ("given", "message"),
    [
        (ids(3, -1, 10, 0), r"Not ids of this data set of 10 images: \[-1, 10\]"),
        (ids(3, 0, 3, 8, 8), r"Given more than once: ids \[3, 8\]"),
        (ids(3, 6), r"Already labeled: ids \[6\]"),
        (ids(5, 3), r"Already labeled: ids \[5\]"),
    ],
)
def test_wrong_ids_are_named(given: Tensor, message: str, validation: bool) -> None:
    pool = Pool(10).reveal(ids(6), ids(0)).reveal(ids(5), ids(0), validation=True)
    with pytest.raises(ValueError, match=message):
        pool.reveal(given, torch.zeros_like(given), validation=validation)


def test_an_id_without_a_label_is_named() -> None:
    with pytest.raises(ValueError, match=r"negative for ids \[4, 0\]"):
        Pool(5).reveal(ids(4, 2, 0), ids(-1, 0, -2))


@pytest.mark.parametrize(
    ("given", "labels"),
    [(ids(0, 1), ids(0)), (ids(0), ids(0, 1)), (ids(0).reshape(1, 1), ids(0).reshape(1, 1))],
)
def test_ids_and_labels_must_pair_up(given: Tensor, labels: Tensor) -> None:
    with pytest.raises(ValueError, match="must pair up"):
        Pool(5).reveal(given, labels)


@pytest.mark.parametrize(
    ("given", "labels"), [(ids(0).int(), ids(0)), (ids(0), ids(0).float()), (ids(0) > 0, ids(0))]
)
def test_ids_and_labels_must_be_int64(given: Tensor, labels: Tensor) -> None:
    with pytest.raises(ValueError, match="must be int64"):
        Pool(5).reveal(given, labels)


def test_what_is_skipped_leaves_the_pool_and_costs_nothing() -> None:
    pool = Pool(6).reveal(ids(5), ids(2)).skip(ids(1, 4))
    assert pool.skipped_ids.tolist() == [1, 4]
    assert pool.unlabeled_ids.tolist() == [0, 2, 3]
    assert pool.labels_bought == 1


@pytest.mark.parametrize(
    ("skipped", "problem"),
    [
        (ids(6), r"Not ids .* \[6\]"),
        (ids(2, 2), r"more than once: ids \[2\]"),
        (ids(5), r"Already labeled: ids \[5\]"),
        (ids(1), r"Skipped before: ids \[1\]"),
    ],
)
def test_what_cannot_be_skipped_is_named(skipped: Tensor, problem: str) -> None:
    pool = Pool(6).reveal(ids(5), ids(2)).skip(ids(1))
    with pytest.raises(ValueError, match=problem):
        pool.skip(skipped)


def test_what_was_skipped_cannot_be_labeled() -> None:
    with pytest.raises(ValueError, match=r"Skipped before: ids \[1\]"):
        Pool(6).skip(ids(1)).reveal(ids(1), ids(0))


def test_arrays_have_a_row_for_each_image() -> None:
    pool = Pool(5).reveal(torch.tensor([3]), torch.tensor([2]))
    pool = pool.reveal(torch.tensor([0]), torch.tensor([1]), validation=True)
    arrays = pool.skip(torch.tensor([4])).arrays()
    assert {name: values.tolist() for name, values in arrays.items()} == {
        "id": [0, 1, 2, 3, 4],
        "state": ["validation", "unlabeled", "unlabeled", "labeled", "skipped"],
        "label": [1, -1, -1, 2, -1],
    }


def test_a_pool_is_shown_by_its_numbers() -> None:
    pool = Pool(5).reveal(torch.tensor([3]), torch.tensor([2])).skip(torch.tensor([4]))
    assert repr(pool) == "Pool(1 labeled, 0 for validation, 0 for test, 1 skipped, 3 unlabeled)"
