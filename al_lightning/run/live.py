"""What a run does at the moment, shown to another thread."""

from collections.abc import Callable
from threading import Lock
from typing import Any


class LiveBoard:
    """Facts on a run that others read while it goes on, such as the server of a page.

    The run publishes facts from its own thread. Whoever watches is called in that thread, and must
    return at once.

    >>> from al_lightning.run.live import LiveBoard
    >>> board = LiveBoard()
    >>> board.publish(phase="fit", round=2)
    >>> board.publish(phase="score")
    >>> board.facts()
    {'phase': 'score', 'round': 2}
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._facts: dict[str, Any] = {}
        self._watchers: list[Callable[[], None]] = []

    def publish(self, **facts: Any) -> None:
        """Replace some of the facts.

        Args:
            facts: Plain values that nobody changes afterwards.
        """
        with self._lock:
            self._facts = {**self._facts, **facts}
            watchers = tuple(self._watchers)
        for watcher in watchers:
            watcher()

    def facts(self) -> dict[str, Any]:
        """Return all facts."""
        return dict(self._facts)

    def watch(self, call: Callable[[], None]) -> None:
        """Call a function after every change."""
        with self._lock:
            self._watchers.append(call)
