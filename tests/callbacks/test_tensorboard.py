from pathlib import Path

import pytest
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from al_lightning import Budget, Journal
from al_lightning.callbacks.tensorboard import TensorBoardDashboard
from tests.test_loop import make_loop

BUDGET = Budget(initial=9, query=6, total=21)


def events(folder: Path) -> EventAccumulator:
    accumulator = EventAccumulator(str(folder))
    accumulator.Reload()
    return accumulator


@pytest.fixture
def run(tmp_path: Path) -> tuple[Journal, EventAccumulator]:
    dashboard = TensorBoardDashboard(tmp_path / "tensorboard")
    journal = make_loop(tmp_path, budget=BUDGET, callbacks=[dashboard]).run()
    return journal, events(tmp_path / "tensorboard")


def test_metrics_stand_over_labels_bought(run: tuple[Journal, EventAccumulator]) -> None:
    journal, found = run
    for name in ("accuracy", "macro_f1", "balanced_accuracy"):
        points = [(point.step, point.value) for point in found.Scalars(f"labels/{name}")]
        assert [step for step, _ in points] == [9, 15, 21]
        wanted = [event["metrics"][name] for event in journal.rounds]
        assert [value for _, value in points] == pytest.approx(wanted)


def test_figures_stand_at_the_labels_they_belong_to(run: tuple[Journal, EventAccumulator]) -> None:
    _, found = run
    assert [image.step for image in found.Images("test/confusion_matrix")] == [9, 15, 21]
    assert [image.step for image in found.Images("queries/images")] == [9, 15]
    assert [image.step for image in found.Images("queries/classes")] == [9, 15]


def test_hyperparameters_can_be_sorted_by_the_metrics(
    run: tuple[Journal, EventAccumulator],
) -> None:
    _, found = run
    assert "_hparams_/experiment" in found.summary_metadata
    assert [point.step for point in found.Scalars("labels/aubc")] == [15, 21]


def test_a_finished_run_adds_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "tensorboard"
    make_loop(tmp_path, callbacks=[TensorBoardDashboard(folder)]).run()
    before = {path: path.read_bytes() for path in folder.rglob("*")}
    make_loop(tmp_path, callbacks=[TensorBoardDashboard(folder)]).run()
    assert {path: path.read_bytes() for path in folder.rglob("*")} == before


def test_the_curves_of_a_fit_that_was_cut_off_are_removed(tmp_path: Path) -> None:
    stale = tmp_path / "tensorboard" / "round_00"
    stale.mkdir(parents=True)
    (stale / "events.out.tfevents.0").write_bytes(b"")
    make_loop(tmp_path, callbacks=[TensorBoardDashboard(tmp_path / "tensorboard")]).run()
    assert not stale.exists()
