"""How long the runs that are left will take."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median_low

from study.part import PlannedRun


@dataclass(frozen=True)
class TimeLeft:
    """An estimate of the time that runs will take.

    Attributes:
        seconds: With all workers at work.
        unknown: Runs that are not part of it, as no run of their part is finished.
    """

    seconds: float
    unknown: int

    def __str__(self) -> str:
        """Return it in words."""
        if not self.unknown:
            return f"{_in_words(self.seconds)} left"
        unknown = f"{self.unknown} runs of parts not yet begun"
        return f"{_in_words(self.seconds)} left, without {unknown}" if self.seconds else unknown


def time_left(
    left: Iterable[PlannedRun], finished: Mapping[PlannedRun, float], jobs: int
) -> TimeLeft:
    """Estimate how long runs will take by the median of those like them.

    Like a run are the runs of its part and strategy; where none is finished, those of its part. Of two
    the shorter counts: the first run of a part may have made what the others find in a cache.

    Args:
        left: The runs that are not finished.
        finished: The seconds of those that are.
        jobs: How many run side by side.
    """
    expected = [_expected(run, finished) for run in left]
    known = [seconds for seconds in expected if seconds is not None]
    return TimeLeft(sum(known) / jobs, len(expected) - len(known))


def _expected(run: PlannedRun, finished: Mapping[PlannedRun, float]) -> float | None:
    of_part = {other: s for other, s in finished.items() if other.part == run.part}
    alike = [seconds for other, seconds in of_part.items() if other.strategy == run.strategy]
    return median_low(alike or of_part.values()) if of_part else None


def _in_words(seconds: float) -> str:
    minutes = round(seconds / 60)
    if minutes >= 60:  # noqa: PLR2004
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes} min" if minutes else f"{seconds:.0f} s"
