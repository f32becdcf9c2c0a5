"""Intervals of a mean over two samples at once: seeds and test images."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import stdtrit

_LEAST = 2  # seeds, and images


@dataclass(frozen=True)
class TwoWayInterval:
    """The mean of a table of values, seeds by images, and how sure it is.

    Attributes:
        mean: Of all values.
        low: Lower end of the interval, for other seeds and other images of the same kind.
        high: Upper end.
        over_seeds: Variance of the mean over seeds alone.
        over_images: What images add to it.
    """

    mean: float
    low: float
    high: float
    over_seeds: float
    over_images: float


def two_way_interval(values: NDArray[Any], confidence: float = 0.95) -> TwoWayInterval:
    """Return the mean of values and its interval over seeds and images.

    A value is the effect of its seed, of its image, and of the two together. The variance of the mean
    is (variance of the seeds' means) / S + (variance of the image effects) / N, the latter without what
    seed and image together bring about, which the former has already. A two-way bootstrap, which
    draws seeds and images independently of each other, has a variance that tends to the same, plus
    twice that part (Owen 2007, "The pigeonhole bootstrap", Annals of Applied Statistics 1(2)); of a
    mean, nothing has to be drawn. The square of the interval's half-width is the sum of those over
    seeds and over images, by Student with S - 1 and N - 1 degrees of freedom: it is no narrower than
    that over seeds alone, and holds at least as often as it says.

    >>> import numpy as np
    >>> found = two_way_interval(np.array([[1.0, 0, 0, 1], [1, 0, 1, 1], [1, 0, 0, 1]]))
    >>> round(found.mean, 3), round(found.low, 3), round(found.high, 3)
    (0.583, -0.248, 1.415)

    Args:
        values: (S, N), a row a seed, a column an image; such as differences of two strategies on the
            same images.
        confidence: Of the interval, in (0, 1).

    Raises:
        ValueError: On fewer than 2 seeds or images, or a confidence out of range.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"The confidence must lie between 0 and 1, not be {confidence}")
    if values.ndim != 2 or min(values.shape) < _LEAST:  # noqa: PLR2004 - a table
        raise ValueError(f"An interval needs 2 seeds and 2 images at least, not {values.shape}")
    seeds, images = values.shape
    table = values.astype(np.float64)
    by_seed, by_image, mean = table.mean(axis=1), table.mean(axis=0), float(table.mean())
    residual = table - by_seed[:, None] - by_image + mean
    together = float((residual**2).sum()) / ((seeds - 1) * (images - 1))
    over_seeds = float(by_seed.var(ddof=1)) / seeds
    over_images = max(0.0, float(by_image.var(ddof=1)) - together / seeds) / images
    half = math.hypot(
        _half(over_seeds, seeds - 1, confidence), _half(over_images, images - 1, confidence)
    )
    return TwoWayInterval(mean, mean - half, mean + half, over_seeds, over_images)


def _half(variance: float, freedom: float, confidence: float) -> float:
    return float(stdtrit(freedom, (1 + confidence) / 2)) * math.sqrt(variance)
