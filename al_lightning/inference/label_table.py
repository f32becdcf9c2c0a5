"""The labels of a run as a table that dataset=table reads: CSV or Parquet."""

import csv
import io
import os
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

from al_lightning.data.source import ImageData, Images
from al_lightning.inference.source_files import SourceFiles
from al_lightning.run.label_rows import LabelRow
from al_lightning.utils.errors import UsageError
from al_lightning.utils.files import replacing, write_whole
from al_lightning.utils.spreadsheet import cell

#: The columns, and what they hold; the first four are those of dataset=table.
COLUMNS: dict[str, type] = {
    **dict.fromkeys(("file", "label", "split", "group"), str),
    "id": int,
    **dict.fromkeys(("origin", "who", "when"), str),
    "round": int,
    "corrected": str,
    "skipped": bool,
}
SUFFIXES = (".csv", ".parquet")
_FORMULA = ("=", "+", "-", "@")

TableRow = dict[str, Any]  #: a value by column; None where there is none


def table_rows(
    rows: Sequence[LabelRow],
    classes: Sequence[str],
    data: ImageData | None,
    folder: Path,
    *,
    everything: bool = False,
    gone: Collection[int] = (),
) -> list[TableRow]:
    """Return a row for each image.

    Args:
        rows: What became of the images of a run.
        classes: The names of the classes, by label.
        data: The images; None leaves their files empty.
        folder: Of the table. Files below it are named relative to it, others by their whole path.
        everything: Whether the other images get a row as well: those without a label, and test images.
        gone: Images whose files have gone; they get no row.
    """
    found = [_row(row, classes) for row in rows if row.id not in gone]
    if data is None:
        return found
    tested: list[TableRow] = []
    if everything:
        known = {*gone, *(row.id for row in rows)}
        left = (i for i in range(len(data.train)) if i not in known)
        found += [{"split": "unlabeled", "id": i} for i in left]
        names = [data.classes[label] for label in data.test.labels.tolist()]
        tested = [{"label": name, "split": "test"} for name in names if data.test.files]
    files = _Names(data, folder)
    train = (files.facts(data.train, row["id"]) for row in found)
    test = (files.facts(data.test, i) for i in range(len(tested)))
    facts = (*train, *test)
    return [{**row, **more} for row, more in zip([*found, *tested], facts, strict=True)]


def write_table(rows: Sequence[TableRow], path: Path) -> None:
    """Write rows as CSV or Parquet, by the ending of the path; the file is there as a whole or not.

    Raises:
        UsageError: If it cannot be written, or pyarrow is missing.
    """
    if path.suffix == ".csv":
        write_whole(path, _csv(rows))
        return
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError as error:
        raise UsageError(
            'A table in Parquet needs pyarrow: pip install "al-lightning[table]", or write a .csv'
        ) from error
    types = {str: pa.string(), int: pa.int64(), bool: pa.bool_()}
    columns = {
        name: pa.array([row.get(name) for row in rows], types[kind])
        for name, kind in COLUMNS.items()
    }
    with replacing(path) as partial:
        parquet.write_table(pa.table(columns), partial)


class _Names:
    """The names of the files of a data set in a table, and their groups."""

    def __init__(self, data: ImageData, folder: Path) -> None:
        self._files = SourceFiles(data)
        self._folder = Path(os.path.normpath(Path.cwd() / folder))

    def facts(self, images: Images, row: int) -> TableRow:
        return {
            "file": "" if images.files is None else self._named(images.files[row]),
            "group": None if images.groups is None else str(int(images.groups[row])),
        }

    def _named(self, file: str) -> str:
        place = self._files.place(file)
        if not isinstance(place, Path):
            return file
        if not place.is_relative_to(self._folder):
            return place.as_posix()
        below = place.relative_to(self._folder).as_posix()
        return f"./{below}" if below.startswith(_FORMULA) else below


def _row(row: LabelRow, classes: Sequence[str]) -> TableRow:
    return {
        "label": None if row.label is None else classes[row.label],
        "split": "unlabeled" if row.is_skipped else "train",
        "id": row.id,
        "origin": row.origin,
        "who": row.by,
        "when": row.at,
        "round": row.round,
        "corrected": None if row.corrected is None else classes[row.corrected],
        "skipped": row.is_skipped,
    }


def _csv(rows: Sequence[TableRow]) -> str:
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows([*_cells(row)] for row in rows)
    return text.getvalue()


def _cells(row: TableRow) -> Iterator[str]:
    for name in COLUMNS:
        value = row.get(name)
        if isinstance(value, bool):
            yield "yes" if value else ""
        else:
            yield "" if value is None else cell(str(value))
