import csv
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from al_lightning import ActiveLearningLoop, Pool, TrainedRun, UsageError, load_trained
from al_lightning.inference.pool_predictions import write_pool_predictions
from al_lightning.inference.recorded_run import RecordedRun, load_recorded
from al_lightning.training.calibration import Calibration
from tests.inference.recorded_runs import run_recorded

CALIBRATION = Calibration(2.0, 50, "validation", 0.2, 0.1)


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> ActiveLearningLoop:
    return run_recorded(tmp_path_factory.mktemp("outputs") / "a")


@pytest.fixture
def parts(loop: ActiveLearningLoop) -> tuple[RecordedRun, TrainedRun]:
    return load_recorded(loop.journal), load_trained(loop.journal.path.parent)


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_every_unlabeled_image_by_class_and_confidence(
    parts: tuple[RecordedRun, TrainedRun], tmp_path: Path
) -> None:
    recorded, run = parts
    assert write_pool_predictions(recorded, run, tmp_path / "pool.csv") == 1257
    found = rows(tmp_path / "pool.csv")
    assert [*found[0]] == ["id", "file", "class", "confidence", "margin", "calibrated"]
    assert sorted(int(row["id"]) for row in found) == recorded.pool.unlabeled_ids.tolist()
    keys = [(int(row["class"]), -float(row["confidence"])) for row in found]
    assert keys == sorted(keys)
    assert {row["calibrated"] for row in found} == {"no"}
    ids = torch.tensor([int(row["id"]) for row in found])
    pixels = recorded.learner.data.train.pixels[ids]
    highest = run.predict(pixels).topk(2, 1)
    assert [int(row["class"]) for row in found] == highest.indices[:, 0].tolist()
    for name, expected in (
        ("confidence", highest.values[:, 0]),
        ("margin", highest.values[:, 0] - highest.values[:, 1]),
    ):
        column = torch.tensor([float(row[name]) for row in found])
        torch.testing.assert_close(column, expected, rtol=0, atol=1e-5)


def test_a_temperature_changes_confidences_and_no_class(
    parts: tuple[RecordedRun, TrainedRun], tmp_path: Path
) -> None:
    recorded, run = parts
    write_pool_predictions(recorded, run, tmp_path / "raw.csv")
    calibrated = run.calibrated_by(CALIBRATION)
    write_pool_predictions(recorded, calibrated, tmp_path / "pool.csv", probabilities=True)
    raw = {row["id"]: row for row in rows(tmp_path / "raw.csv")}
    found = rows(tmp_path / "pool.csv")
    assert all(row["class"] == raw[row["id"]]["class"] for row in found)
    assert all(float(row["confidence"]) < float(raw[row["id"]]["confidence"]) for row in found)
    assert {row["calibrated"] for row in found} == {"yes"}
    assert all(row["confidence"] == row[f"p_{row['class']}"] for row in found)
    probabilities = torch.tensor([[float(row[f"p_{c}"]) for c in range(10)] for row in found])
    ids = torch.tensor([int(row["id"]) for row in found])
    expected = calibrated.predict(recorded.learner.data.train.pixels[ids])
    torch.testing.assert_close(probabilities, expected, rtol=0, atol=1e-5)


def test_out_of_fold_labels_calibrate_no_pool(
    parts: tuple[RecordedRun, TrainedRun], tmp_path: Path
) -> None:
    recorded, run = parts
    run = run.calibrated_by(replace(CALIBRATION, source="out_of_fold"))
    write_pool_predictions(recorded, run, tmp_path / "pool.csv")
    assert {row["calibrated"] for row in rows(tmp_path / "pool.csv")} == {"no"}


def test_an_empty_pool_is_refused(
    parts: tuple[RecordedRun, TrainedRun], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorded, run = parts
    everything = Pool(3).skip(torch.arange(3))
    monkeypatch.setattr(RecordedRun, "pool", everything)
    with pytest.raises(UsageError, match="none is left to predict"):
        write_pool_predictions(recorded, run, tmp_path / "pool.csv")
    assert not (tmp_path / "pool.csv").exists()
