import sys
from pathlib import Path

import pytest

from al_lightning.data.pixels.remote_file import RemoteFile
from al_lightning.data.table.table_files import locate, missing, repeated
from al_lightning.data.table.table_rows import TableRow
from al_lightning.utils.errors import UsageError

TABLE = Path("photos/labels.csv")


def rows(*files: str) -> list[TableRow]:
    return [TableRow(number, file) for number, file in enumerate(files, start=2)]


def test_relative_names_start_at_the_folder_of_the_table() -> None:
    names = rows("cat/1.png", "/other/1.png", "../1.png", "memory://b/1.png")
    assert locate(TABLE, names) == [
        Path("photos/cat/1.png"),
        Path("/other/1.png"),
        Path("photos/../1.png"),
        RemoteFile("memory://b/1.png"),
    ]
    assert locate(RemoteFile("memory://b/pets/labels.csv"), names) == [
        RemoteFile("memory://b/pets/cat/1.png"),
        Path("/other/1.png"),
        RemoteFile("memory://b/1.png"),
        RemoteFile("memory://b/1.png"),
    ]


def test_protocols_are_checked_once_and_named_with_their_row(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(UsageError, match=r"labels\.csv, row 3: nope://b/1\.png cannot be read"):
        locate(TABLE, rows("1.png", "nope://b/1.png"))
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(UsageError, match=r"row 3: s3://b/1\.png is an address, which needs fsspec"):
        locate(TABLE, rows("1.png", "s3://b/1.png"))


def test_missing_files(tmp_path: Path) -> None:
    (tmp_path / "a.png").touch()
    (tmp_path / "folder").mkdir()
    (tmp_path / "broken.png").symlink_to("nowhere.png")
    names = ("a.png", "b.png", "folder", "broken.png", "a.png/b.png", "a\0.png", "n" * 999)
    here = [tmp_path / name for name in names]
    gone = "there is no such file"
    assert missing([*here, RemoteFile("memory://none.png")]) == {
        1: gone,
        2: "it is a folder",
        3: gone,
        4: gone,
        5: gone,
        6: gone,
    }


def test_files_that_are_named_again(tmp_path: Path) -> None:
    table = [
        TableRow(2, "a.png", "cat"),
        TableRow(3, "b.png", "cat"),
        TableRow(4, "./a.png", "cat"),
        TableRow(5, "c.png"),
        TableRow(6, "b.png", "dog"),
        TableRow(7, "x/../c.png", "owl"),
        TableRow(8, "memory://d.png", "cat", group="1"),
        TableRow(9, "memory://d.png", "cat", group="2"),
        TableRow(10, "e.png", "cat", "train"),
        TableRow(11, str(tmp_path / "e.png"), "cat", "test"),
        TableRow(12, "f.png", "cat"),
    ]
    files = locate(tmp_path / "labels.csv", table)
    assert repeated(table, files) == {
        1: "row 6 has the same file, with the label 'dog' instead of 'cat'",
        2: "row 2 has the same file",
        3: "row 7 has the same file, with the label 'owl' instead of ''",
        4: "row 3 has the same file, with the label 'cat' instead of 'dog'",
        6: "row 9 has the same file, with the group '2' instead of '1'",
        7: "row 8 has the same file, with the group '1' instead of '2'",
        8: "row 11 has the same file, with the split 'test' instead of 'train'",
        9: "row 10 has the same file, with the split 'train' instead of 'test'",
    }
