import random
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import pytest
import torch
from lightning.pytorch.callbacks import Callback
from torch.optim import SGD

from al_lightning import PoolDataModule, Recipe, RoundTrainers
from al_lightning.data import RandomShift
from al_lightning.run.pool import Pool
from al_lightning.training.fitting import fit_watched
from al_lightning.training.mid_fit import MidFit, generator_states, set_generator_states
from al_lightning.training.recipe import one_cycle
from tests.helpers import TinySource, same_weights, tiny_cnn, tiny_trainer

RECIPE = Recipe(
    partial(SGD, lr=0.05, momentum=0.9),
    one_cycle,
    epochs=3,
    batch_size=8,
    augmentation=RandomShift(0.2),
    precision="32-true",
)
STEPS = 9  # three epochs of three batches


class Stopped(Exception):  # noqa: N818 - no error of the product
    """Ends a fit as a queue does."""


class StopsAfter(Callback):
    def __init__(self, steps: int) -> None:
        self.steps = steps

    def on_train_batch_end(self, trainer: L.Trainer, *args: Any) -> None:
        if trainer.global_step == self.steps:
            raise Stopped


def fit(mid_fit: MidFit | None, *callbacks: Callback) -> tuple[Any, dict[str, Any]]:
    """Fit a network with dropout and batch norm on augmented images."""
    datamodule: PoolDataModule = RECIPE.datamodule(TinySource())
    ids = torch.arange(23)
    datamodule.begin_round(Pool(60).reveal(ids, datamodule.data.train.labels[ids]), order_seed=3)
    torch.manual_seed(0)
    classifier = RECIPE.classifier(tiny_cnn(), 3)
    make = RoundTrainers(tiny_trainer, RECIPE, make_callbacks=lambda: list(callbacks))
    return classifier, fit_watched(make(0, 23), classifier, datamodule, 0, 5, mid_fit)


def at(folder: Path, identity: str = "a", minutes: float = 0.0) -> MidFit:
    return MidFit(folder / "fit.ckpt", identity, minutes)


@pytest.mark.parametrize("stop", [1, 2, 3, 4, 8])  # 3 is the end of an epoch
def test_a_fit_that_was_stopped_goes_on_to_the_same_bits(tmp_path: Path, stop: int) -> None:
    whole, facts = fit(None)
    with pytest.raises(Stopped):
        fit(at(tmp_path), StopsAfter(stop + 1))  # it was saved after the step before
    seen: list[int] = []

    class Watch(Callback):
        def on_train_batch_start(self, trainer: L.Trainer, *args: Any) -> None:
            seen.append(trainer.global_step)

    resumed, again = fit(at(tmp_path), Watch())
    assert seen == list(range(seen[0], STEPS))
    assert seen[0] in (stop, stop + 1)
    assert same_weights(resumed, whole)
    assert again["steps"] == facts["steps"] == STEPS
    assert again["seconds"] > 0


def test_a_fit_that_is_saved_comes_to_the_same_bits(tmp_path: Path) -> None:
    whole, _ = fit(None)
    saved, _ = fit(at(tmp_path))
    assert same_weights(saved, whole)
    assert (tmp_path / "fit.ckpt").exists()


def test_nothing_is_saved_before_its_time(tmp_path: Path) -> None:
    fit(at(tmp_path, minutes=10.0))
    assert not list(tmp_path.iterdir())


def test_another_fit_begins_anew(tmp_path: Path) -> None:
    with pytest.raises(Stopped):
        fit(at(tmp_path), StopsAfter(5))
    whole, _ = fit(None)
    other, facts = fit(at(tmp_path, "b"))
    assert same_weights(other, whole)
    assert facts["steps"] == STEPS


def test_a_damaged_file_is_named_and_the_fit_begins_anew(tmp_path: Path) -> None:
    (tmp_path / "fit.ckpt").write_bytes(b"torn")
    whole, _ = fit(None)
    with pytest.warns(UserWarning, match=r"fit\.ckpt cannot be used .* starts again"):
        again, _ = fit(at(tmp_path))
    assert same_weights(again, whole)


def test_the_states_of_all_generators_come_back() -> None:
    def draw() -> tuple[float, float, float]:
        return random.random(), float(np.random.rand()), float(torch.rand(()))  # noqa: NPY002

    before = generator_states()
    first = draw()
    set_generator_states(before)
    assert draw() == first
