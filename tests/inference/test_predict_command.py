"""The command line, on a run made by hand, and once on what the real one leaves."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from al_lightning.data import Digits
from al_lightning.inference import predictions
from al_lightning.inference.predict_command import main
from al_lightning.models.metrics import evaluate
from tests.command_line import QUICK, Here, only_journal
from tests.helpers import tiny_images
from tests.inference.trained_runs import save_image, write_trained


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A run's folder; the working folder has three images."""
    monkeypatch.chdir(tmp_path)
    for index, pixels in enumerate(tiny_images(3).pixels[:]):
        save_image(tmp_path / "images" / f"{index}.png", pixels)
    return str(write_trained(tmp_path / "run"))


def test_one_line_says_what_was_written(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([run, "images"]) == 0
    assert capsys.readouterr() == ("3 images of 3 classes written to predictions.csv\n", "")
    lines = Path("predictions.csv").read_text(encoding="utf-8").splitlines()
    assert lines[0] == "file,class,confidence"
    assert [line.split(",")[0] for line in lines[1:]] == ["0.png", "1.png", "2.png"]


def test_options_are_heeded(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    Path("images/1.png").write_bytes(b"")
    output = str(Path("new") / "table.csv")
    options = ["--output", output, "--probabilities", "--batch-size", "1", "--on-error", "skip"]
    assert main([run, "images", *options]) == 0
    printed = capsys.readouterr()
    assert printed.out == f"2 images of 3 classes written to {output}, 1 skipped\n"
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
    assert main([str(journal.parent), str(tmp_path / "test"), "--probabilities"]) == 0
    with Path("predictions.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    probabilities = torch.tensor([[float(row[f"p_{name}"]) for name in range(10)] for row in rows])
    metrics, _, _ = evaluate(probabilities, test.labels)
    last = [json.loads(line) for line in journal.read_text().splitlines()][-2]
    assert metrics == pytest.approx(last["metrics"], abs=1e-6)
