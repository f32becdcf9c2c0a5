from pathlib import Path

import pytest
import torch
from torch import nn

from al_lightning.models.pretrained.kept_trunk import kept
from al_lightning.models.pretrained.trunk import Trunk


class Maker:
    """Makes a trunk with random weights, or those of a file, and counts."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, weights: str | None) -> Trunk:
        self.count += 1
        network = nn.Linear(3, 2)
        if weights is not None:
            network.load_state_dict(torch.load(weights))
        return Trunk(network, 2, "test", pretrained=weights is not None)


def _weight(trunk: Trunk) -> torch.Tensor:
    assert isinstance(trunk.network, nn.Linear)
    return trunk.network.weight


@pytest.fixture
def maker() -> Maker:
    return Maker()


def test_a_second_trunk_is_as_if_it_were_made_again(maker: Maker) -> None:
    make = kept(maker.__call__)
    torch.manual_seed(1)
    first, after = make(None), torch.rand(3)
    torch.manual_seed(1)
    second = make(None)
    assert maker.count == 1
    assert torch.equal(torch.rand(3), after)  # what follows, such as a head, has the same weights
    assert torch.equal(_weight(first), _weight(second))
    with torch.no_grad():
        _weight(first).zero_()  # as by training
    torch.manual_seed(1)
    assert torch.equal(_weight(make(None)), _weight(second))


def test_another_seed_is_another_trunk(maker: Maker) -> None:
    make = kept(maker.__call__)
    torch.manual_seed(1)
    first = make(None)
    torch.manual_seed(2)
    assert not torch.equal(_weight(first), _weight(make(None)))
    assert maker.count == 2


def test_a_file_that_has_changed_is_read_again(maker: Maker, tmp_path: Path) -> None:
    make, path = kept(maker.__call__), tmp_path / "w.pt"
    for value in (1.0, 2.0):
        path.unlink(missing_ok=True)
        torch.save({"weight": torch.full((2, 3), value), "bias": torch.zeros(2)}, path)
        for _ in range(2):
            torch.manual_seed(1)
            assert (_weight(make(str(path))) == value).all()
    assert maker.count == 2
