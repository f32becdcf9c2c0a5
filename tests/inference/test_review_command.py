"""The review on the command line: the sheet, its page, and the corrections."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from al_lightning import Budget, Journal
from al_lightning.inference import calibrating
from al_lightning.inference.kept_folds import folds_of
from al_lightning.inference.review import doubtful_labels
from al_lightning.inference.review_command import main
from al_lightning.run.image_change import ImageChange
from al_lightning.training.out_of_fold import OutOfFold
from al_lightning.utils.locks import only_one
from tests.inference.recorded_runs import run_recorded
from tests.inference.trained_runs import write_trained


def keep_made_up(journal: Journal) -> OutOfFold:
    """Keep out-of-fold predictions that doubt every fifth label: 1 + it, each surer than the last."""
    pool = journal.pool
    given = torch.nn.functional.one_hot(pool.labels, 10).float()
    other = torch.nn.functional.one_hot((pool.labels + 1) % 10, 10).float()
    doubted = torch.arange(len(pool.labels)) % 5 == 0
    sure = torch.arange(len(pool.labels))[:, None] / 20 + 5
    logits = torch.where(doubted[:, None], other * sure, given * 8)
    fold_of = torch.arange(len(pool.labels)) % 5
    found = OutOfFold(pool.labeled_ids, pool.labels, fold_of, logits)
    return folds_of(journal, journal.rounds[-1]["fit"], pool, "", lambda: found)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project of 40 labels; the working folder is another one."""
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    run_recorded(tmp_path / "outputs" / "projects" / "digits", Budget(40, 10, 40))
    return tmp_path / "outputs" / "projects" / "digits"


def rows(sheet: Path) -> list[dict[str, str]]:
    with sheet.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def fill_in(sheet: Path, labels: dict[int, str]) -> list[dict[str, str]]:
    """Write classes into the column label, by the number of the row; return all rows."""
    table = rows(sheet)
    for number, label in labels.items():
        table[number]["label"] = label
    with sheet.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(table[0]))
        writer.writeheader()
        writer.writerows(table)
    return table


def test_from_a_review_to_corrections(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    journal = Journal(project / "journal.jsonl")
    expected = doubtful_labels(keep_made_up(journal))
    count = len(expected.rows)
    assert count > 3
    assert main([str(project)]) == 0
    said = capsys.readouterr().out
    sheet = project / "review.csv"
    said_first = (
        f"{count} of 40 labels are probably wrong; the most doubtful {count} are in the sheet"
    )
    assert said.startswith(said_first)
    assert f"python -m al_lightning.review {project} --apply {sheet} --by NAME" in said
    found = rows(sheet)
    columns = ["id", "file", "reason", "given", "suggested", "confidence", "margin", "label"]
    assert [*found[0]] == columns
    assert {row["reason"] for row in found} == {"doubtful"}
    pool = journal.pool
    assert [int(row["id"]) for row in found] == pool.labeled_ids[expected.rows].tolist()
    assert [int(row["given"]) for row in found] == pool.labels[expected.rows].tolist()
    assert [int(row["suggested"]) for row in found] == expected.suggested.tolist()
    margins = [float(row["margin"]) for row in found]
    assert margins == sorted(margins)
    assert {row["label"] for row in found} == {""}
    page = sheet.with_suffix(".html").read_text(encoding="utf-8")
    assert page.count("<img ") == count
    assert "images to review</h1>" in page
    assert "Where a label is wrong" in page

    fill_in(sheet, {0: found[0]["suggested"], 2: found[2]["given"], 3: found[3]["suggested"]})
    assert main([str(project), "--apply", "--by", "Ada"]) == 0
    assert capsys.readouterr().out == (
        "2 label(s) corrected; 1 had this class already. The project's command trains on them\n"
    )
    journal = Journal(project / "journal.jsonl")
    (correction,) = journal.corrections()
    assert correction["ids"] == [int(found[row]["id"]) for row in (0, 3)]
    assert correction["to"] == [int(found[row]["suggested"]) for row in (0, 3)]
    assert correction["by"] == "Ada"
    assert main([str(project), "--apply", str(sheet)]) == 0
    assert "0 label(s) corrected; 3 had this class already" in capsys.readouterr().out


def test_out_of_fold_predictions_are_computed_once(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert main([str(project), "--count", "1", "--to", "mine.csv"]) == 0
    printed = capsys.readouterr()
    assert "Fitting 5 classifiers, each on 4 of 5 parts of 40 labels" in printed.err
    assert len(rows(Path("mine.csv"))) == 1
    assert Path("mine.html").exists()
    monkeypatch.setattr(calibrating, "out_of_fold", None)
    assert main([str(project), "--to", "all.csv"]) == 0
    assert rows(Path("all.csv"))[0] == rows(Path("mine.csv"))[0]


def test_entries_that_were_not_applied_are_not_overwritten(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keep_made_up(Journal(project / "journal.jsonl"))
    main([str(project)])
    sheet = project / "review.csv"
    fill_in(sheet, {2: rows(sheet)[2]["suggested"]})
    before = sheet.read_bytes()
    with monkeypatch.context() as before_any_fit:
        before_any_fit.setattr(calibrating, "run_folds", None)
        assert main([str(project)]) == 1
        assert "has 1 class(es) filled in that were not applied" in capsys.readouterr().err
        assert main([str(project), "--to", "mine.HTML"]) == 1
        assert "mine.HTML is the page beside the sheet" in capsys.readouterr().err
    assert sheet.read_bytes() == before
    assert main([str(project), "--apply"]) == 0
    keep_made_up(Journal(project / "journal.jsonl"))
    assert main([str(project)]) == 0  # they are in the journal now


def test_images_that_have_changed_come_first_and_are_confirmed(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    journal = Journal(project / "journal.jsonl")
    expected = doubtful_labels(keep_made_up(journal))
    size, labeled = journal.pool.size, journal.pool.labeled_ids
    doubted, sure = int(labeled[expected.rows[-1]]), int(labeled[1])
    unlabeled = int(journal.pool.unlabeled_ids[0])
    journal.record_images(ImageChange(size, 0, changed=[doubted, sure, unlabeled]))
    assert main([str(project), "--count", "3"]) == 0
    count = len(expected.rows) - 1
    assert capsys.readouterr().out.startswith(
        f"2 image(s) have changed since they were labeled, and come first. {count} of 40 labels are "
        "probably wrong; the most doubtful 1 are in the sheet"
    )
    found = rows(project / "review.csv")
    reasons = {int(row["id"]): row["reason"] for row in found}
    first = int(labeled[expected.rows[0]])
    assert reasons == {doubted: "content changed", sure: "content changed", first: "doubtful"}
    assert {int(row["id"]) for row in found if not row["suggested"]} == {sure}
    assert "content changed" in (project / "review.html").read_text(encoding="utf-8")
    row = next(n for n, row in enumerate(found) if int(row["id"]) == sure)
    fill_in(project / "review.csv", {row: found[row]["given"]})
    assert main([str(project)]) == 1
    assert "has 1 class(es) filled in that were not applied" in capsys.readouterr().err
    assert main([str(project), "--apply"]) == 0
    assert "0 label(s) corrected; 1 confirmed." in capsys.readouterr().out
    assert Journal(project / "journal.jsonl").to_review == {doubted}


@pytest.mark.parametrize(
    ("labels", "message"),
    [({0: "zebra"}, "row 2: 'zebra' is no class"), ({1: "11"}, "row 3: '11' is no class")],
)
def test_a_sheet_that_cannot_be_read_changes_nothing(
    project: Path, capsys: pytest.CaptureFixture[str], labels: dict[int, str], message: str
) -> None:
    keep_made_up(Journal(project / "journal.jsonl"))
    main([str(project)])
    fill_in(project / "review.csv", labels)
    before = (project / "journal.jsonl").read_bytes()
    assert main([str(project), "--apply"]) == 1
    assert message in capsys.readouterr().err
    assert (project / "journal.jsonl").read_bytes() == before


def test_what_cannot_be_applied_is_named(
    project: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main([str(project), "--apply", "nowhere.csv"]) == 1
    assert "nowhere.csv cannot be read" in capsys.readouterr().err
    with only_one(project / ".lock"):
        assert main([str(project), "--apply"]) == 1
    assert "is in use by" in capsys.readouterr().err
    run = run_recorded(tmp_path / "run", Budget(20, 5, 20), project=False).journal.path.parent
    assert main([str(run), "--apply"]) == 1
    assert "is no project, and its labels cannot be changed" in capsys.readouterr().err
    assert main([str(run), "--to", str(tmp_path / "run.csv")]) == 0  # it can be looked at
    assert "--apply" not in capsys.readouterr().out


def test_a_run_of_the_library_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(write_trained(tmp_path))]) == 1
    assert "al_lightning.out_of_fold(loop.learner, loop.journal.pool)" in capsys.readouterr().err


@pytest.mark.parametrize("count", ["0", "many"])
def test_a_sheet_has_rows(count: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--count", count])
    assert "must be a whole number >= 1" in capsys.readouterr().err


def test_help_answers_without_what_is_heavy() -> None:
    code = (
        f"import sys; from {main.__module__} import _parser as p; p().format_help(); "
        "sys.exit(bool({'torch', 'hydra', 'rich', 'numpy'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
