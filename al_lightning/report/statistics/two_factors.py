"""Two factors at two levels each, such as model and strategy: their effects, paired by seed."""

from collections.abc import Mapping
from dataclasses import dataclass

from al_lightning.report.statistics.paired import PairedDifference, paired_difference

#: Scores by the levels of both factors, (0 or 1, 0 or 1), and by seed.
Cells = Mapping[tuple[int, int], Mapping[int, float]]


@dataclass(frozen=True)
class TwoFactors:
    """What two factors bring; level 1 against level 0.

    Attributes:
        first: Effect of the first factor, mean over the levels of the second.
        second: Effect of the second factor, mean over the levels of the first.
        interaction: Effect of the second factor at level 1 of the first, minus that at level 0.
        lead: Effect of the first factor minus that of the second. It is the cell (1, 0) minus the cell
            (0, 1): the one factor changed alone, against the other changed alone.
    """

    first: PairedDifference
    second: PairedDifference
    interaction: PairedDifference
    lead: PairedDifference


def two_factors(cells: Cells, confidence: float = 0.95) -> TwoFactors:
    """Return the effects of two factors, seed by seed.

    >>> cells = {(0, 0): {1: 0.5}, (1, 0): {1: 0.7}, (0, 1): {1: 0.6}, (1, 1): {1: 0.75}}
    >>> found = two_factors(cells)
    >>> [round(each.mean, 3) for each in (found.first, found.second, found.interaction)]
    [0.175, 0.075, -0.05]

    Args:
        cells: All four; the seeds of all are used.
        confidence: Of each interval, in (0, 1).

    Raises:
        ValueError: If no seed is in all cells, if a score is not finite, or on a confidence out of
            range.
    """
    seeds = set.intersection(*(set(values) for values in cells.values()))
    a, b, c, d = ({s: cells[key][s] for s in seeds} for key in ((0, 0), (1, 0), (0, 1), (1, 1)))

    def of(plus: Mapping[int, float], minus: Mapping[int, float]) -> PairedDifference:
        return paired_difference(plus, minus, confidence)

    def mean(one: Mapping[int, float], other: Mapping[int, float]) -> dict[int, float]:
        return {s: (one[s] + other[s]) / 2 for s in seeds}

    return TwoFactors(
        first=of(mean(b, d), mean(a, c)),
        second=of(mean(c, d), mean(a, b)),
        interaction=of({s: d[s] + a[s] for s in seeds}, {s: b[s] + c[s] for s in seeds}),
        lead=of(b, c),
    )
