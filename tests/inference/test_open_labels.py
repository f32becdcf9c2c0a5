"""Labels of the page that the journal lacks are said by the commands that do not see them."""

import time
from pathlib import Path

import pytest
import torch

from al_lightning.inference import labels_command, predict_command, review_command
from al_lightning.inference.open_labels import open_labels
from al_lightning.oracles.page.page_log import Entry, PageLog
from al_lightning.run.journal import Journal
from tests.helpers import round_event, start_event
from tests.inference.trained_runs import CALIBRATION, write_trained

CLASSES = ["cat", "dog", "bird"]


def stopped_project(folder: Path) -> Path:
    """2 is recorded as a dog; the page has 4 as a cat, 5 skipped, and an older word on 2."""
    journal = Journal(folder / "journal.jsonl")
    journal.begin({"project": True, **start_event(classes=CLASSES)})
    journal.record_labels(0, torch.tensor([7, 2]), torch.tensor([0, 1]), "initial", by="Ada")
    journal.record_round(round_event(0, 2))
    now = time.time()
    entries = [Entry(2, "label", "cat", "Bob", now - 99), Entry(4, "label", "cat", "Bob", now)]
    log = PageLog(folder / "queries" / "page.jsonl")
    log.append([*entries, Entry(5, "skip", "", "Bob", now)])
    return folder


def test_labels_skips_and_corrections_that_the_journal_lacks_are_counted(tmp_path: Path) -> None:
    run = stopped_project(tmp_path / "birds")
    assert open_labels(Journal(run / "journal.jsonl")) == 2
    newer = Entry(7, "label", "bird", "Bob", time.time() + 1)
    PageLog(run / "queries" / "page.jsonl").append([newer])
    assert open_labels(Journal(run / "journal.jsonl")) == 3


@pytest.mark.parametrize(
    ("arguments", "status"), [(("--to", "out.csv"), 0), (("--set", "4=dog"), 1)]
)
def test_commands_on_labels_say_what_they_do_not_see(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    status: int,
) -> None:
    monkeypatch.chdir(tmp_path)
    run = stopped_project(tmp_path / "birds")
    assert labels_command.main([str(run), *arguments]) == status
    said = capsys.readouterr().err
    assert "2 labels given on the page are not in the journal yet" in said
    (run / "queries" / "page.jsonl").unlink()
    labels_command.main([str(run), *arguments, *(["--overwrite"] if "--to" in arguments else [])])
    assert "on the page" not in capsys.readouterr().err


def test_predict_and_review_say_so_too(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = stopped_project(tmp_path / "birds")
    assert review_command.main([str(run), "--apply", str(tmp_path / "none.csv")]) == 1
    assert "2 labels given on the page" in capsys.readouterr().err
    run, now = write_trained(tmp_path / "run", calibration=CALIBRATION), time.time()
    PageLog(run / "queries" / "page.jsonl").append([Entry(50, "skip", "", "", now)])
    assert predict_command.main([str(run), str(tmp_path / "none")]) == 1
    assert "1 label that was given on the page is not" in capsys.readouterr().err
