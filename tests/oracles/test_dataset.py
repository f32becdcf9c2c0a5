import pytest
import torch

from al_lightning import DatasetOracle, SimulatedOracle

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
    with pytest.raises(IndexError):
        DatasetOracle(LABELS).annotate(torch.tensor([4]))
