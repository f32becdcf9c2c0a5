from pathlib import Path

import pytest

from al_lightning.oracles.page.review import reviewed, sure, suspects
from al_lightning.utils.errors import DataError


def test_labels_that_contradict_a_sure_guess_come_first() -> None:
    labels = {1: 0, 2: 1, 3: 1, 4: 0, 5: 2}
    guesses = {1: (1, 0.6), 2: (1, 0.8), 3: (1, 0.9), 4: (0, 0.7), 5: (1, 0.95), 9: (0, 0.99)}
    first, second = suspects(labels, guesses)
    assert (first.id, first.guess, first.neighbours) == (5, 1, {2: [], 1: [3, 2]})
    assert (second.id, second.neighbours) == (1, {0: [4], 1: [3, 2]})
    assert suspects(labels, guesses, most=1) == [first]


def test_a_label_that_a_person_has_found_right_is_no_suspect() -> None:
    guesses = {1: (1, 0.9), 2: (1, 0.8)}
    assert [found.id for found in suspects({1: 0, 2: 0}, guesses, confirmed=[1])] == [2]


def test_a_guess_of_less_than_half_is_not_sure() -> None:
    assert sure({1: (1, 0.11), 2: (1, 0.5), 3: (0, 0.51)}) == {3: (0, 0.51)}


def test_without_a_contradiction_there_is_none() -> None:
    assert suspects({1: 0}, {1: (0, 0.5)}) == []
    assert suspects({}, {}) == []


def test_a_sheet_of_the_review_is_read_as_far_as_it_can_be(tmp_path: Path) -> None:
    sheet = tmp_path / "review.csv"
    assert reviewed(sheet, ["cat"]) == {}
    sheet.write_text(
        "id,file,given,suggested,confidence,margin,label\n"
        "4,a.png,dog,cat,0.9100,0.5,\n5,b.png,dog,'=owl,0.8,0.5,\n6,c.png,dog,cow,0.8,0.5,\n7,d\n"
    )
    assert reviewed(sheet, ["cat", "dog", "=owl"]) == {4: (0, 0.91), 5: (2, 0.8)}


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_a_sheet_that_a_spreadsheet_has_saved_is_read(
    tmp_path: Path, separator: str, encoding: str
) -> None:
    rows = [["id", "suggested", "confidence"], ["4", "K\u00e4fer", "0.75"]]
    text = "".join(f"{separator.join(row)}\n" for row in rows)
    (tmp_path / "review.csv").write_text(text, encoding=encoding)
    assert reviewed(tmp_path / "review.csv", ["cat", "K\u00e4fer"]) == {4: (1, 0.75)}


def test_a_sheet_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    (tmp_path / "review.csv").write_bytes("id,suggested\n4,K\u00e4fer\n".encode("cp1252"))
    with pytest.raises(DataError, match=r"review\.csv cannot be read: it is not UTF-8 in row 2"):
        reviewed(tmp_path / "review.csv", ["cat"])
