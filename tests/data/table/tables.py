"""Tables of images for tests."""

import csv
from pathlib import Path

from tests.data.folders import save

Row = tuple[str, ...]


def write(path: Path, header: str, *rows: str) -> Path:
    """Write a table as it is given."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([header, *rows, ""]), encoding="utf-8")
    return path


def table(folder: Path, header: str, *rows: str, make: bool = True) -> Path:
    """Write ``labels.csv`` and the images that its first column names, each of another shade."""
    path = write(folder / "labels.csv", header, *rows)
    with path.open(newline="", encoding="utf-8") as file:
        names = [cells[0] for cells in list(csv.reader(file))[1:] if cells and cells[0]]
    for shade, name in enumerate(dict.fromkeys(names)) if make else ():
        save(folder / name, shade)
    return path
