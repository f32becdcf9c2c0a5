"""A file that only grows: what is appended is on the disk, whole, before it counts."""

import os
from contextlib import suppress
from pathlib import Path

from al_lightning.utils.errors import UsageError
from al_lightning.utils.files import sync_folder


class AppendOnlyFile:
    """Appends to a file, and notices if another process has written to it meanwhile.

    What follows the bytes that count was torn by a crash, and is written over.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from al_lightning.utils.append_file import AppendOnlyFile
    >>> with TemporaryDirectory() as folder:
    ...     file = AppendOnlyFile(Path(folder) / "notes.txt")
    ...     file.append(b"one;")
    ...     file.append(b"two;")
    ...     AppendOnlyFile(file.path).read()
    b'one;two;'

    Args:
        path: The file; it and its folder are made at the first append.
        size: How many of its bytes count.
        error: What is raised if the file has changed.

    Attributes:
        path: The file.
        size: How many of its bytes count; whoever reads the file sets it.
    """

    def __init__(self, path: Path, size: int = 0, error: type[UsageError] = UsageError) -> None:
        self.path = path
        self.size = size
        self._error = error
        self._length = self._length_on_disk()  # as this process has left or found it

    def read(self) -> bytes:
        """Return what is in the file; nothing where there is none."""
        content = self.path.read_bytes() if self.path.exists() else b""
        self._length = len(content)
        return content

    def append(self, content: bytes) -> None:
        """Write some bytes after those that count; then they count, too.

        Raises:
            UsageError: If another process has written to the file, or removed it; names it.
            OSError: If the disk refuses. The bytes do not count, and the next append replaces them.
        """
        if self._length_on_disk() != self._length:
            raise self._error(
                f"{self.path} was changed, probably by another process that runs in the same folder. "
                "Let only one of them run; nothing was written"
            )
        new = not self.path.exists()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self.path.open("xb" if new else "r+b") as file:
                file.truncate(self.size)
                file.seek(self.size)
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        finally:
            self._length = self._length_on_disk()
        if new:
            sync_folder(self.path.parent)
        self.size += len(content)

    def _length_on_disk(self) -> int:
        with suppress(FileNotFoundError, NotADirectoryError):
            return self.path.stat().st_size
        return 0
