"""Where the time goes."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

PHASES = ("fit", "test", "score", "select")


class Stopwatch:
    """Adds up the seconds of the phases of a round.

    Args:
        fit: Seconds that the fit took already, maybe in another process.

    Attributes:
        seconds: By phase; 0.0 for those of ``PHASES`` that did not happen.
    """

    def __init__(self, fit: float = 0.0) -> None:
        self.seconds = dict.fromkeys(PHASES, 0.0)
        self.seconds["fit"] = fit

    @contextmanager
    def time(self, phase: str) -> Iterator[None]:
        """Add the time that the block takes to a phase."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[phase] = self.seconds.get(phase, 0.0) + time.perf_counter() - began

    def add(self, other: "Stopwatch") -> None:
        """Add what another one has measured."""
        for phase, seconds in other.seconds.items():
            self.seconds[phase] = self.seconds.get(phase, 0.0) + seconds
