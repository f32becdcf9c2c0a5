"""Variances of differences, moderated: each draws on what the others show.

With three seeds, a variance of its own has two degrees of freedom, and a test by it finds next to
nothing. Smyth 2004 (Statistical Applications in Genetics and Molecular Biology 3) shrinks variances to
a common value, by a weight that is estimated from how far they lie apart. With as few strategies as
here, that estimate is often far too large, and one noisy strategy is claimed to differ. So the weight
has an upper limit, which was chosen by simulation: ``benchmarks/error_rates.py``.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import polygamma

_Array = NDArray[np.float64]

#: Of the nominal level: keeps the claims at 5 % also where one strategy is five times as noisy.
NOMINAL = 0.8


@dataclass(frozen=True)
class Moderated:
    """Moderated variances of differences; the last axis is that of the comparisons.

    Attributes:
        variance: Of each difference, for one seed; NaN where no comparison has a spread.
        df: Degrees of freedom of each.
        pooled: The mean variance; one for all comparisons.
        pooled_df: Degrees of freedom of the mean.
    """

    variance: _Array
    df: _Array
    pooled: _Array
    pooled_df: _Array


def moderate(variances: _Array, seeds: NDArray[np.int64], shared: float) -> Moderated:
    """Shrink variances of paired differences towards their mean.

    The weight of the mean is 1 / (1 / limit + excess), limit = (n - 2) / (2 n - 2) for n seeds. The
    excess is the variance of the log variances over what chance alone gives, trigamma((n - 1) / 2),
    minus 1 and at least 0: where strategies differ in their noise, less is shared. The degrees of
    freedom are Satterthwaite's. A comparison without any spread says nothing about the noise: it
    takes the mean of the others.

    Args:
        variances: Of the differences, ddof = 1, at least 0, (..., comparisons).
        seeds: Of each comparison, at least 3, (comparisons,).
        shared: How many comparisons of this family carry the information of one, at least 1: those
            that share a strategy are not independent.
    """
    own: _Array = seeds.astype(np.float64) - 1
    known = variances > 0
    weights = own * known
    with np.errstate(divide="ignore", invalid="ignore"):
        pooled = (weights * variances).sum(-1, keepdims=True) / weights.sum(-1, keepdims=True)
        logs = np.log(variances, where=known, out=np.zeros_like(variances))
    pooled_df = np.maximum(weights.sum(-1, keepdims=True) / shared, own.min())
    limit = (own - 1) / (2 * own)
    share = np.where(known, 1 / (1 / limit + _excess(logs, known, own)), 1.0)
    rest = 1 - share
    df = 1 / ((1 - rest**2) / pooled_df + rest**2 / own)
    return Moderated(
        variance=share * pooled + rest * variances,
        df=np.where(known, df, np.minimum(own, pooled_df)),
        pooled=pooled,
        pooled_df=pooled_df,
    )


def _excess(logs: _Array, known: NDArray[np.bool_], own: _Array) -> _Array:
    """Return by how much log variances vary more than by chance, as a share of what chance gives."""
    count = known.sum(-1, keepdims=True)
    mean = logs.sum(-1, keepdims=True) / np.maximum(count, 1)
    apart = np.where(known, logs - mean, 0.0)
    found = (apart**2).sum(-1, keepdims=True) / np.maximum(count - 1, 1)
    chance = polygamma(1, own / 2).mean()
    return np.asarray(np.maximum(found / chance - 1, 0.0) * (count > 1))


def around_one(comparisons: int) -> float:
    """Return ``shared`` of :func:`moderate` for comparisons with one reference.

    The squares of two such differences have a correlation of 1 / 4, as all strategies are as noisy.
    """
    return (comparisons + 3) / 4


def step_down(statistics: _Array, critical: _Array) -> NDArray[np.bool_]:
    """Return which statistics are significant when each rejection eases the test of the others.

    All that exceed the critical value for as many as are left are rejected, until none does (Goeman and
    Solari 2010, Annals of Statistics 38).

    Args:
        statistics: (..., comparisons).
        critical: The critical values with 0, 1, ... comparisons left, (1 + comparisons, ...,
            comparisons); the later axes may be 1.
    """
    rejected = np.zeros(statistics.shape, bool)
    while True:
        left = (~rejected).sum(-1)[None, ..., None]
        found = rejected | (statistics > np.take_along_axis(critical, left, axis=0)[0])
        if (found == rejected).all():
            return rejected
        rejected = found
