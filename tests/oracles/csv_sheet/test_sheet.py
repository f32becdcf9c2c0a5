import csv
import unicodedata
from pathlib import Path

import pytest

from al_lightning.oracles.csv_sheet.sheet import (
    Filled,
    filled_ids,
    ids_in,
    read_sheet,
    sheet_rows,
    sheet_text,
)
from al_lightning.utils.errors import UsageError
from al_lightning.utils.spreadsheet import cell

CLASSES = ("cat", "dog", "Brown, bear")
FILES = {
    7: ["unlabeled/a.png", "unlabeled/before.png"],
    12: ["unlabeled/b,c.png"],
    3: ['unlabeled/"q".png'],
}


def empty() -> str:
    return sheet_text([{"id": i, "file": file[0], "predicted": "cat"} for i, file in FILES.items()])


def filled(**labels: str) -> str:
    """The empty sheet with a label at the end of each row, by "id_<id>"."""
    header, *rows = empty().splitlines()
    done = [row + labels.get(f"id_{row.split(',')[0]}", "") for row in rows]
    return "\n".join([header, *done]) + "\n"


def read(folder: Path, text: str | bytes) -> Filled:
    path = folder / "round_01.csv"
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return read_sheet(path, FILES, CLASSES, ["skip"])


def refused(folder: Path, text: str | bytes) -> str:
    with pytest.raises(UsageError) as caught:
        read(folder, text)
    assert str(folder / "round_01.csv") in str(caught.value)
    assert "no label was read" in str(caught.value)
    return str(caught.value)


def test_an_empty_sheet_says_nothing(tmp_path: Path) -> None:
    assert empty().splitlines()[:2] == [
        "id,file,predicted,confidence,score,label",
        "7,unlabeled/a.png,cat,,,",
    ]
    assert read(tmp_path, empty()) == Filled({}, frozenset(), empty=frozenset(FILES))


def test_labels_and_skips_are_read_as_they_were_written(tmp_path: Path) -> None:
    text = filled(id_7="dog", id_12='"Brown, bear"', id_3=" skip ")
    assert read(tmp_path, text) == Filled({7: 1, 12: 2}, frozenset({3}))


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_what_spreadsheets_make_of_it_is_read(
    tmp_path: Path, separator: str, line_end: str, mark: str
) -> None:
    rows = [["label", "note", "id"], ["dog", "blurred", "12"], ["", "", ""], ["cat", "", "7"]]
    text = mark + line_end.join(separator.join(row) for row in rows)
    assert read(tmp_path, text) == Filled({12: 1, 7: 0}, frozenset())


@pytest.mark.parametrize("empty_columns", [1, 2, 5])
def test_empty_columns_without_a_name_are_nothing(tmp_path: Path, empty_columns: int) -> None:
    rows = ["id,label", "7,cat", "12,"]
    text = "\r\n".join(row + "," * empty_columns for row in rows)
    assert read(tmp_path, text).labels == {7: 0}
    before = "\n".join("," * empty_columns + row for row in rows)
    assert read(tmp_path, before).labels == {7: 0}


def test_what_is_clear_is_taken_and_told(tmp_path: Path) -> None:
    text = "id,label\n7,DOG\n12,brown,  BEAR\n3,Skip\n".replace("brown,  BEAR", '"brown,  BEAR"')
    assert read(tmp_path, text) == Filled(
        {7: 1, 12: 2},
        frozenset({3}),
        {"DOG": "dog", "brown,  BEAR": "Brown, bear", "Skip": "skip"},
    )
    assert not read(tmp_path, 'id,label\n12,"Brown,   bear "\n').taken_as  # blanks are nothing


def test_names_of_files_come_back_whatever_a_spreadsheet_does(tmp_path: Path) -> None:
    files = {
        1: "=cmd|' /C calc'!A0.png",
        2: "two\rlines.png",
        3: "cafe\u0301.png",
        4: "a  b .png",
        5: "\x1b[2J.png",
    }
    path = tmp_path / "sheet.csv"
    path.write_text(sheet_text([{"id": i, "file": cell(name)} for i, name in files.items()]))
    rows = list(csv.DictReader(path.open(newline="")))
    assert [row["file"] for row in rows] == [
        *("'=cmd|' /C calc'!A0.png", "two\\rlines.png", files[3], files[4], "\\x1b[2J.png"),
    ]
    assert read_sheet(path, {i: [name] for i, name in files.items()}, CLASSES, ["skip"]) == Filled(
        {}, frozenset(), empty=frozenset(files)
    )
    composed = unicodedata.normalize("NFC", path.read_text()).replace("a  b ", "a b ")
    path.write_text(composed)
    assert read_sheet(path, {i: [name] for i, name in files.items()}, CLASSES, ["skip"]) == Filled(
        {}, frozenset(), empty=frozenset(files)
    )


def test_rows_that_were_cut_short_are_empty(tmp_path: Path) -> None:
    assert read(tmp_path, "id,label\n7\n12,cat\n").labels == {12: 0}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("id,label\n7,cow\n", "row 2: 'cow' is no class"),
        ("id,label\n7,dgo\n", "row 2: 'dgo' is no class; did you mean dog"),
        ("id,label\n7,Cats\n", "row 2: 'Cats' is no class; did you mean cat"),
        ("id,label\n7,1\n", "row 2: '1' is no class"),
        ("id,label\n8,cat\n", "row 2: id '8' was not queried"),
        ("id,label\n7.5,cat\n", "row 2: id '7.5' was not queried"),
        ("id,label\n3.000,cat\n", "row 2: id '3.000' was not queried"),
        ("id,label\n-7,cat\n", "row 2: id '-7' was not queried"),
        ("id,label\n,cat\n", "row 2: id '' was not queried"),
        ("id,label\n\u0667,cat\n", "was not queried"),
        ("id,label\n7,cat\n12,\n7,cat\n", "row 4: id 7 is already in row 2"),
        (
            "id,file,label\n7,unlabeled/z.png,cat\n",
            "id 7 is 'unlabeled/a.png', not 'unlabeled/z.png'",
        ),
        ("id,label\n7,,cat\n", "row 2: 'cat' is in a column without a name"),
        ("id,label,\n7,,cat\n", "row 2: 'cat' is in a column without a name"),
        ("id,label,,\n7,,,cat\n", "row 2: 'cat' is in a column without a name"),
        ("id,class\n7,cat\n", "row 1: expected the columns"),
        ("id,label,label\n7,cat,dog\n", "row 1: expected the columns"),
        ("", "row 1: expected the columns"),
        ('id,label\n7,"cat\n', "row 2"),
        ("id,label\n7,\x00\n", "row 2"),
        ("id,label\n7,café\n".encode("latin-1"), "not UTF-8"),
    ],
)
def test_a_sheet_that_cannot_be_is_refused_by_row(
    tmp_path: Path, text: str | bytes, problem: str
) -> None:
    assert problem in refused(tmp_path, text)


def test_all_problems_are_named_up_to_ten(tmp_path: Path) -> None:
    rows = "".join(f"{i},cow\n" for i in range(100, 115))
    message = refused(tmp_path, "id,label\n7,cat\n" + rows)
    assert message.count("row ") == 10
    assert "and 5 more" in message


def test_a_sheet_may_be_older_than_the_name_of_a_file(tmp_path: Path) -> None:
    text = filled(id_7="cat").replace("unlabeled/a.png", "unlabeled/before.png")
    assert read(tmp_path, text).labels == {7: 0}
    assert "rows were mixed up" in refused(tmp_path, text.replace("before", "other"))


def test_classes_by_names_that_they_had_before(tmp_path: Path) -> None:
    path = tmp_path / "round_01.csv"
    path.write_text(filled(id_7="kitten", id_3="dog"))
    found = read_sheet(path, FILES, CLASSES, ["skip"], aliases={"kitten": "cat"})
    taken_as = {"kitten": "cat"}
    assert found == Filled({7: 0, 3: 1}, frozenset(), taken_as, empty=frozenset({12}))


def test_new_names_are_new_classes_where_that_is_wanted(tmp_path: Path) -> None:
    path = tmp_path / "round_01.csv"
    path.write_text(filled(id_7="owl", id_12="Owl", id_3="dog"))
    found = read_sheet(path, FILES, CLASSES, ["skip"], takes_new=True)
    assert found.new_classes == ("owl",)
    assert found.labels == {7: 3, 12: 3, 3: 1}
    with pytest.raises(UsageError, match="owl"):
        read_sheet(path, FILES, CLASSES, ["skip"])


def test_a_near_miss_of_a_class_is_no_new_class(tmp_path: Path) -> None:
    path = tmp_path / "round_01.csv"
    path.write_text(filled(id_7="DOG", id_12="skip"))
    found = read_sheet(path, FILES, CLASSES, ["skip"], takes_new=True)
    taken_as = {"DOG": "dog"}
    assert found == Filled({7: 1}, frozenset({12}), taken_as, empty=frozenset({3}))


def test_ids_may_be_written_as_programs_write_a_column_with_gaps(tmp_path: Path) -> None:
    text = "id,label\n7.0,cat\n012,\n"
    assert read(tmp_path, text) == Filled({7: 0}, frozenset(), empty=frozenset({12}))
    path = tmp_path / "round_01.csv"
    assert filled_ids(path) == {7}
    assert ids_in(sheet_rows(path), 10).tolist() == [7]
    assert "id 7 is already in row 2" in refused(tmp_path, "id,label\n7,cat\n7.0,dog\n")


def test_a_mark_that_has_become_a_class_is_not_guessed(tmp_path: Path) -> None:
    path = tmp_path / "round_01.csv"
    path.write_text(filled(id_7="skip", id_3="none"))
    found = read_sheet(path, FILES, CLASSES, ["none", "skip"])
    assert (dict(found.labels), set(found.skipped)) == ({}, {7, 3})
    with pytest.raises(UsageError, match="row 2: 'skip' is a class, and the mark of skipped"):
        read_sheet(path, FILES, (*CLASSES, "skip"), ["none", "skip"])
