"""Processes that end when the process that has started them dies."""

import os
import signal
import threading
import time

_POLL = 1.0  # seconds
_watched: set[int] = set()  # parents, by this process


def end_with_parent(parent: int, grace: float = 0.0) -> None:
    """End this process once its parent has died.

    Args:
        parent: The number of the process that has started this one.
        grace: Seconds between SIGTERM, by which a run stops in order, and the end.
    """
    if parent in _watched:
        return
    _watched.add(parent)
    threading.Thread(target=_watch, args=(parent, grace), daemon=True).start()


def _watch(parent: int, grace: float) -> None:
    while os.getppid() == parent:
        time.sleep(_POLL)
    if grace:
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(grace)
    os._exit(1)
