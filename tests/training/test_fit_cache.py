from collections.abc import Sequence
from pathlib import Path

import lightning as L
import pytest
import torch
from torch import nn

from al_lightning import FitCache
from al_lightning.training.fit_cache import CurvePoint
from tests.background import at_once


class Weight(L.LightningModule):
    def __init__(self, value: float = 0.0) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.tensor([value]))


def fetch(cache: FitCache, identity: str, fitted: list[str]) -> float:
    """Take a fit from the cache; make it, with the weight 7, if it is not there."""
    model = Weight()
    with cache.entry(identity) as entry:
        if entry.load(model, identity) is None:
            fitted.append(identity)
            model = Weight(7.0)
            entry.save(model, identity, {"seconds": 1.0})
    return model.weight.item()


def test_what_was_fitted_once_is_found_again(tmp_path: Path) -> None:
    fitted: list[str] = []
    assert [fetch(FitCache(tmp_path / "new"), "a", fitted) for _ in range(3)] == [7.0] * 3
    assert fitted == ["a"]
    fetch(FitCache(tmp_path / "new"), "b", fitted)
    assert fitted == ["a", "b"]


def test_many_at_once_fit_once(tmp_path: Path) -> None:
    fitted: list[str] = []
    at_once(lambda: fetch(FitCache(tmp_path), "a", fitted), 8)
    assert fitted == ["a"]


def test_a_damaged_entry_is_fitted_again(tmp_path: Path) -> None:
    fitted: list[str] = []
    fetch(FitCache(tmp_path), "a", fitted)
    (tmp_path / "a.ckpt").write_bytes(b"nothing of ours")
    with pytest.warns(UserWarning, match=r"a\.ckpt cannot be used"):
        assert fetch(FitCache(tmp_path), "a", fitted) == 7.0
    assert fitted == ["a", "a"]


class Board:
    """Shows curves on paper."""

    def __init__(self, *points: CurvePoint) -> None:
        self.points = list(points)

    def shown_curves(self) -> Sequence[CurvePoint]:
        return self.points

    def show_curves(self, points: Sequence[CurvePoint]) -> None:
        self.points += points


def test_the_curves_of_a_fit_are_shown_by_every_run_that_takes_it(tmp_path: Path) -> None:
    fitted: list[str] = []
    first = Board(("train/loss", 0.5, 10), ("train/loss", 0.25, 20))
    second = Board()
    for board in (first, second):
        fetch(FitCache(tmp_path, board=board), "a", fitted)
    assert fitted == ["a"]
    assert second.points == first.points == [("train/loss", 0.5, 10), ("train/loss", 0.25, 20)]


def test_the_facts_of_a_fit_are_those_that_were_saved(tmp_path: Path) -> None:
    boards = [Board(("train/loss", 0.5, 10)), None, Board()]
    for board in boards:
        fetch(FitCache(tmp_path, board=board), "a", [])
        with FitCache(tmp_path, board=board).entry("a") as entry:
            assert entry.load(Weight(), "a") == {"seconds": 1.0}
