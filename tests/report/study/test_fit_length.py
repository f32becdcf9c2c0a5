from dataclasses import replace
from typing import Any

import pytest

from al_lightning.report.study.fit_length import FitLength
from al_lightning.report.study.runs import Run
from tests.report.helpers import a_passive_run, the_setting


def a_fit(steps: int, train: int, batch_size: Any, validation: int = 0, seed: int = 0) -> Run:
    """A passive run of so many steps on so many images."""
    config = {"recipe": {"batch_size": batch_size}}
    run = a_passive_run(seed, train=train, validation=validation, config=config)
    return replace(run, rounds=(replace(run.rounds[0], steps=steps),))


@pytest.mark.parametrize(
    ("steps", "train", "size", "short", "text"),
    [
        (30_016, 60_000, 64, "32 epochs", "32 epochs (30,016 steps)"),
        (8_000, 60_000, 64, "8.5 epochs", "8.5 epochs (8,000 steps)"),  # of 938 batches
        (3_000, 50_000, 128, "7.7 epochs", "7.7 epochs (3,000 steps)"),
        (4, 200, 50, "1 epoch", "1 epoch (4 steps)"),
        (1, 200, 200, "1 epoch", "1 epoch (1 step)"),
        (100, 41, 8, "16.7 epochs", "16.7 epochs (100 steps)"),  # 6 batches, none of a single image
    ],
)
def test_epochs_are_steps_over_the_batches_of_an_epoch(
    steps: int, train: int, size: int, short: str, text: str
) -> None:
    length = FitLength.of([a_fit(steps, train, size)])
    assert length.steps == (steps, steps)
    assert (length.short, length.text) == (short, text)


def test_validation_labels_are_in_no_epoch() -> None:
    assert FitLength.of([a_fit(30, 130, 10, validation=30)]).epochs == (3.0, 3.0)
    test = replace(a_fit(30, 150, 10, validation=30), test_labels=20)
    assert FitLength.of([test]).epochs == (3.0, 3.0)


@pytest.mark.parametrize("size", [None, "64", 1, 0, True, 64.0])
def test_without_a_batch_size_there_are_steps_alone(size: Any) -> None:
    length = FitLength.of([a_fit(8_000, 60_000, size)])
    assert length.epochs is None
    assert length.short == length.text == "8,000 steps"


def test_a_run_of_the_library_has_steps_alone() -> None:
    plain = {"batch_size": 64, "budget": {"initial": "all"}}  # what it records, without a recipe
    run = replace(a_passive_run(), config=plain)
    assert FitLength.of([run]).text == "100 steps"
    assert FitLength.of([run, a_fit(8, 200, 50, seed=1)]).text == "8 to 100 steps"


def test_fits_of_several_lengths_are_a_range() -> None:
    length = FitLength.of([a_fit(8, 200, 50), a_fit(4, 200, 50, seed=1)])
    assert (length.steps, length.epochs) == ((4, 8), (1.0, 2.0))
    assert length.text == "1 to 2 epochs (4 to 8 steps)"


def test_the_passive_baseline_of_a_setting() -> None:
    length = the_setting([a_fit(8, 200, 50)]).passive_length
    assert length is not None
    assert length.short == "2 epochs"
