"""A table that a person fills in, and how it is read."""

import csv
import io
import sys
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

import torch
from torch import Tensor

from al_lightning.utils.delimited import DelimitedRows, decoded
from al_lightning.utils.errors import UsageError
from al_lightning.utils.listing import shortened
from al_lightning.utils.names import plain
from al_lightning.utils.spelling import read_class, whole_number_in
from al_lightning.utils.spreadsheet import cell

COLUMNS = ("id", "file", "predicted", "confidence", "score", "label")
_NAMED = 10  # problems in a message

Rows = Sequence[tuple[int, Mapping[str, str]]]  #: by their numbers in the file; the header is 1


@dataclass(frozen=True)
class Filled:
    """The labels and skips of a sheet.

    Attributes:
        labels: Class by id, of the rows that have one.
        skipped: Ids of the rows that are marked as impossible to label.
        new_classes: Names that are no classes yet; labels beyond the classes are these.
        empty: Ids of the rows without an entry.
        taken_as: What was meant by each label that is spelled in another way than its class, such as
            ``{"Dog": "dog"}``.
    """

    labels: Mapping[int, int]
    skipped: frozenset[int]
    taken_as: Mapping[str, str] = field(default_factory=dict)
    new_classes: tuple[str, ...] = ()
    empty: frozenset[int] = frozenset()


def sheet_text(rows: Sequence[Mapping[str, object]], columns: Sequence[str] = COLUMNS) -> str:
    """Return an empty sheet as CSV, one row an image; keys are its columns.

    Texts must be :func:`~al_lightning.utils.spreadsheet.cell`s.
    """
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def read_sheet(
    path: Path,
    files: Mapping[int, Collection[str]],
    classes: Sequence[str],
    skip_marks: Collection[str],
    *,
    aliases: Mapping[str, str] = MappingProxyType({}),
    takes_new: bool = False,
    rows: Rows | None = None,
) -> Filled:
    """Read a sheet that may be filled in, in part or as a whole.

    Columns and rows may stand in any order, and be missing; others beside them must have a name, or be
    empty. The separator may be a comma, a semicolon or a tab. Classes may be spelled otherwise where it
    is clear which one is meant, see :func:`~al_lightning.utils.spelling.resolve_name`.

    Args:
        path: The CSV file.
        files: The queried images: the file of each id, with earlier names; "" if there is none.
        classes: The names that a label may be.
        skip_marks: Entries for an image that cannot be labeled.
        aliases: Classes by names that they had before.
        takes_new: Whether another name is a new class.
        rows: Of the file, if they were read before.

    Raises:
        UsageError: If it is no such sheet, or rows are of other images or classes; names them.
    """
    labels, seen, names = dict[int, int](), dict[int, int](), [*classes]  # and the new ones
    skipped, empty, taken_as, problems = set[int](), set[int](), dict[str, str](), list[str]()
    for number, row in sheet_rows(path) if rows is None else rows:
        try:
            seen[image := _image(row, files, seen)] = number
            if not (written := _label(row)).strip():
                empty.add(image)
                continue
            name = _meant(written, names, skip_marks, aliases, takes_new=takes_new)
            if plain(written) not in (plain(name), plain(cell(name))):
                taken_as[written.strip()] = name
            if name in skip_marks:
                skipped.add(image)
            else:
                names += [] if name in names else [name]
                labels[image] = names.index(name)
        except ValueError as error:
            problems.append(f"row {number}: {error}")
    if problems:
        raise _unusable(path, problems)
    return Filled(labels, frozenset(skipped), taken_as, (*names[len(classes) :],), frozenset(empty))


def has_content(path: Path) -> bool:
    """Return whether there is anything in a sheet: a power loss may leave an empty file, or zeros."""
    try:
        return bool(path.read_bytes().strip(b"\0 \r\n"))
    except OSError:  # reading it raises an error with the reason
        return path.exists()


def ids_in(rows: Rows, count: int) -> Tensor:
    """Return the ids below ``count`` that a sheet has, (M,) int64."""
    numbers = [whole_number_in(row["id"]) for _, row in rows]
    return torch.tensor([i for i in numbers if i is not None and i < count], dtype=torch.int64)


def filled_ids(path: Path) -> set[int]:
    """Return the ids of the rows of a sheet that have an entry, whatever it is.

    Raises:
        UsageError: If it is no such sheet.
    """
    filled = [row for row in sheet_rows(path) if row[1]["label"].strip()]
    return {*ids_in(filled, sys.maxsize).tolist()}


def sheet_rows(path: Path) -> Rows:
    """Return the rows of a sheet; check its header.

    Raises:
        UsageError: If it cannot be read, or is no such sheet.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    try:
        rows = DelimitedRows(decoded(content))
        named = rows.named
        if {"id", "label"} - set(named) or len(set(named)) < len(named):
            written = rows.first_line[:200]
            raise ValueError(f"row 1: expected the columns {', '.join(COLUMNS)}, not {written!r}")  # noqa: TRY301
        return list(rows)
    except ValueError as error:
        raise _unusable(path, [str(error)]) from error


def _image(
    row: Mapping[str, str], files: Mapping[int, Collection[str]], seen: Mapping[int, int]
) -> int:
    """Return which image a row is about."""
    image = whole_number_in(row["id"])
    if image is None or image not in files:
        raise ValueError(f"id {row['id'].strip()!r} was not queried")
    if image in seen:
        raise ValueError(f"id {image} is already in row {seen[image]}")
    names = {plain(shown) for file in files[image] for shown in (file, cell(file))}
    if "file" in row and plain(row["file"]) not in names:
        raise ValueError(
            f"id {image} is {next(iter(files[image]))!r}, not {row['file']!r}: rows were mixed up"
        )
    return image


def _label(row: Mapping[str, str]) -> str:
    """Return the cell of the label column; refuse text that slipped into a nameless column."""
    if beside := row[""].strip():
        raise ValueError(f"{beside!r} is in a column without a name; is it the label?")
    return row["label"]


def _meant(
    written: str,
    classes: Sequence[str],
    skip_marks: Collection[str],
    aliases: Mapping[str, str],
    *,
    takes_new: bool,
) -> str:
    """Return the class or the skip mark that an entry means."""
    name = read_class(written, [*classes, *skip_marks, *aliases], takes_new=takes_new)
    name = aliases.get(name, name)
    if name in skip_marks and name in classes:
        raise ValueError(f"{name!r} is a class, and the mark of skipped images: rename the class")
    return name


def _unusable(path: Path, problems: list[str]) -> UsageError:
    listed = [f"  - {problem}" for problem in shortened(problems, _NAMED)]
    return UsageError(
        "\n".join([f"{path} cannot be used, and no label was read:", *listed])
        + "\nCorrect it and run the same command again. A deleted sheet is written again, empty"
    )
