"""The files that a table names: where they are, which are missing, which are named again."""

import errno
import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from al_lightning.data.pixels.remote_file import (
    ImageFile,
    RemoteFile,
    file_at,
    is_address,
    require_protocol,
)
from al_lightning.data.table.table_rows import TableRow
from al_lightning.utils.errors import UsageError
from al_lightning.utils.names import readable

_GONE = (errno.ENOENT, errno.ENOTDIR, errno.ENAMETOOLONG)
_MISSING = "there is no such file"


def locate(table: ImageFile, rows: Sequence[TableRow]) -> list[ImageFile]:
    """Return the file of each row; relative names start at the folder of the table.

    Raises:
        UsageError: If an address cannot be read, since a package is missing; names its row.
    """
    files, protocols = [], set()
    for row in rows:
        file = _file(table, row.file)
        files.append(file)
        if isinstance(file, RemoteFile) and (name := file.url.partition("://")[0]) not in protocols:
            protocols.add(name)
            try:
                require_protocol(file.url)
            except UsageError as error:
                raise UsageError(f"{table}, row {row.number}: {error}") from error
    return files


def _file(table: ImageFile, name: str) -> ImageFile:
    if isinstance(table, RemoteFile):
        elsewhere = is_address(name) or Path(name).is_absolute()
        return file_at(Path(), name) if elsewhere else table.beside(name)
    return file_at(table.parent, name)


def missing(files: Sequence[ImageFile]) -> dict[int, str]:
    """Return why files on this machine cannot be images, by position; none is opened."""
    troubles = ((i, _trouble(file)) for i, file in enumerate(files) if isinstance(file, Path))
    return {i: trouble for i, trouble in troubles if trouble}


def _trouble(file: Path) -> str:
    """Return that there is no such file, or that it is a folder; other troubles show in reading."""
    try:
        return "it is a folder" if stat.S_ISDIR(file.stat().st_mode) else ""
    except ValueError:  # a zero byte in its name
        return _MISSING
    except OSError as error:
        return _MISSING if error.errno in _GONE else ""


def repeated(rows: Sequence[TableRow], files: Sequence[ImageFile]) -> dict[int, str]:
    """Return the rows that name a file of another row, and which row that is, by position.

    Of rows that agree, the first with a label is not among them; of others, all are.
    """
    places: dict[str, list[int]] = {}
    here = Path.cwd()
    for i, file in enumerate(files):
        place = file.url if isinstance(file, RemoteFile) else os.path.normpath(here / file)
        places.setdefault(place, []).append(i)
    troubles: dict[int, str] = {}
    for same in places.values():
        if len(same) > 1:
            troubles |= _troubles({i: rows[i] for i in same})
    return dict(sorted(troubles.items()))


def _troubles(rows: Mapping[int, TableRow]) -> dict[int, str]:
    """Return what is wrong with rows of one file, by position."""
    labels, splits, groups = (
        {getattr(row, part) for row in rows.values()} for part in ("label", "split", "group")
    )
    agree = len(labels - {""}) <= 1 and len(splits) == 1 and len(groups) == 1
    first = next((i for i, row in rows.items() if row.label), next(iter(rows)))
    troubles = {}
    for i, row in rows.items():
        other = rows[first] if i != first else next(r for j, r in rows.items() if j != first)
        if i != first or not agree:
            troubles[i] = f"row {other.number} has the same file{_difference(row, other)}"
    return troubles


def _difference(row: TableRow, other: TableRow) -> str:
    """Return in what a row differs from another one of the same file."""
    for part in ("label", "split", "group"):
        own, others = (readable(getattr(r, part)) for r in (row, other))
        if own != others:
            return f", with the {part} '{others}' instead of '{own}'"
    return ""
