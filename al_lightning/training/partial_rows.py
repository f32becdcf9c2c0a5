"""Rows of numbers that a long computation appends, so that it goes on after a kill."""

import struct
import zlib
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

_FLOAT32 = np.dtype("<f4")
_BLOCK = struct.Struct("<QL")  # rows of a block, and a checksum of its bytes


class PartialRows:
    """A file of float32 rows that grows block by block, and one of the checksums of its blocks.

    A block counts once both are written; what a kill has left of one is dropped at the next start.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     rows = PartialRows(Path(folder) / "rows", columns=2)
    ...     rows.append(torch.ones(3, 2))
    ...     PartialRows(Path(folder) / "rows", columns=2).count  # of another process
    3

    Args:
        path: The file; its checksums are beside it, with the ending ``.sums``.
        columns: D.

    Attributes:
        count: The number of rows in whole blocks.
    """

    def __init__(self, path: Path, columns: int) -> None:
        self._path = path
        self._sums = path.with_suffix(".sums")
        self._columns = columns
        self.count = self._recover()

    def append(self, rows: Tensor) -> None:
        """Append a block of rows, (B, D) float32."""
        content = rows.numpy().astype(_FLOAT32).tobytes()
        for path, block in (
            (self._path, content),
            (self._sums, _BLOCK.pack(len(rows), zlib.crc32(content))),
        ):
            with path.open("ab") as file:
                file.write(block)
        self.count += len(rows)

    def read(self) -> Tensor:
        """Return all rows, (count, D) float32, mapped into memory."""
        if self.count == 0:
            return torch.empty(0, self._columns)
        shape = (self.count, self._columns)
        return torch.from_numpy(np.memmap(self._path, _FLOAT32, "c", shape=shape))

    def remove(self) -> None:
        """Remove both files."""
        for path in (self._path, self._sums):
            path.unlink(missing_ok=True)

    def _recover(self) -> int:
        """Drop what is no whole block; return the number of rows that are left."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        for path in (self._path, self._sums):
            path.touch()
        blocks, rows, size, length = 0, 0, 0, self._path.stat().st_size
        with self._path.open("rb") as file, self._sums.open("rb") as sums:
            while len(entry := sums.read(_BLOCK.size)) == _BLOCK.size:
                count, checksum = _BLOCK.unpack(entry)
                wanted = count * self._columns * _FLOAT32.itemsize
                if size + wanted > length or zlib.crc32(content := file.read(wanted)) != checksum:
                    break
                blocks, rows, size = blocks + 1, rows + count, size + len(content)
        for path, kept in ((self._path, size), (self._sums, blocks * _BLOCK.size)):
            with path.open("r+b") as file:
                file.truncate(kept)
        return rows
