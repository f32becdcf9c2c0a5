"""The number of seeds that it takes to find a difference."""

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import chdtri, ncfdtr

from al_lightning.report.rules import LEAST_SEEDS, Rules
from al_lightning.report.statistics.comparison import Comparison
from al_lightning.report.statistics.looks import look_level
from al_lightning.report.statistics.many import dunnett
from al_lightning.report.statistics.moderation import NOMINAL, around_one, moderate

#: The chance to find the difference.
POWER = 0.8
#: Of required seeds; beyond, the number says no more than that the difference is too small.
MOST_SEEDS = 100
#: How sure the range of seeds is of the spread.
_CONFIDENCE = 0.8


@dataclass(frozen=True)
class NeededSeeds:
    """How many seeds it takes to find a difference with 80 % power.

    Attributes:
        difference: The difference, in the unit of the scores.
        least: Seeds if the spread is small, by the lower end of its 80 % interval; None above
            :data:`MOST_SEEDS`.
        most: Seeds if it is large, by the upper end.
    """

    difference: float
    least: int | None
    most: int | None


def needed_seeds(against: Sequence[Comparison], rules: Rules) -> NeededSeeds | None:
    """Return the seeds that it takes to tell a strategy from the reference.

    The difference is the smallest that matters, not the one that was seen: that is too large where it
    was claimed, and noise where it was not. The spread is pooled over the strategies, and the level
    that of one of the planned looks.

    Args:
        against: The comparisons with the reference.
        rules: With the difference.

    Returns:
        A range; None where there is no spread to tell it from.
    """
    found = [c.difference for c in against if c.interval and c.difference and c.difference.std]
    if not found:
        return None
    seeds = np.array([len(each.seeds) for each in found])
    variances = np.array([(each.std or 0.0) ** 2 for each in found])
    pooled = moderate(variances, seeds, shared=around_one(len(found)))
    df = float(pooled.pooled_df[0])
    ends = (chdtri(df, (1 - share) / 2) for share in (_CONFIDENCE, -_CONFIDENCE))
    least, most = (
        required_seeds(
            rules.difference / 100,
            math.sqrt(float(pooled.pooled[0]) * df / float(end)),
            sum(1 for c in against if c.interval),
            look_level(tuple(rules.looks)),
        )
        for end in ends
    )
    return NeededSeeds(rules.difference / 100, least, most)


def required_seeds(
    difference: float, std: float, comparisons: int, level: float, power: float = POWER
) -> int | None:
    """Return how many seeds it takes to find a difference from the reference among several strategies.

    Were all as noisy, t would follow the noncentral t distribution with the degrees of freedom of the
    moderated variance; the power is the chance that it exceeds the critical value of the first step.

    Args:
        difference: Between a strategy and the reference, not 0.
        std: Of the paired differences, in the same unit.
        comparisons: How many strategies are compared with the reference.
        level: Of all of them, in (0, 1).
        power: The chance to find it, in (0, 1).

    Returns:
        The smallest number of seeds, at least 3; None above :data:`MOST_SEEDS`.
    """

    def reached(seeds: int) -> float:
        equal = moderate(np.ones(comparisons), np.full(comparisons, seeds), around_one(comparisons))
        df = float(equal.df[0])
        critical = dunnett(comparisons, df, NOMINAL * level)
        # The square of a noncentral t follows a noncentral F, which has both tails of t in one.
        return 1 - float(ncfdtr(1, df, seeds * (difference / std) ** 2, critical**2))

    counts = range(LEAST_SEEDS, MOST_SEEDS + 1)
    # More seeds never lower the power, so that the first count that reaches it can be searched for.
    found = bisect_left(counts, power, key=reached)
    return counts[found] if found < len(counts) else None
