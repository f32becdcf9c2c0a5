"""A table that a person fills in, and how it is read."""

import csv
import difflib
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from al_lightning.errors import UsageError

COLUMNS = ("id", "file", "predicted", "confidence", "score", "label")
_SEPARATORS = ",;\t"  # spreadsheets write what their language's decimal comma leaves
_NAMED = 10  # problems in a message


@dataclass(frozen=True)
class Filled:
    """What a sheet says.

    Attributes:
        labels: Class by id, of the rows that have one.
        skipped: Ids of the rows that are marked as impossible to label.
    """

    labels: Mapping[int, int]
    skipped: frozenset[int]


def sheet_text(rows: Sequence[Mapping[str, object]]) -> str:
    """Return an empty sheet as CSV, one row an image; keys are :data:`COLUMNS`."""
    buffer = io.StringIO()
    writer = csv.DictWriter(buffer, COLUMNS, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return buffer.getvalue()


def read_sheet(
    path: Path, files: Mapping[int, str], classes: Sequence[str], skip_mark: str
) -> Filled:
    """Read a sheet that may be filled in, in part or as a whole.

    Columns may stand in any order, and others with a name beside them; rows too, and rows may be
    missing. The separator may be a comma, a semicolon or a tab.

    Args:
        path: The CSV file.
        files: What was asked for: the file of each id, "" where there is none.
        classes: The names that a label may be.
        skip_mark: What stands for an image that cannot be labeled.

    Raises:
        UsageError: If the file cannot be read as such a sheet, an id was not asked for, stands in two
            rows or beside another image's file, or a label is no class; names the rows.
    """
    labels: dict[int, int] = {}
    skipped: set[int] = set()
    seen: dict[int, int] = {}
    problems: list[str] = []
    for number, row in _rows(path):
        try:
            image = _image(row, files, seen)
            seen[image] = number
            label = _label(row)
            if label == skip_mark:
                skipped.add(image)
            elif label:
                labels[image] = _class(label, classes, skip_mark)
        except ValueError as error:
            problems.append(f"  - row {number}: {error}")
    if problems:
        raise _unusable(path, problems)
    return Filled(labels, frozenset(skipped))


def _rows(path: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the rows by their number in the file, where the header is 1; check the header."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise _unusable(path, [f"  - it is not UTF-8 ({error}); save it as CSV UTF-8"]) from error
    first = text.split("\n", 1)[0]
    separator = max(_SEPARATORS, key=first.count)
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=separator, strict=True)
    try:
        header = [name.strip() for name in next(reader, [])]
        if {"id", "label"} - set(header) or len(set(header)) < len(header):
            raise _unusable(
                path, [f"  - row 1: expected the columns {', '.join(COLUMNS)}, not {first[:200]!r}"]
            )
        for cells in reader:
            if any(cell.strip() for cell in cells):
                padded = [*cells, *[""] * (len(header) - len(cells))]
                row = dict(zip(header, padded, strict=False))
                beside = [row.get("", ""), *padded[len(header) :]]
                yield reader.line_num, {**row, "": " ".join(beside)}
    except csv.Error as error:
        raise _unusable(path, [f"  - row {reader.line_num}: {error}"]) from error


def _image(row: Mapping[str, str], files: Mapping[int, str], seen: Mapping[int, int]) -> int:
    """Return which image a row is about."""
    cell = row["id"].strip()
    image = int(cell) if cell.isascii() and cell.isdigit() else None
    if image is None or image not in files:
        raise ValueError(f"id {cell!r} was not asked for")
    if image in seen:
        raise ValueError(f"id {image} stands in row {seen[image]} already")
    if "file" in row and row["file"].strip() != files[image].strip():
        raise ValueError(f"id {image} is {files[image]!r}, not {row['file']!r}: rows were mixed up")
    return image


def _label(row: Mapping[str, str]) -> str:
    """Return what stands in the column of labels; refuse what seems to have slipped out of it."""
    if beside := row[""].strip():
        raise ValueError(f"{beside!r} stands beside the named columns; is it the label?")
    return row["label"].strip()


def _class(label: str, classes: Sequence[str], skip_mark: str) -> int:
    if label in classes:
        return classes.index(label)
    near = difflib.get_close_matches(label, [*classes, skip_mark], 1, cutoff=0.5)
    meant = f"; did you mean {near[0]!r}?" if near else ""
    raise ValueError(f"{label!r} is no class{meant}")


def _unusable(path: Path, problems: list[str]) -> UsageError:
    listed = problems[:_NAMED]
    if len(problems) > _NAMED:
        listed.append(f"  - and {len(problems) - _NAMED} more")
    return UsageError(
        "\n".join([f"{path} cannot be used, and nothing of it was taken:", *listed])
        + "\nMend it and run the same command again. If you delete the file, it is written anew, empty"
    )
