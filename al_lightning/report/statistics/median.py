"""The median of a few values, and an interval that holds it whatever their distribution."""

from collections.abc import Sequence
from statistics import median

from scipy.special import bdtr


def median_interval(
    values: Sequence[float], confidence: float = 0.95
) -> tuple[float | None, float | None, float | None, bool]:
    """Return the median, its interval by order statistics, and whether that has the confidence.

    The k-th smallest and the k-th largest of n values hold the median with a chance of at least
    1 - 2 P(B < k), B binomial with n and 1/2. Fewer than six values have no 95 % interval: theirs is
    their range. Conover 1999, Practical Nonparametric Statistics, section 3.2.

    >>> median_interval([3, 1, 2, 5, 4, 6])
    (3.5, 1, 6, True)

    Args:
        values: Any number of them; minus infinity stands for a value below all others.
        confidence: Of the interval, in (0, 1).

    Returns:
        Median, lower end, upper end, whether the interval has the confidence; None and False where
        there are no values.
    """
    if not values:
        return None, None, None, False
    ordered, count = sorted(values), len(values)
    ranks = [k for k in range(1, count // 2 + 1) if 2 * bdtr(k - 1, count, 0.5) <= 1 - confidence]
    k = max(ranks, default=1)
    return median(ordered), ordered[k - 1], ordered[-k], bool(ranks)
