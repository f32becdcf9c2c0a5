"""The groups of a table: images that are never divided between training and test."""

from collections.abc import Sequence

import torch
from torch import Tensor

from al_lightning.data.pixels.remote_file import ImageFile
from al_lightning.data.table.table_rows import TEST, TableRow, refusal
from al_lightning.utils.names import readable


def number_groups(rows: Sequence[TableRow]) -> Tensor | None:
    """Return the group of each row, (N,) int64, by the order of their names; None without any.

    Rows without a group are groups of their own.
    """
    names = sorted({row.group for row in rows if row.group})
    if not names:
        return None
    numbers = {name: number for number, name in enumerate(names)}
    return torch.tensor([numbers.get(row.group, len(names) + i) for i, row in enumerate(rows)])


def refuse_divided(table: ImageFile, rows: Sequence[TableRow]) -> None:
    """Refuse groups that the splits of the table divide.

    Raises:
        DataError: Names the groups, and a row of each on either side.
    """
    sides: dict[str, dict[bool, TableRow]] = {}
    for row in rows:
        if row.group:
            sides.setdefault(row.group, {}).setdefault(row.is_test, row)
    divided = {group: both for group, both in sides.items() if len(both) > 1}
    if divided:
        raise refusal(
            table,
            f"groups have images of the split {TEST} and others",
            (
                f"'{readable(group)}': {both[True]} ({TEST}), and {both[False]} "
                f"({both[False].split or 'no split'})"
                for group, both in divided.items()
            ),
            "Move each group to one side; images of a group are alike, and testing on some of them "
            "makes the accuracy too high",
        )
