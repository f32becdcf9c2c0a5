"""The command line, on a run made by hand, and once on what the real one leaves."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from al_lightning.data import Digits
from al_lightning.inference import predict_command, predictions
from al_lightning.inference.predict_command import main
from al_lightning.inference.recorded_run import load_recorded
from al_lightning.inference.trained import load_trained
from al_lightning.models.metrics import evaluate
from tests.command_line import QUICK, Here, only_journal
from tests.helpers import tiny_images
from tests.inference.recorded_runs import run_on_files, run_recorded
from tests.inference.trained_runs import CALIBRATION, save_image, write_trained


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A run's folder; the working folder has three images."""
    monkeypatch.chdir(tmp_path)
    for index, pixels in enumerate(tiny_images(3).pixels[:]):
        save_image(tmp_path / "images" / f"{index}.png", pixels)
    return str(write_trained(tmp_path / "run", calibration=CALIBRATION))


def test_one_line_says_what_was_written(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([run, "images"]) == 0
    assert capsys.readouterr() == (
        "3 images of 3 classes written to predictions.csv\n"
        "Confidences are calibrated on 20 validation labels: temperature 2.00, calibration error 0.200 "
        "before and 0.100 after\n",
        "",
    )
    lines = Path("predictions.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "file,class,confidence"
    assert [line.split(",")[0] for line in lines[1:]] == ["0.png", "1.png", "2.png"]


def test_options_are_heeded(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("images/1.png").write_bytes(b"")
    output = str(Path("new") / "table.csv")
    options = ["--to", output, "--probabilities", "--batch-size", "1", "--on-error", "skip"]
    assert main([run, "images", *options]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith(f"2 images of 3 classes written to {output}, 1 skipped\n")
    assert printed.err == "Skipped 1.png: it is empty, 0 bytes\n"
    header = "file,class,confidence,p_top,p_middle,p_bottom"
    assert Path(output).read_text(encoding="utf-8").splitlines()[0] == header


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["nowhere", "images"], "nowhere is no folder"),
        (["run", "nowhere"], "nowhere does not exist"),
        (["run", "run"], "run has no image"),
        (["run", "images", "--output", "images"], "is no file"),
        (["run", "broken"], "1 of 1 images"),
    ],
)
def test_an_error_of_usage_is_one_message_and_a_status(
    run: str, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str
) -> None:
    Path("broken").mkdir()
    Path("broken/0.png").write_bytes(b"")
    assert main(arguments) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith("Error: ")
    assert said in printed.err
    assert not Path("predictions.csv").exists()


@pytest.mark.parametrize("size", ["0", "-1", "many", "1.5"])
def test_a_batch_has_images(size: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["run", "images", "--batch-size", size])
    assert caught.value.code == 2
    assert "must be a whole number >= 1" in capsys.readouterr().err


def test_an_interrupted_prediction_writes_nothing(
    run: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(predictions, "_rows", interrupt)
    assert main([run, "images"]) == 130
    assert capsys.readouterr().err == "Interrupted. Nothing was written.\n"
    assert sorted(path.name for path in Path.cwd().iterdir()) == ["images", "run"]


def read(path: str) -> list[dict[str, str]]:
    with Path(path).open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def test_confidences_are_calibrated_unless_raw_ones_are_wanted(
    run: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([run, "images", "--to", "new.csv"]) == 0
    capsys.readouterr()
    assert main([run, "images", "--to", "raw.csv", "--raw"]) == 0
    assert capsys.readouterr().out.endswith("raw.csv\nConfidences are not calibrated (--raw)\n")
    images = sorted(Path("images").iterdir())
    trained = load_trained(run)
    for name, calibrated in (("new.csv", True), ("raw.csv", False)):
        expected = trained.predict(images, calibrated=calibrated).max(1).values
        found = torch.tensor([float(row["confidence"]) for row in read(name)])
        torch.testing.assert_close(found, expected)
    assert [row["class"] for row in read("new.csv")] == [row["class"] for row in read("raw.csv")]


def test_a_folder_is_looked_for_before_anything_is_fitted(
    run: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(predict_command, "_calibrated", None)
    assert main([run, "nowhere"]) == 1
    assert "nowhere does not exist" in capsys.readouterr().err


def test_without_the_images_of_the_run_nothing_is_calibrated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    save_image(tmp_path / "images" / "0.png", tiny_images(1).pixels[0])
    assert main([str(write_trained(tmp_path / "run")), "images"]) == 0
    said = capsys.readouterr().out
    assert "Confidences are not calibrated: the run has no validation labels" in said
    assert "does not say what the run is made of" in said


def test_the_pool_is_calibrated_by_out_of_fold_predictions_that_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = str(run_recorded(tmp_path / "run").journal.path.parent)
    capsys.readouterr()
    assert main([folder, "--pool"]) == 0
    printed = capsys.readouterr()
    assert "Fitting 5 classifiers, each on 4 of 5 parts of 40 labels" in printed.err
    first, second = printed.out.splitlines()
    assert first == "1,257 unlabeled images written to predictions.csv"
    assert second.startswith(
        "Confidences are not calibrated for the pool: labels that a strategy chose"
    )
    assert len(read("predictions.csv")) == 1257
    content = Path("predictions.csv").read_bytes()
    assert main([folder, "--pool", "--to", "again.csv"]) == 0
    assert "Fitting" not in capsys.readouterr().err
    assert Path("again.csv").read_bytes() == content
    found = load_trained(folder).calibration
    assert found is not None
    assert found.source == "out_of_fold"


def test_new_images_are_left_out_and_those_that_have_gone_are_no_rows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    loop = run_on_files(tmp_path)
    folder, files, pool = loop.journal.path.parent, loop.learner.data.train.files, loop.journal.pool
    assert files is not None
    gone = [files[int(ids[0])] for ids in (pool.labeled_ids, pool.unlabeled_ids)]
    for name in gone:
        (tmp_path / "old" / name).unlink()
    for shade in range(6):
        pixels = torch.full((1, 8, 8), 70 + shade, dtype=torch.uint8)
        save_image(tmp_path / "old" / "0" / f"new {shade}.png", pixels)
    new = load_recorded(loop.journal).unknown_images
    assert new > 1
    capsys.readouterr()
    assert main([str(folder), "--pool"]) == 0
    left = len(pool.unlabeled_ids) - 1
    assert capsys.readouterr().out.splitlines()[0] == (
        f"{left} unlabeled images written to predictions.csv; {new} new images left out: run the "
        "project's command first"
    )
    named = [row["file"] for row in read("predictions.csv")]
    assert len(named) == left
    assert gone[1] not in named


@pytest.mark.parametrize("arguments", [["run"], ["run", "images", "--pool"]])
def test_a_folder_or_the_pool_is_named(
    run: str, capsys: pytest.CaptureFixture[str], arguments: list[str]
) -> None:
    assert main(arguments) == 1
    assert "Name a folder of images, or --pool" in capsys.readouterr().err


def test_help_answers_without_what_is_heavy() -> None:
    code = (
        f"import sys; from {main.__module__} import _parser as p; p().format_help(); "
        "sys.exit(bool({'torch', 'hydra', 'rich', 'numpy'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_real_run_says_of_its_test_images_what_it_said_before(here: Here, tmp_path: Path) -> None:
    """Written as PNG and predicted, the test images come to the figures of the journal."""
    assert here(tmp_path, "strategy=margin", *QUICK, "recipe.precision=32-true").returncode == 0
    test = Digits().load().test
    for index, pixels in enumerate(test.pixels[:]):
        save_image(tmp_path / "test" / f"{index:03}.png", pixels)
    journal = only_journal(tmp_path)
    assert main([str(journal.parent), str(tmp_path / "test"), "--probabilities", "--raw"]) == 0
    with Path("predictions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    probabilities = torch.tensor([[float(row[f"p_{name}"]) for name in range(10)] for row in rows])
    metrics, _, _ = evaluate(probabilities, test.labels)
    last = [json.loads(line) for line in journal.read_text().splitlines()][-2]
    assert metrics == pytest.approx(last["metrics"], abs=1e-6)
