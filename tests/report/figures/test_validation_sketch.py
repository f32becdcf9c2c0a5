from dataclasses import replace

import pytest

from al_lightning.report.figures.validation_sketch import validation_sketch
from al_lightning.report.study.runs import Run
from tests.report.helpers import a_run


def untested(strategy: str = "margin", seed: int = 0, **arguments: int) -> Run:
    run = a_run(strategy, seed, **arguments)  # type: ignore[arg-type]
    return replace(run, rounds=tuple(replace(entry, metrics={}) for entry in run.rounds))


def test_the_accuracy_on_validation_labels_is_drawn_a_run_a_line() -> None:
    run = untested(validation=8)
    later = replace(run.rounds[0], validation={})  # the labels came after the first round
    (sketch,) = validation_sketch([replace(run, rounds=(later, *run.rounds[1:]))])
    lines = {str(line.get_label()): line for line in sketch.figure.axes[0].get_lines()}
    assert list(lines) == ["margin"]
    assert lines["margin"].get_xydata().tolist() == [[20, 0.6], [30, 0.7], [40, 0.8]]  # type: ignore[union-attr]
    assert sketch.alt == "Learning curves of 1 run, at the end: margin 80.0%."
    assert sketch.curves


def test_bands_are_those_of_so_many_labels_as_there_were_then() -> None:
    run = untested(validation=8)
    run = replace(run, rounds=tuple(replace(each, validation_labels=1000) for each in run.rounds))
    (sketch,) = validation_sketch([run])
    (band,) = sketch.figure.axes[0].collections
    highest = max(y for _, y in band.get_paths()[0].vertices.tolist())  # type: ignore[union-attr]
    assert highest == pytest.approx(0.8236, abs=1e-4)  # by scipy's binomtest(800, 1000)
    assert sketch.caption.endswith("Bands are 95% intervals, by the number of these labels.")


def test_runs_of_one_strategy_are_told_by_their_seeds() -> None:
    runs = [untested("margin", s, validation=8) for s in range(2)] + [untested("kl", validation=8)]
    (sketch,) = validation_sketch(runs)
    names = [line.get_label() for line in sketch.figure.axes[0].get_lines()]
    assert names == ["margin, seed 0", "margin, seed 1", "kl"]


def test_without_validation_labels_there_is_nothing_to_draw() -> None:
    assert [*validation_sketch([untested()])] == []
    assert [*validation_sketch([])] == []
