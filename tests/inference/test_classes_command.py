"""Classes on the command line: added, renamed, merged."""

from pathlib import Path

import pytest

from al_lightning.inference.classes_command import main
from al_lightning.run.journal import Journal
from al_lightning.utils.locks import only_one
from tests.inference.test_labels_command import write_project


def test_classes_change_in_the_journal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_project(tmp_path / "birds")
    arguments = ["--add", "owl", "--rename", "cat=kitten", "--merge", "bird=dog"]
    assert main([str(folder), *arguments]) == 0
    assert capsys.readouterr().out == (
        "new owl; cat -> kitten; bird is now dog. The classes are now kitten, dog, owl; the project's "
        "command trains on them\n"
    )
    journal = Journal(folder / "journal.jsonl")
    assert journal.classes == ("kitten", "dog", "owl")
    assert journal.label_of == {7: 0, 2: 1}
    assert journal.current_round == 1


def test_without_a_change_the_classes_are_listed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_project(tmp_path / "birds")
    before = (folder / "journal.jsonl").read_bytes()
    assert main([str(folder)]) == 0
    assert capsys.readouterr().out == "The classes are cat, dog, bird\n"
    assert (folder / "journal.jsonl").read_bytes() == before


def test_a_class_may_look_like_what_it_was_called(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "birds")
    assert main([str(folder), "--rename", "cat=Cat"]) == 0
    assert main([str(folder), "--rename", "Cat=kitten"]) == 0
    assert main([str(folder), "--add", "CAT"]) == 1  # a sheet may still have it
    assert main([str(folder), "--rename", "kitten=CAT"]) == 0
    assert Journal(folder / "journal.jsonl").classes == ("CAT", "dog", "bird")


def test_classes_in_use_are_listed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_project(tmp_path / "birds")
    with only_one(folder / ".lock"):
        assert main([str(folder)]) == 0
    assert capsys.readouterr().out == "The classes are cat, dog, bird\n"


def test_names_may_have_an_equals_sign(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_project(tmp_path / "birds")
    assert main([str(folder), "--rename", "cat==x"]) == 0
    assert main([str(folder), "--rename", "=x=a=b"]) == 0
    assert main([str(folder), "--add", "a", "c=d"]) == 0
    assert Journal(folder / "journal.jsonl").classes == ("a=b", "dog", "bird", "a", "c=d")
    capsys.readouterr()
    assert main([str(folder), "--rename", "a=b=z"]) == 1
    assert "could be 'a' and 'b=z', or 'a=b' and 'z'" in capsys.readouterr().err
    assert main([str(folder), "--merge", "a=b=c=d"]) == 0
    assert Journal(folder / "journal.jsonl").classes == ("dog", "bird", "a", "c=d")


def test_names_may_be_spelled_otherwise(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "birds")
    assert main([str(folder), "--rename", "Cat=  big   cat "]) == 0
    assert Journal(folder / "journal.jsonl").classes == ("big cat", "dog", "bird")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--add", "cat"], "cannot be changed: 'cat' is the name of two classes"),
        (["--rename", "cta=kitten"], "The classes are cat, dog, bird"),
        (["--rename", "cat"], "'cat' must be two names, such as cat=kitten"),
        (["--rename", "cat="], "must be two names"),
        (["--merge", "cat=cow"], "The classes are cat, dog, bird"),
        (["--merge", "cat=dog", "bird=dog"], "fewer than 2 classes would be left"),
        (["--add", "a\nb\x00"], "cannot be a class"),
        (["--rename", "cat=dog", "dog=cat"], "is or was the name of another class"),
        (["--add", "DOG"], "'DOG' looks like 'dog', which is or was the name of another class"),
        (["--add", "owl", "Owl"], "'owl' looks like 'Owl'"),
        (["--rename", "bird=Cat"], "'Cat' looks like 'cat'"),
        (["--add", "Unclear"], "'Unclear' marks skipped images in sheets"),
        (["--add", "none"], "'none' marks skipped images in sheets"),
    ],
)
def test_impossible_changes_are_named_and_change_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    folder = write_project(tmp_path / "birds")
    for mark in ("unclear", "none"):  # entries of old sheets keep their meaning
        Journal(folder / "journal.jsonl").record_setting("oracle.skip_mark", mark)
    before = (folder / "journal.jsonl").read_bytes()
    assert main([str(folder), *arguments]) == 1
    assert message in capsys.readouterr().err
    assert (folder / "journal.jsonl").read_bytes() == before


def test_only_a_project_that_nobody_uses_is_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = write_project(tmp_path / "run", project=False)
    assert main([str(run), "--add", "owl"]) == 1
    assert "is no project" in capsys.readouterr().err
    assert main([str(tmp_path), "--add", "owl"]) == 1
    assert "is no folder of a run" in capsys.readouterr().err
    folder = write_project(tmp_path / "birds")
    with only_one(folder / ".lock"):
        assert main([str(folder), "--add", "owl"]) == 1
    assert "is in use by" in capsys.readouterr().err
