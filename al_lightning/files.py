"""Files that are there as a whole, or not at all."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from al_lightning.errors import UsageError


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Let the block write a file, and put it into place at the end of the block.

    Where the block fails, what was there before is left as it was.

    Args:
        path: The file to make or to replace; its folder is made. Of a link, what it leads to.

    Yields:
        The file to write: empty, and in the same folder.

    Raises:
        UsageError: If the file cannot be written, before the block where that can be known.
    """
    path = path.resolve()
    if path.exists() and not path.is_file():
        raise UsageError(f"{path} cannot be written: it is no file")
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        partial.touch()
        try:
            yield partial
            with partial.open("r+b") as file:
                os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error}") from error


def write_whole(path: Path, text: str) -> None:
    """Write a text file, so that a reader, or a crash, never meets a part of it.

    Args:
        path: The file; its folder is made. A file that is there is replaced.
        text: Line ends are written as they are.

    Raises:
        UsageError: If the file cannot be written.
    """
    with replacing(path) as partial:
        partial.write_bytes(text.encode())


def sync_folder(folder: Path) -> None:
    """Force a folder's entries to the disk, so that a new file's name survives a power loss."""
    if os.name == "nt":  # Windows has no such call, and needs none
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
