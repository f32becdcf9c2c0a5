"""CSV sheets that programs fill in as people would."""

import csv
from collections.abc import Iterator
from pathlib import Path

Row = dict[str, str]


def read_rows(path: Path) -> list[Row]:
    """Return the rows of a table."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write_rows(path: Path, rows: list[Row]) -> None:
    """Write rows as a table."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def open_sheets(folder: Path) -> Iterator[tuple[Path, list[Row]]]:
    """Yield the query sheets below a folder that have no label yet, oldest first, with their rows."""
    for path in sorted(folder.glob("**/queries/round_*.csv")):
        rows = read_rows(path)
        if rows and not any(row.get("label", "none asked for") for row in rows):
            yield path, rows
