from pathlib import Path

import pytest

from al_lightning.data.table.table_rows import TableRow, read_rows
from al_lightning.utils.errors import DataError
from tests.data.table.tables import write


def test_rows(tmp_path: Path) -> None:
    path = write(
        tmp_path / "t.csv",
        "label,file,Split,group,other",
        " cat , a.png ,Train,g 1,x",
        "dog,b.png,TEST,,",
        ",c.png,unlabeled,,",
        ",d.png,train,,",
    )
    assert read_rows(path, {}) == [
        TableRow(2, "a.png", "cat", "train", "g 1"),
        TableRow(3, "b.png", "dog", "test"),
        TableRow(4, "c.png", "", "unlabeled"),
        TableRow(5, "d.png", "", "train"),
    ]
    assert [row.is_test for row in read_rows(path, {})] == [False, True, False, False]


def test_files_alone_are_enough(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "file", "a.png", "", "b.png")
    assert read_rows(path, {}) == [TableRow(2, "a.png"), TableRow(4, "b.png")]


def test_a_row_is_named_without_passwords() -> None:
    row = TableRow(7, "https://me:word@host/a\x1b.png?token=abc")
    assert str(row) == "row 7, https://***@host/a\\x1b.png?token=***"


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "{path} has no rows: expected one for each image"),
        (
            ["a.png,cat,", ",dog,", ",,test"],
            "{path}: 2 rows have no file:\n  - row 3\n  - row 4\n"
            "Fill in the column file, or remove them",
        ),
        (
            ["a.png,cat,train", "b.png,cat,tets", "c.png,cat,holdout"],
            "{path}: 2 rows have an unknown split:\n  - row 3, b.png: 'tets'; did you mean test?\n"
            "  - row 4, c.png: 'holdout'\nWrite train, test, unlabeled, or nothing",
        ),
        (
            ["a.png,cat,train", "b.png,cat,Val"],
            "{path}: 1 row has the split val, which cannot be given: validation images are drawn at "
            "random from all images, and their labels count (budget.validation=50):\n"
            "  - row 3, b.png\n"
            "Write test for images that are only tested on, and train or nothing for the others",
        ),
        (
            ["a.png,cat,train", "b.png,,test"],
            "{path}: 1 row has the split test and no label:\n  - row 3, b.png\n"
            "Fill in their labels, or remove their split",
        ),
        (
            ["a.png,cat,unlabeled"],
            "{path}: 1 row has the split unlabeled and a label:\n  - row 2, a.png: 'cat'\n"
            "Remove their split, or their label",
        ),
        (
            [f"{i}.png,cat,x" for i in range(13)],
            "row 11, 9.png: 'x'\n  - and 3 more\nWrite train",
        ),
    ],
)
def test_rows_that_cannot_be_are_named(tmp_path: Path, rows: list[str], said: str) -> None:
    path = write(tmp_path / "t.csv", "file,label,split", *rows)
    with pytest.raises(DataError) as raised:
        read_rows(path, {})
    assert said.replace("{path}", str(path)) in str(raised.value)


def test_a_row_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", "file,label", "a.png,cat", "b,c.png,cat")
    with pytest.raises(
        DataError, match=r"t\.csv cannot be read: row 3: 'cat' is in a column without"
    ):
        read_rows(path, {})
