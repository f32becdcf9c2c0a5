"""How sure a share is that was counted on a random sample."""

from math import sqrt

_Z = 1.959963984540054  # of the standard normal distribution, 2.5 % lie above it


def wilson_interval(share: float, count: int) -> tuple[float, float]:
    """Return the interval of Wilson (1927) for a share: 95 % of such intervals hold the true one.

    It is right for small samples too, and for shares near 0 or 1, where mean plus and minus standard
    errors is not.

    Args:
        share: What was counted, such as an accuracy, in [0, 1].
        count: On how many images, at least 1.

    Returns:
        Its ends, in [0, 1].
    """
    if count < 1:
        raise ValueError(f"A share of {count} images has no interval")
    weight = _Z**2 / count
    middle = (share + weight / 2) / (1 + weight)
    half = _Z / (1 + weight) * sqrt(share * (1 - share) / count + weight / (4 * count))
    return max(0.0, middle - half), min(1.0, middle + half)


def images_for(half_width: float, share: float = 0.8) -> int:
    """Return how many images tell a share to within so much, by the interval of Wilson.

    >>> images_for(0.08)
    95

    Args:
        half_width: Half the width of the interval, in (0, 0.5).
        share: What is expected to be counted.
    """
    count = 1
    while True:
        low, high = wilson_interval(share, count)
        if high - low <= 2 * half_width:
            return count
        count += 1
