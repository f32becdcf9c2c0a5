"""The rows of a table of images, and the checks that need one row alone."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from al_lightning.data.pixels.remote_file import ImageFile
from al_lightning.data.table.columns import FILE, ROLES, find_columns
from al_lightning.data.table.table_file import open_table
from al_lightning.utils.errors import DataError
from al_lightning.utils.hints import did_you_mean
from al_lightning.utils.listing import shortened
from al_lightning.utils.names import readable
from al_lightning.utils.redaction import redacted

TRAIN, TEST, UNLABELED = SPLITS = ("train", "test", "unlabeled")
_VALIDATION = ("validation", "val", "valid", "dev")
_NAMED = 10  # rows in a message


@dataclass(frozen=True)
class TableRow:
    """A row of a table.

    Attributes:
        number: In the file.
        file: A path or an address, as it is written.
        label: The name of its class; "" if it is not known.
        split: "train", "test", "unlabeled" or "".
        group: "" if the image is its own.
    """

    number: int
    file: str
    label: str = ""
    split: str = ""
    group: str = ""

    @property
    def is_test(self) -> bool:
        """Whether the image is only tested on."""
        return self.split == TEST

    def __str__(self) -> str:
        """Return which row it is, for messages."""
        return self.shown_as(readable(redacted(self.file)))

    def shown_as(self, name: str) -> str:
        """Return which row it is, with a name of its file that can be shown."""
        return f"row {self.number}, {name}"


def read_rows(path: ImageFile, wanted: Mapping[str, str]) -> list[TableRow]:
    """Read a table.

    Args:
        path: The file.
        wanted: Names of columns by what they have, if they are others than usual.

    Raises:
        DataError: If it is no table, has no rows or no column of files, a row has no file, an unknown
            split, or a label that its split cannot have; names the rows.
        UsageError: If a package is missing that it needs, or it cannot be read now.
    """
    table = open_table(path)
    columns = find_columns(path, table.columns, wanted)
    try:
        rows = [_row(n, columns, cells) for n, cells in table.rows([*columns.values()])]
    except ValueError as error:
        raise DataError(f"{path} cannot be read: {error}") from error
    if not rows:
        raise DataError(f"{path} has no rows: expected one for each image")
    if empty := [str(row.number) for row in rows if not row.file]:
        raise refusal(
            path,
            f"{_count(empty)} no file",
            [f"row {number}" for number in empty],
            f"Fill in the column {columns[FILE]}, or remove them",
        )
    _check_splits(path, rows)
    return rows


def refusal(path: ImageFile, what: str, lines: Iterable[str], remedy: str) -> DataError:
    """Return the error that names rows of a table.

    Args:
        path: Of the table.
        what: That is wrong, such as "2 rows have no file".
        lines: Such rows, of which the first are shown.
        remedy: What to do.
    """
    listed = [f"  - {line}" for line in shortened(lines, _NAMED)]
    return DataError("\n".join([f"{path}: {what}:", *listed, remedy]))


def _row(number: int, columns: Mapping[str, str], cells: Sequence[str]) -> TableRow:
    found = dict(zip(columns, cells, strict=True))
    file, label, split, group = (found.get(role, "").strip() for role in ROLES)
    return TableRow(number, file, label, split.casefold(), group)


def _check_splits(path: ImageFile, rows: Sequence[TableRow]) -> None:
    """Refuse splits that do not exist, and labels that do not go with them."""
    if given := [row for row in rows if row.split in _VALIDATION]:
        raise refusal(
            path,
            f"{_count(given)} the split {given[0].split}, which cannot be given: validation images "
            "are drawn at random from all images, and their labels count (budget.validation=50)",
            map(str, given),
            f"Write {TEST} for images that are only tested on, and {TRAIN} or nothing for the others",
        )
    if unknown := [row for row in rows if row.split and row.split not in SPLITS]:
        raise refusal(
            path,
            f"{_count(unknown)} an unknown split",
            (f"{row}: '{readable(row.split)}'{did_you_mean(row.split, SPLITS)}" for row in unknown),
            f"Write {', '.join(SPLITS)}, or nothing",
        )
    if untold := [row for row in rows if row.is_test and not row.label]:
        raise refusal(
            path,
            f"{_count(untold)} the split {TEST} and no label",
            map(str, untold),
            "Fill in their labels, or remove their split",
        )
    if told := [row for row in rows if row.split == UNLABELED and row.label]:
        raise refusal(
            path,
            f"{_count(told)} the split {UNLABELED} and a label",
            (f"{row}: '{readable(row.label)}'" for row in told),
            "Remove their split, or their label",
        )


def _count(rows: Sequence[object]) -> str:
    return "1 row has" if len(rows) == 1 else f"{len(rows)} rows have"
