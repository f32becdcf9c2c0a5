"""Files that are there as a whole, or not at all."""

import errno
import os
import re
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from al_lightning.utils.errors import UsageError

try:
    import fcntl
except ImportError:  # Windows, where a file that is open cannot be removed anyway
    fcntl = None  # type: ignore[assignment]

_PARTIAL = re.compile(r"\..+\.\d+\.partial")
_NO_RESERVING = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)
_BLOCK = 512  # bytes that st_blocks counts


@contextmanager
def replacing(path: Path, *, follow_links: bool = True) -> Iterator[Path]:
    """Let the block write a file, and put it into place at the end of the block.

    Where the block fails, what was there before is left as it was. What killed processes have left of
    such files in the same folder is removed.

    Args:
        path: The file to make or to replace; its folder is made.
        follow_links: Whether the file that a link leads to is replaced, and nothing that is no file;
            otherwise the link itself, or whatever else bears the name, is replaced by a file.

    Yields:
        The file to write: empty, and in the same folder.

    Raises:
        UsageError: If the file cannot be written, before the block where that can be known.
    """
    if follow_links:
        path = path.resolve()
        if path.exists() and not path.is_file():
            raise UsageError(f"{path} cannot be written: it is no file")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        remove_leftovers(path.parent)
        try:
            with partial.open("xb") as held:
                with suppress(OSError):  # some network file systems have no locks
                    _hold(held.fileno())
                yield partial
                with partial.open("r+b") as file:
                    os.fsync(file.fileno())
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise UsageError(f"{path} cannot be written: {error}") from error


def remove_leftovers(folder: Path) -> None:
    """Remove the partial files of :func:`replacing` that killed processes have left.

    The system says whether the process lives: it holds a lock on the file, on whatever machine it is.
    """
    with suppress(OSError):
        for path in list(folder.iterdir()):
            if _PARTIAL.fullmatch(path.name):
                with suppress(OSError), path.open("r+b") as file:
                    _hold(file.fileno())
                    path.unlink()


def _hold(descriptor: int) -> None:
    """Take the lock of an open file; the system gives it back when the process ends.

    Raises:
        OSError: If another process has it.
    """
    if fcntl is not None:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


def write_whole(path: Path, content: str | bytes, *, follow_links: bool = True) -> None:
    """Write a file, so that it is there as a whole, or as it was, after a crash too.

    Args:
        path: The file; its folder is made. A file that is there is replaced.
        content: Line ends of a text are written as they are.
        follow_links: Whether the file that a link leads to is replaced, or the link itself.

    Raises:
        UsageError: If the file cannot be written.
    """
    with replacing(path, follow_links=follow_links) as partial:
        partial.write_bytes(content.encode() if isinstance(content, str) else content)


def require_file(path: Path, most: int | None = None) -> None:
    """Check that a path is a file before it is read: a pipe never ends, a device fills the memory.

    Args:
        path: It exists.
        most: The size that is read at most, in bytes.

    Raises:
        OSError: If it is something else, or larger; says what, and leaves the name to the caller.
    """
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise OSError("it is a folder")
    if not stat.S_ISREG(status.st_mode):
        raise OSError("it is no file, but a device or a pipe")
    if most is not None and status.st_size > most:
        raise OSError(f"it has {status.st_size:,} bytes, and at most {most:,} are read")


def sync_folder(folder: Path) -> None:
    """Force a folder's entries to the disk, so that a new file's name survives a power loss."""
    if os.name == "nt":  # Windows has no such call, and needs none
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def reserve(path: Path, size: int, left_free: int = 0) -> None:
    """Give a file its size, and take the room on the disk now instead of running out of it later.

    Args:
        path: The file; what is in it stays.
        size: In bytes.
        left_free: Bytes of the disk that are to stay free.

    Raises:
        OSError: If there is too little room.
    """
    path.touch()
    taken = getattr(path.stat(), "st_blocks", 0) * _BLOCK
    if (free := shutil.disk_usage(path.parent).free + taken) < size + left_free:
        raise OSError(
            errno.ENOSPC,
            f"{size / 2**20:,.0f} MiB are needed, {free / 2**20:,.0f} MiB are free, and "
            f"{left_free / 2**20:,.0f} MiB are left to others",
        )
    with path.open("r+b") as file:
        if size and hasattr(os, "posix_fallocate"):
            try:
                os.posix_fallocate(file.fileno(), 0, size)
            except OSError as error:
                if error.errno not in _NO_RESERVING:
                    raise
        file.truncate(size)
