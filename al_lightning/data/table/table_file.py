"""Files that hold a table: CSV, also with tabs or semicolons, and Parquet."""

import codecs
import errno
import stat
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePath
from typing import Protocol

from al_lightning.data.pixels.remote_file import ImageFile, RemoteFile, require_protocol
from al_lightning.data.table.parquet_table import ParquetTable
from al_lightning.utils.delimited import DelimitedRows, decoded
from al_lightning.utils.errors import DataError
from al_lightning.utils.spreadsheet import text_of

EXPECTED = "expected a CSV, TSV or Parquet file with a row an image and a column file"

_PARQUET, _ARCHIVE = b"PAR1", b"PK\x03\x04"  # how such files begin; a workbook is an archive
_PARQUET_ENDINGS = (".parquet", ".pq")
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_HEAD = 4096  # bytes that show what a file is


class Table(Protocol):
    """A table that was opened: the names of its columns, and its rows.

    Attributes:
        columns: Of those columns that have one, in their order.
    """

    columns: Sequence[str]

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
        """Yield the number of each row, and its cells in some columns, "" for empty ones.

        Raises:
            ValueError: If a row cannot be read; names it.
        """


class TextTable:
    """A table of text; row 1 is its header.

    Args:
        content: Of the file.

    Raises:
        ValueError: If it is no such text.
    """

    def __init__(self, content: bytes) -> None:
        if b"\0" in content and not content.startswith(_UTF16):
            raise ValueError("it has bytes that are no text")
        self._rows = DelimitedRows(decoded(content))
        self.columns: Sequence[str] = self._rows.named

    def rows(self, columns: Sequence[str]) -> Iterator[tuple[int, list[str]]]:
        """Yield the rows; see :class:`Table`."""
        for number, row in self._rows:
            if beside := row[""].strip():
                raise ValueError(
                    f"row {number}: {beside!r} is in a column without a name: name it, or put names "
                    "with a comma into quotes"
                )
            yield number, [text_of(row[name]) for name in columns]


def open_table(path: ImageFile) -> Table:
    """Open a table, of a kind that is known by its content.

    Args:
        path: The file.

    Raises:
        DataError: If there is no such file, or it is no table; names it.
        UsageError: If a package is missing that it needs, or it cannot be read now.
    """
    try:
        head, content = _remote(path) if isinstance(path, RemoteFile) else _local(path)
        if head.startswith(_PARQUET):
            return ParquetTable(content)
        if head.startswith(_ARCHIVE):
            raise ValueError("it is a workbook or an archive; save the sheet as CSV UTF-8")  # noqa: TRY301
        if PurePath(path.name).suffix.lower() in _PARQUET_ENDINGS:
            raise ValueError("it is no Parquet file, whatever its name")  # noqa: TRY301
        return TextTable(content if isinstance(content, bytes) else content.read_bytes())
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error.strerror}. Check permissions") from error
    except ValueError as error:
        raise DataError(f"{path} is no table: {error}; {EXPECTED}") from error


def _remote(path: RemoteFile) -> tuple[bytes, bytes]:
    require_protocol(path.url)
    try:
        content = path.read()
    except DataError as error:
        raise DataError(f"dataset.path={path}: {error}; {EXPECTED}") from error
    return content[:_HEAD], content


def _local(path: Path) -> tuple[bytes, Path]:
    """Return the first bytes of a file; a pipe would keep us waiting, a disk would fill the memory."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        if error.errno not in (errno.ENOENT, errno.ENOTDIR):
            raise
        raise DataError(f"dataset.path={path} does not exist: {EXPECTED}") from error
    if stat.S_ISDIR(mode):
        raise DataError(
            f"dataset.path={path} is a folder: {EXPECTED}. dataset=image_folder reads folders"
        )
    if not stat.S_ISREG(mode):
        raise DataError(f"dataset.path={path} is no file, but a device or a pipe: {EXPECTED}")
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if b"\0" in head and not head.startswith((*_UTF16, _PARQUET, _ARCHIVE)):
        raise ValueError("it has bytes that are no text")
    return head, path
