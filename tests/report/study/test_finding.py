import os
from pathlib import Path

import pytest

from al_lightning.report.study.finding import find_journals
from tests.report.helpers import a_run, write_run


def test_journals_are_found_once_and_in_order(tmp_path: Path) -> None:
    for name in ("b", "a", "a/deeper"):
        write_run(tmp_path, a_run(folder=name))
    (tmp_path / "link").symlink_to(tmp_path / "b")
    folders = [tmp_path / "link", tmp_path, tmp_path / "a", tmp_path / "a" / ".." / "b"]
    found = [path.resolve().relative_to(tmp_path) for path in find_journals(folders)]
    assert sorted(map(str, found)) == [
        "a/deeper/journal.jsonl",
        "a/journal.jsonl",
        "b/journal.jsonl",
    ]


def test_links_to_runs_are_followed(tmp_path: Path) -> None:
    there = write_run(tmp_path / "scratch", a_run(folder="a"))
    here = tmp_path / "here"
    here.mkdir()
    (here / "linked").symlink_to(tmp_path / "scratch")
    (here / "linked" / "round").symlink_to(tmp_path / "scratch")  # without an end
    (found,) = find_journals([here])
    assert found.is_relative_to(here / "linked")
    assert find_journals([tmp_path]) == [there / "journal.jsonl"]  # by the place of its own


def test_a_folder_that_cannot_be_read_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_run(tmp_path, a_run(folder="a"))
    (tmp_path / "closed").mkdir()
    scandir = os.scandir

    def refuse(place: str) -> object:
        if str(place).endswith("closed"):
            raise PermissionError(13, "Permission denied", place)
        return scandir(place)

    monkeypatch.setattr(os, "scandir", refuse)
    with pytest.warns(UserWarning, match="closed cannot be read, and its runs are left out"):
        assert len(find_journals([tmp_path])) == 1
