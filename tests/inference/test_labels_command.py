"""Labels on the command line: out, in, and corrected."""

import errno
import os
from pathlib import Path

import pytest
import torch

from al_lightning.inference.labels_command import main
from al_lightning.run.class_change import ClassChange
from al_lightning.run.image_change import ImageChange
from al_lightning.run.journal import Journal
from al_lightning.run.label_rows import label_rows
from al_lightning.utils.locks import only_one
from tests.helpers import round_event, start_event


def write_project(folder: Path, *, project: bool = True) -> Path:
    """Two labels, 7 of class 0 and 2 of class 1, and a finished run; return its folder."""
    journal = Journal(folder / "journal.jsonl")
    kind = {"project": True} if project else {}
    journal.begin({**kind, **start_event(classes=["cat", "dog", "bird"])})
    journal.record_labels(0, torch.tensor([7, 2]), torch.tensor([0, 1]), "initial")
    journal.record_round(round_event(0, 2))
    journal.end("budget")
    return folder


def test_labels_are_corrected_in_the_journal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_project(tmp_path / "birds")
    assert main([str(folder), "--set", "7=bird", "2=dog", "--by", "Ada"]) == 0
    assert capsys.readouterr().out == (
        "1 label(s) corrected; 1 had this class already. The project's command trains on them\n"
    )
    journal = Journal(folder / "journal.jsonl")
    (correction,) = journal.corrections()
    assert {key: correction[key] for key in ("ids", "from", "to", "by")} == {
        "ids": [7],
        "from": [0],
        "to": [2],
        "by": "Ada",
    }
    assert journal.current_round == 1
    assert not journal.finished


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("7", "'7' is no correction: write ID=CLASS, such as 30=cat"),
        ("x=cat", "'x=cat' is no correction"),
        ("7=brid", "'7=brid': 'brid' is no class; did you mean bird?"),
        ("7=zebrafish", "'zebrafish' is no class. The classes are cat, dog, bird"),
        ("3=cat", "Not labeled: ids [3]"),
        ("20=cat", "'20=cat' names no image of this project: ids are 0 to 19"),
        (f"{10**20}=dog", "names no image of this project"),
        (f"{'9' * 5000}=dog", "names no image of this project"),
        ("\u0663=dog", "is no correction"),
    ],
)
def test_impossible_corrections_are_named_and_change_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, message: str
) -> None:
    folder = write_project(tmp_path / "birds")
    before = (folder / "journal.jsonl").read_bytes()
    assert main([str(folder), "--set", text]) == 1
    assert message in capsys.readouterr().err
    assert (folder / "journal.jsonl").read_bytes() == before


@pytest.mark.parametrize("written", ["Krähe", "Kra\u0308he", "KRÄHE", " kraeh ", "Kraeh"])
def test_a_class_may_be_spelled_otherwise_or_have_its_earlier_name(
    tmp_path: Path, written: str
) -> None:
    folder = write_project(tmp_path / "birds")
    journal = Journal(folder / "journal.jsonl")
    journal.record_classes(ClassChange(renamed={"bird": "kraeh"}))
    journal.record_classes(ClassChange(renamed={"kraeh": "Krähe"}))
    assert main([str(folder), "--set", f"007={written}"]) == 0
    assert Journal(folder / "journal.jsonl").label_of[7] == 2


def test_an_image_that_has_changed_is_confirmed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_project(tmp_path / "birds")
    Journal(folder / "journal.jsonl").record_images(ImageChange(20, 0, changed=[7]))
    assert main([str(folder), "--set", "7=cat", "2=dog"]) == 0
    assert capsys.readouterr().out == (
        "0 label(s) corrected; 1 confirmed; 1 had this class already. The project's command trains on "
        "them\n"
    )
    journal = Journal(folder / "journal.jsonl")
    assert not journal.to_review
    assert [row.corrected for row in label_rows(journal)] == [None, None]


def test_what_only_reads_needs_no_lock(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, table = write_project(tmp_path / "birds"), tmp_path / "labels.csv"
    table.write_text("id,label\n7,dog\n")
    with only_one(folder / ".lock"):
        assert main([str(folder), "--from", str(table), "--dry-run"]) == 0
        assert "1 corrected. Nothing was written" in capsys.readouterr().out
        assert main([str(folder), "--from", str(table)]) == 1
        assert "is in use by" in capsys.readouterr().err


def test_a_disk_that_refuses_is_a_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_project(tmp_path / "birds")

    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("al_lightning.utils.append_file.os.fsync", full)
    assert main([str(folder), "--set", "7=dog"]) == 1
    assert capsys.readouterr().err == "Error: [Errno 28] No space left on device\n"


def test_an_image_is_corrected_once(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_project(tmp_path / "birds")
    assert main([str(folder), "--set", "7=dog", "7=bird"]) == 1
    assert "The image 7 is given twice" in capsys.readouterr().err


def test_a_run_and_a_folder_without_a_run_are_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_project(tmp_path / "run", project=False)
    assert main([str(folder), "--set", "7=dog"]) == 1
    assert "is no project" in capsys.readouterr().err
    assert main([str(tmp_path), "--set", "7=dog"]) == 1
    assert "is no folder of a run" in capsys.readouterr().err


def test_a_project_in_use_is_left_alone(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_project(tmp_path / "birds")
    with only_one(folder / ".lock"):
        assert main([str(folder), "--set", "7=dog"]) == 1
    assert "is in use by" in capsys.readouterr().err
    assert Journal(folder / "journal.jsonl").corrections() == []


def test_labels_go_out_and_come_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, table = write_project(tmp_path / "birds"), tmp_path / "labels.csv"
    assert main([str(folder), "--to", str(table)]) == 0
    assert "2 rows written" in capsys.readouterr().out
    table.write_text("id,label\n7,cat\n2,bird\n4,Dog\n")
    before = (folder / "journal.jsonl").read_bytes()
    assert main([str(folder), "--from", str(table), "--dry-run"]) == 0
    assert capsys.readouterr().out == (
        f"{table}: 1 new, 1 corrected, 1 unchanged. Nothing was written\n"
    )
    assert (folder / "journal.jsonl").read_bytes() == before
    assert main([str(folder), "--from", str(table), "--by", "Ada"]) == 0
    assert capsys.readouterr().out == (
        f"{table}: 1 new, 1 corrected, 1 unchanged. The project's command trains on them\n"
    )
    assert Journal(folder / "journal.jsonl").label_of == {7: 0, 2: 2, 4: 1}
    assert main([str(folder), "--from", str(table)]) == 0
    assert capsys.readouterr().out == f"{table}: 3 unchanged. Nothing is left to do\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--to", "out/", "--by", "Ada"], "--by goes with --set or --from"),
        (["--to", "out/", "--dry-run"], "--dry-run goes with --from"),
        (["--from", "labels.csv", "--copy"], "--copy goes with --to"),
        (["--set", "7=cat", "--overwrite"], "--overwrite goes with --to"),
        (["--set", "7=cat", "--to", "out/"], "not allowed with argument"),
        ([], "one of the arguments --to --from --set is required"),
    ],
)
def test_options_that_do_not_go_together(
    capsys: pytest.CaptureFixture[str], options: list[str], message: str
) -> None:
    with pytest.raises(SystemExit):
        main(["run", *options])
    assert message in capsys.readouterr().err
