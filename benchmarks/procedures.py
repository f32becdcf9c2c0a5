"""Procedures that claim differences: the report's, and those that it is compared with.

Each takes AUBC values, (draws, strategies, seeds), random first, and returns what it claims of each
draw: of every strategy but random, that it differs from it (:data:`AGAINST`), or of every strategy,
that it is not the best (:data:`BEST`).

- holm: paired t tests, Holm's method; over all pairs for the best one. This was the rule until now.
- blocks: one pooled variance (two-way layout), Dunnett's and Tukey's critical values.
- smyth: variances moderated by a prior that is estimated from the same differences, Dunnett's values.
- ours: what the report does, see :mod:`al_lightning.report.statistics.moderation`.
"""

import math
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, polygamma, stdtr

from al_lightning.report.rules import ALPHA
from al_lightning.report.statistics.many import best, dunnett
from al_lightning.report.statistics.moderation import NOMINAL, around_one, moderate, step_down

Array = NDArray[np.float64]
Claims = NDArray[np.bool_]

_RATIO = 1.08  # of degrees of freedom between which critical values are interpolated


def against_ours(values: Array, level: float = ALPHA) -> Claims:
    """Claim differences from random as :func:`compare` does."""
    means, variances, seeds = differences(values)
    count = means.shape[1]
    found = moderate(variances, np.full(count, seeds), around_one(count))
    critical = np.stack(
        [
            _interpolated(partial(dunnett, max(k, 1), alpha=NOMINAL * level), found.df)
            for k in range(count + 1)
        ]
    )
    return step_down(np.abs(means) / np.sqrt(found.variance / seeds), critical)


def against_holm(values: Array) -> Claims:
    """Claim differences from random by Holm's method."""
    means, variances, seeds = differences(values)
    return _holm(means, variances, seeds)


def against_blocks(values: Array) -> Claims:
    """Claim differences from random by Dunnett's test on a two-way layout."""
    means = differences(values)[0]
    error, df = _residual(values)
    return np.asarray(np.abs(means) > dunnett(means.shape[1], df, ALPHA) * error[:, None])


def against_smyth(values: Array) -> Claims:
    """Claim differences from random with variances moderated as limma does."""
    means, variances, seeds = differences(values)
    own, count = seeds - 1, means.shape[1]
    logs = np.log(variances) - digamma(own / 2) + np.log(own / 2)
    excess = logs.var(1, ddof=1, keepdims=True) - polygamma(1, own / 2)
    prior = np.where(excess > 0, 2 * _inverse_trigamma(np.maximum(excess, 1e-8)), 1e6)
    common = np.exp(logs.mean(1, keepdims=True) + digamma(prior / 2) - np.log(prior / 2))
    moderated = (prior * common + own * variances) / (prior + own)
    df = np.minimum(prior + own, count * own)
    limit = _interpolated(lambda d: dunnett(count, d, ALPHA), df)
    return np.asarray(np.abs(means) > limit * np.sqrt(moderated / seeds))


def best_ours(values: Array, level: float = ALPHA) -> Claims:
    """Claim that strategies are not the best as :func:`standings` does."""
    out = best_at_once(values, level)
    stay, which = np.unique(~out, axis=0, return_inverse=True)
    for k, left in enumerate(stay):
        if 1 < left.sum() < len(left):
            part = np.ix_(np.flatnonzero(which == k), np.flatnonzero(left))
            out[part] = best_ours(values[part], level)
    return out


def best_at_once(values: Array, level: float = ALPHA) -> Claims:
    """Claim that strategies are not the best, all compared at once: the first step of that."""
    means, variances, seeds, (one, other) = _pairs(values)
    count = values.shape[1]
    found = moderate(variances, np.full(len(one), seeds), max(len(one) / (count - 1), 1.0))
    leads = _largest(means / np.sqrt(found.variance / seeds), one, other, count)
    df = found.df[:, :1]
    critical = np.stack(
        [
            _interpolated(partial(best, max(k, 1), count, alpha=NOMINAL * level), df)
            for k in range(count + 1)
        ]
    )
    return step_down(leads, critical)


def best_holm(values: Array) -> Claims:
    """Claim that strategies are not the best where another beats them by Holm over all pairs."""
    means, variances, seeds, (one, other) = _pairs(values)
    claimed = _holm(means, variances, seeds)
    return _largest(np.where(claimed, np.sign(means), 0), one, other, values.shape[1]) > 0


def best_blocks(values: Array) -> Claims:
    """Claim that strategies are not the best by Tukey's test on a two-way layout."""
    means, _, _, (one, other) = _pairs(values)
    error, df = _residual(values)
    count = values.shape[1]
    leads = _largest(means / error[:, None], one, other, count)
    return np.asarray(leads > best(count, count, df, ALPHA))


AGAINST: dict[str, Callable[[Array], Claims]] = {
    "holm": against_holm,
    "blocks": against_blocks,
    "smyth": against_smyth,
    "ours": against_ours,
}
BEST: dict[str, Callable[[Array], Claims]] = {
    "best, holm": best_holm,
    "best, blocks": best_blocks,
    "best, ours": best_ours,
}


def differences(values: Array) -> tuple[Array, Array, int]:
    """Return means and variances of the differences from random, and the number of seeds."""
    found = values[:, 1:] - values[:, :1]
    return found.mean(2), found.var(2, ddof=1), values.shape[2]


def _pairs(values: Array) -> tuple[Array, Array, int, tuple[Any, Any]]:
    one, other = np.triu_indices(values.shape[1], 1)
    found = values[:, one] - values[:, other]
    return found.mean(2), found.var(2, ddof=1), values.shape[2], (one, other)


def _largest(leads: Array, one: Any, other: Any, strategies: int) -> Array:
    """Return by how much the furthest of the others leads each strategy."""
    largest = np.full((len(leads), strategies), -np.inf)
    for k, (first, second) in enumerate(zip(one, other, strict=True)):
        largest[:, second] = np.maximum(largest[:, second], leads[:, k])
        largest[:, first] = np.maximum(largest[:, first], -leads[:, k])
    return largest


def _holm(means: Array, variances: Array, seeds: int) -> Claims:
    p = 2 * stdtr(seeds - 1, -np.abs(means) / np.sqrt(variances / seeds))
    levels = ALPHA / (p.shape[1] - np.arange(p.shape[1]))
    order = p.argsort(1)
    claimed = np.logical_and.accumulate(np.take_along_axis(p, order, 1) < levels, axis=1)
    result = np.empty_like(claimed)
    np.put_along_axis(result, order, claimed, 1)
    return result


def _residual(values: Array) -> tuple[Array, float]:
    """Return the standard error of a difference by a two-way layout, and its degrees of freedom."""
    _, strategies, seeds = values.shape
    rest = values - values.mean(2, keepdims=True) - values.mean(1, keepdims=True)
    rest += values.mean((1, 2), keepdims=True)
    df = (strategies - 1) * (seeds - 1)
    return np.sqrt(2 * (rest**2).sum((1, 2)) / df / seeds), float(df)


def _inverse_trigamma(values: Array) -> Array:
    found = 0.5 + 1 / values
    for _ in range(30):
        trigamma = polygamma(1, found)
        found = found + trigamma * (1 - trigamma / values) / polygamma(2, found)
    return found


def _interpolated(critical: Callable[[float], float], df: Array) -> Array:
    """Return critical values for many degrees of freedom, linear in 1 / df between exact ones."""
    first, last = math.log(df.min(), _RATIO), math.log(min(df.max(), 1e4), _RATIO)
    grid = [_RATIO**k for k in range(math.ceil(last), math.floor(first) - 1, -1)]
    return np.interp(1 / df, [1 / each for each in grid], [critical(each) for each in grid])
