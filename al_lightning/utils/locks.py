"""One process at a time."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout


@contextmanager
def only_one(path: Path, on_wait: Callable[[str], None] | None = None) -> Iterator[None]:
    """Hold a lock while the block runs, and write the holder into it.

    The system takes the lock from a process that dies, however it dies: a stale one is taken over.

    Args:
        path: The lock's file; it and its folder are made. The name of its holder is beside it.
        on_wait: Called with the holder if another process holds the lock, which is then waited for;
            None refuses to wait.

    Raises:
        BlockingIOError: If another process holds the lock, and is not waited for; says which.
        OSError: If the file system has no such locks.
    """
    owner = path.with_name(f"{path.name}.owner")

    def waits() -> None:
        try:
            holder = owner.read_text(encoding="utf-8")
        except FileNotFoundError:  # it holds the lock, and has not written its name yet
            holder = "another process"
        if on_wait is None:
            raise BlockingIOError(holder)
        on_wait(holder)

    with exclusive(path, waits):
        owner.write_text(f"process {os.getpid()} on {socket.gethostname()}", encoding="utf-8")
        try:
            yield
        finally:
            owner.unlink(missing_ok=True)


@contextmanager
def exclusive(path: Path, on_wait: Callable[[], None] = lambda: None) -> Iterator[None]:
    """Hold a lock while the block runs; wait for it where another process holds it.

    The system takes the lock from a process that dies, however it dies.

    Args:
        path: The lock's file; it and its folder are made.
        on_wait: Called once where it has to wait, for a message to the user.

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
