"""The number of seeds that a difference needs."""

import math
from bisect import bisect_left

from scipy.special import ncfdtr, stdtrit

from al_lightning.report.statistics.paired import LEAST_FOR_P

#: Spread over mean below which there is no spread. The power of 3 seeds is 1 there for any usual level.
_NO_SPREAD = 1e-6


def required_seeds(
    mean: float, std: float, power: float = 0.8, alpha: float = 0.05, most: int = 10_000
) -> int | None:
    """Return how many seeds a two-sided paired t test needs to find a difference.

    If ``mean`` and ``std`` were the truth, t would follow the noncentral t distribution with n - 1
    degrees of freedom and noncentrality mean / std * sqrt(n); the power is the chance that it falls
    beyond the critical value, on either side. Cohen 1988, Statistical Power Analysis, chapter 2.

    What was observed is not the truth: with few seeds, take the answer for a magnitude.

    Args:
        mean: Of the differences, in the unit of the scores.
        std: Of the differences, in the same unit, ddof = 1.
        power: The chance to find it, in (0, 1).
        alpha: Level of the test, in (0, 1).
        most: The largest answer of interest.

    Returns:
        The smallest number of seeds, at least 3; None if it is more than ``most``, as it always is for
        a mean of 0.

    Raises:
        ValueError: If mean or std is not finite, std is negative, or power or alpha is out of range.
    """
    if not (math.isfinite(mean) and math.isfinite(std) and std >= 0):
        raise ValueError(
            f"mean = {mean}, std = {std} is out of range: finite, and std not negative"
        )
    if not (0 < power < 1 and 0 < alpha < 1):
        raise ValueError(f"power = {power}, alpha = {alpha} is out of range: both between 0 and 1")
    if mean == 0 or most < LEAST_FOR_P:
        return None
    if std <= _NO_SPREAD * abs(mean):
        return LEAST_FOR_P
    counts = range(LEAST_FOR_P, most + 1)
    # More seeds never lower the power, so that the first count that reaches it can be searched for.
    found = bisect_left(counts, power, key=lambda n: _power(mean / std, n, alpha))
    return counts[found] if found < len(counts) else None


def _power(effect: float, count: int, alpha: float) -> float:
    """Return the power for an effect of ``mean / std``."""
    critical = stdtrit(count - 1, alpha / 2)
    # The square of a noncentral t follows a noncentral F, which has both tails of t in one.
    return 1 - float(ncfdtr(1, count - 1, count * effect**2, critical**2))
