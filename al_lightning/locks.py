"""One process at a time."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


@contextmanager
def exclusive(path: Path, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold a lock while the block runs; wait for it where another process holds it.

    The system takes the lock from a process that dies, however it dies.

    Args:
        path: The lock's file; it and its folder are made.
        on_wait: Called once if it takes waiting, to tell the user.

    Raises:
        OSError: If the file system has no such locks.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    # A soft lock, a mere file, would outlive a killed process.
    lock = FileLock(path, fallback_to_soft=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        on_wait()
        lock.acquire()
    try:
        yield
    finally:
        lock.release()
