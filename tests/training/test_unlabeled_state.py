import pytest
import torch

from al_lightning.training.unlabeled_state import UnlabeledState


def test_thresholds_follow_freematch() -> None:
    state = UnlabeledState([], 2, torch.device("cpu"))
    found = state.thresholds(torch.tensor([[0.9, 0.1], [0.7, 0.3]]), 0.5)
    # Averages begin at 1 / 2: .5 * .5 + .5 * .8, and shares (.5 * .5 + .5 * (.8, .2)).
    assert found.tolist() == pytest.approx([0.65, 0.65 * 0.35 / 0.65])


def test_averages_come_back() -> None:
    state = UnlabeledState([torch.ones(2)], 3, torch.device("cpu"))
    state.average([torch.zeros(2)], 0.5)
    state.epoch, state.batches = 2, 1
    other = UnlabeledState([torch.zeros(2)], 3, torch.device("cpu"))
    other.load(state.as_dict())
    assert other.weights[0].tolist() == pytest.approx([0.1, 0.1])
    assert (other.steps, other.epoch, other.batches) == (1, 2, 1)
    weights = [torch.zeros(2)]
    other.put_into(weights)
    assert weights[0].tolist() == other.weights[0].tolist()
