from functools import partial
from typing import Any

import lightning as L
import pytest
import torch
from lightning.pytorch.callbacks import Callback

from al_lightning.callbacks.training_curves import TrainingCurves
from al_lightning.data.datamodule import PoolDataModule
from al_lightning.run.pool import Pool
from al_lightning.training.recipe import Recipe
from al_lightning.training.trainers import RoundTrainers
from al_lightning.utils.errors import UsageError
from tests.helpers import TinySource, tiny_classifier, tiny_trainer


def made(make: RoundTrainers, index: int = 0, labels: int = 20) -> L.Trainer:
    trainer = make(index, labels)
    assert isinstance(trainer, L.Trainer)
    return trainer


RECIPE = Recipe(epochs=2, batch_size=10, precision="32-true")


def test_every_round_has_a_fresh_trainer() -> None:
    make = RoundTrainers(tiny_trainer, RECIPE)
    first, second = made(make), made(make, 1)
    assert first is not second
    assert first.fit_loop is not second.fit_loop


def test_every_round_trains_to_its_end() -> None:
    datamodule = PoolDataModule(TinySource(), batch_size=10)
    make, classifier = RoundTrainers(tiny_trainer, RECIPE), tiny_classifier()
    for index, labels in enumerate((20, 20, 31)):
        ids = torch.arange(labels)
        pool = Pool(60).reveal(ids, datamodule.data.train.labels[ids])
        datamodule.begin_round(pool, order_seed=index)
        trainer = make(index, labels)
        trainer.fit(classifier, datamodule=datamodule)
        assert trainer.global_step == RECIPE.steps(labels)


@pytest.mark.parametrize(("labels", "steps"), [(20, 4), (25, 6), (2, 2)])
def test_a_fit_is_as_long_as_the_recipe_says(labels: int, steps: int) -> None:
    trainer = made(RoundTrainers(tiny_trainer, RECIPE), 0, labels)
    assert trainer.max_steps == steps
    assert trainer.max_epochs == -1  # steps alone decide


@pytest.mark.parametrize(("units", "precision"), [(True, "bf16-mixed"), (False, "32-true")])
def test_auto_precision_is_that_of_the_device_the_trainer_takes(
    monkeypatch: pytest.MonkeyPatch, units: bool, precision: str
) -> None:
    capabilities = {"avx512_bf16": units}
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: capabilities, raising=False)
    trainer = RoundTrainers(tiny_trainer, Recipe(precision="auto"))(0, 20)
    assert trainer.precision == precision


def test_the_device_is_asked_for_once() -> None:
    made: list[dict[str, Any]] = []

    def make_trainer(**options: Any) -> L.Trainer:
        made.append(options)
        return tiny_trainer(**options)

    make = RoundTrainers(make_trainer, Recipe(precision="auto"))
    for index in range(3):
        make(index, 20)
    assert len(made) == 4
    assert [options.get("max_steps") for options in made] == [None, 10, 10, 10]


def test_settings_of_the_trainer_are_kept() -> None:
    make = RoundTrainers(partial(tiny_trainer, gradient_clip_val=0.5, accelerator="cpu"), RECIPE)
    assert made(make).gradient_clip_val == 0.5


def test_every_trainer_has_its_own_callbacks() -> None:
    class Watcher(Callback):
        pass

    def watchers(trainer: L.Trainer) -> list[Callback]:
        return [c for c in trainer.callbacks if isinstance(c, Watcher)]  # type: ignore[attr-defined]

    make = RoundTrainers(tiny_trainer, RECIPE, make_callbacks=lambda: [Watcher()])
    (first,), (second,) = watchers(made(make)), watchers(made(make, 1))
    assert first is not second


def test_nothing_is_written_unless_asked_for() -> None:
    trainer = made(RoundTrainers(tiny_trainer, RECIPE))
    assert trainer.logger is None
    assert trainer.checkpoint_callback is None


def test_the_curves_of_every_round_go_where_they_are_told() -> None:
    told: list[tuple[int, str, int]] = []

    def curves(index: int) -> TrainingCurves:
        return TrainingCurves(lambda name, value, step: told.append((index, name, step)))

    make = RoundTrainers(partial(tiny_trainer, log_every_n_steps=1), RECIPE, make_logger=curves)
    datamodule = PoolDataModule(TinySource(), batch_size=10)
    ids = torch.arange(20)
    datamodule.begin_round(Pool(60).reveal(ids, datamodule.data.train.labels[ids]), order_seed=0)
    for index in (0, 12):
        make(index, 20).fit(tiny_classifier(), datamodule=datamodule)
    assert {index for index, _, _ in told} == {0, 12}
    assert [step for index, name, step in told if (index, name) == (12, "train/loss")] == [
        0,
        1,
        2,
        3,
    ]
    assert "epoch" not in {name for _, name, _ in told}


def test_a_trainer_of_other_steps_than_the_recipes_is_refused() -> None:
    def deaf(**options: Any) -> L.Trainer:
        return tiny_trainer(**{**options, "max_steps": 3})

    with pytest.raises(UsageError, match="a trainer of 3 steps, and the recipe takes 4"):
        RoundTrainers(deaf, RECIPE)(0, 20)
