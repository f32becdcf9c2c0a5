from typing import Any

import lightning as L
import pytest
from lightning.pytorch.callbacks import EarlyStopping, LearningRateMonitor

from al_lightning.training.fresh_trainers import FreshTrainers
from al_lightning.utils.errors import UsageError
from tests.helpers import tiny_trainer


def maker(*callbacks: L.Callback) -> Any:
    return lambda index, labels: tiny_trainer(max_steps=5, callbacks=list(callbacks))


def test_one_trainer_serves_all_passes_and_each_fit_has_a_fresh_one() -> None:
    made: list[tuple[int, int]] = []

    def make(index: int, labels: int) -> L.Trainer:
        made.append((index, labels))
        return tiny_trainer(max_steps=5)

    trainers = FreshTrainers(make)
    first, second = trainers.for_fit(3, 20), trainers.for_fit(4, 30)
    assert trainers.for_passes is trainers.for_passes
    assert len({id(trainers.for_passes), id(first), id(second)}) == 3
    assert made == [(0, 1), (3, 20), (4, 30)]


class _Noting:
    """Makes trainers, and notes of which fits."""

    def __init__(self, *, arguments_alone: bool) -> None:
        self.arguments_alone = arguments_alone
        self.made: list[tuple[int, int]] = []

    def __call__(self, index: int, labels: int) -> L.Trainer:
        self.made.append((index, labels))
        return tiny_trainer(max_steps=5)


def test_a_trainer_made_ahead_serves_its_own_fit_alone() -> None:
    make = _Noting(arguments_alone=True)
    trainers = FreshTrainers(make)
    _ = trainers.for_passes
    trainers.prepare(3, 20)
    assert make.made == [(0, 1), (3, 20)]
    first, second = trainers.for_fit(3, 20), trainers.for_fit(3, 20)
    assert first is not second
    trainers.prepare(4, 30)
    trainers.for_fit(4, 28)  # two labels fewer came
    assert make.made[2:] == [(3, 20), (4, 30), (4, 28)]


def test_a_maker_that_may_look_at_labels_makes_no_trainer_ahead() -> None:
    make = _Noting(arguments_alone=False)
    trainers = FreshTrainers(make)
    _ = trainers.for_passes
    trainers.prepare(3, 20)
    trainers.for_fit(3, 20)
    assert make.made == [(0, 1), (3, 20)]


def test_one_trainer_for_all_rounds_is_refused() -> None:
    trainer = tiny_trainer(max_steps=5)
    with pytest.raises(UsageError, match="the same trainer twice"):
        FreshTrainers(lambda index, labels: trainer).for_fit(0, 20)


def test_a_trainer_that_comes_again_after_a_fit_is_refused() -> None:
    several = [tiny_trainer(max_steps=5) for _ in range(2)]
    trainers = FreshTrainers(lambda index, labels: several[min(labels, 2) - 1])
    trainers.for_fit(0, 20)
    with pytest.raises(UsageError, match="the same trainer twice"):
        trainers.for_fit(1, 30)


def test_callbacks_with_a_memory_are_made_anew() -> None:
    with pytest.raises(UsageError, match="one EarlyStopping, which remembers"):
        FreshTrainers(maker(EarlyStopping("val_loss"))).for_fit(0, 20)
    assert FreshTrainers(maker(LearningRateMonitor())).for_fit(0, 20).global_step == 0


@pytest.mark.parametrize(
    ("made", "message"),
    [(None, r"not NoneType \(is there a `return`\?\)"), ("trainer", "not str$")],
)
def test_what_is_no_trainer_is_named(made: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        _ = FreshTrainers(lambda index, labels: made).for_passes
