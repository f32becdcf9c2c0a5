"""Calls in threads for tests: their errors arrive, and none is waited for for ever."""

from collections.abc import Callable
from threading import Thread

DEADLINE = 300  # seconds; a busy machine is slow, and what hangs must fail all the same


class Background(Thread):
    """A call in a thread of its own, begun at once.

    Args:
        call: Takes no arguments.
    """

    def __init__(self, call: Callable[[], object]) -> None:
        super().__init__(
            daemon=True
        )  # else a call that hangs would keep the interpreter from ending
        self._call = call
        self._error: BaseException | None = None
        self.start()

    def run(self) -> None:
        try:
            self._call()
        except BaseException as error:
            self._error = error

    def end(self) -> None:
        """Wait for the end of the call, and raise here what it raised there."""
        self.join(DEADLINE)
        if self._error is not None:
            raise self._error
        assert not self.is_alive(), "the call hangs"


def at_once(call: Callable[[], object], times: int) -> None:
    """Make a call in so many threads at once, and wait for all of them."""
    for thread in [Background(call) for _ in range(times)]:
        thread.end()
