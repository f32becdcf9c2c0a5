from pathlib import Path

import pytest
import torch

from al_lightning.report.study.measured import with_metrics
from al_lightning.report.study.runs import Run
from al_lightning.run.round_predictions import RoundPredictions
from al_lightning.utils.errors import UsageError
from tests.report.helpers import a_run

LABELS = torch.arange(30) % 4


def a_tested_run(folder: Path, right: tuple[int, ...] = (15, 24)) -> Run:
    """A run whose rounds predict so many of 30 images right, and the others as the next class."""
    (folder / "predictions").mkdir(parents=True)
    for index, count in enumerate(right):
        predicted = torch.where(torch.arange(30) < count, LABELS, (LABELS + 1) % 4)
        found = RoundPredictions.of(torch.nn.functional.one_hot(predicted, 4).float(), LABELS)
        path = folder / "predictions" / f"round_{index:02d}.npz"
        path.write_bytes(found.to_bytes())
    return a_run("margin", 0, [count / 30 for count in right], (10, 20), folder=str(folder))


def test_every_round_gets_the_metric(tmp_path: Path) -> None:
    run = a_tested_run(tmp_path)
    (measured,) = with_metrics([run], ["hamming_distance(average='micro')", "cohen_kappa"])
    found = [entry.metrics["hamming_distance(average='micro')"] for entry in measured.rounds]
    assert found == pytest.approx([15 / 30, 6 / 30])
    assert list(measured.rounds[0].metrics) == [
        "accuracy",
        "macro_f1",
        *list(measured.rounds[0].metrics)[2:],
    ]
    assert measured.rounds[1].metrics["accuracy"] == run.rounds[1].metrics["accuracy"]


def test_no_names_no_reading(tmp_path: Path) -> None:
    run = a_run(folder=str(tmp_path))
    assert with_metrics([run], []) == [run]


def test_what_every_report_has_is_named_by_its_class(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"accuracy: every report has it.*is MulticlassAccuracy"):
        with_metrics([], ["accuracy"])


def test_missing_and_foreign_predictions_are_named(tmp_path: Path) -> None:
    run = a_tested_run(tmp_path)
    path = tmp_path / "predictions" / "round_01.npz"
    with pytest.raises(
        UsageError, match=r"confusion_matrix cannot be computed from .*round_00.npz"
    ):
        with_metrics([run], ["confusion_matrix"])
    path.write_bytes(RoundPredictions.of(torch.eye(4), torch.arange(4)).to_bytes())
    with pytest.raises(UsageError, match=r"round_01.npz is not of this run: 1.0000 .* is 0.8000"):
        with_metrics([run], ["cohen_kappa"])
    path.unlink()
    with pytest.raises(UsageError, match=r"round_01.npz is not there.*predictions=false"):
        with_metrics([run], ["cohen_kappa"])


def test_runs_without_test_images_stay_as_they_are(tmp_path: Path) -> None:
    run = a_run("margin", 0, (0.5,), (10,), folder=str(tmp_path))
    bare = Run(**{**run.__dict__, "rounds": tuple(
        type(entry)(**{**entry.__dict__, "metrics": {}}) for entry in run.rounds)})  # fmt: skip
    assert with_metrics([bare], ["cohen_kappa"]) == [bare]


def test_a_project_s_test_images_may_have_grown(tmp_path: Path) -> None:
    run = a_tested_run(tmp_path)
    before = Run(**{**run.__dict__, "data": {**run.data, "test": 12}})
    (measured,) = with_metrics([before], ["cohen_kappa"])
    assert all("cohen_kappa" in entry.metrics for entry in measured.rounds)
