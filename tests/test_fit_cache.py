from pathlib import Path
from threading import Thread

import lightning as L
import pytest
import torch
from torch import nn

from al_lightning import FitCache


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
    threads = [Thread(target=fetch, args=(FitCache(tmp_path), "a", fitted)) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fitted == ["a"]


def test_a_damaged_entry_is_fitted_again(tmp_path: Path) -> None:
    fitted: list[str] = []
    fetch(FitCache(tmp_path), "a", fitted)
    (tmp_path / "a.ckpt").write_bytes(b"nothing of ours")
    with pytest.warns(UserWarning, match=r"a\.ckpt cannot be used"):
        assert fetch(FitCache(tmp_path), "a", fitted) == 7.0
    assert fitted == ["a", "a"]
