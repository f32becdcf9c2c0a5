from pathlib import Path

import pytest

from al_lightning.data.table.table_groups import number_groups, refuse_divided
from al_lightning.data.table.table_rows import TableRow
from al_lightning.utils.errors import DataError


def test_groups_are_numbered_and_images_without_one_are_their_own() -> None:
    table = [TableRow(i, f"{i}.png", group=name) for i, name in enumerate(["b", "", "a", "b", ""])]
    numbers = number_groups(table)
    assert numbers is not None
    assert numbers.tolist() == [1, 3, 0, 1, 6]
    assert number_groups([TableRow(0, "0.png")]) is None


def test_groups_that_the_splits_divide_are_named() -> None:
    table = [
        TableRow(2, "2.png", "cat", "test", "Ann"),
        TableRow(3, "3.png", "cat", "train", "Ben"),
        TableRow(4, "4.png", "", "", "Ann"),
        TableRow(5, "5.png", "cat", "train", "Ann"),
        TableRow(6, "6.png", "cat", "test", "Eve"),
        TableRow(7, "7.png", "cat", "test"),
        TableRow(8, "8.png", "cat", "train"),
    ]
    with pytest.raises(DataError) as raised:
        refuse_divided(Path("labels.csv"), table)
    assert str(raised.value) == (
        "labels.csv: groups have images of the split test and others:\n"
        "  - 'Ann': row 2, 2.png (test), and row 4, 4.png (no split)\n"
        "Move each group to one side; images of a group are alike, and testing on some of them makes "
        "the accuracy too high"
    )
    refuse_divided(Path("labels.csv"), table[3:])
