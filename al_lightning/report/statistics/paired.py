"""Differences of two strategies, paired by seed, and how sure they are.

Two runs under one seed share the initial labels and the initial weights. So a strategy is compared
seed by seed, which takes out of a difference what its two runs have in common.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtr, stdtrit

from al_lightning.report.rules import LEAST_SEEDS

#: A score of each seed, by strategy.
Scores = Mapping[str, Mapping[int, float]]

_LEAST_FOR_SPREAD = 2
#: Share of the scores below which a difference is rounding: a journal's metrics are computed in single
#: precision, so that one and the same gain comes out apart by a few of its last digits.
_ROUNDING = 4 * float(np.finfo(np.float32).eps)


@dataclass(frozen=True)
class PairedDifference:
    """The values of one strategy minus those of a reference, seed by seed.

    Attributes:
        seeds: Those that both have, ascending.
        mean: Of the differences, in the unit of the scores.
        std: Of the differences, ddof = 1; None with fewer than 2 seeds.
        low: Lower end of the mean's interval by Student's t; None with fewer than 2 seeds.
        high: Upper end, likewise.
        p: Of the two-sided paired t test; None with fewer than 3 seeds, and where all differences are
            the same and not zero: without a spread there is nothing to test against.
        left_out: Seeds that only one of the two has, ascending.
        confidence: Of the interval.
    """

    seeds: tuple[int, ...]
    mean: float
    std: float | None
    low: float | None
    high: float | None
    p: float | None
    left_out: tuple[int, ...]
    confidence: float


def paired_difference(
    values: Mapping[int, float], reference: Mapping[int, float], confidence: float = 0.95
) -> PairedDifference:
    """Compare two strategies over the seeds that both have.

    Differences that are rounding noise count as zero, as does a spread of that size. Without a spread,
    the interval is the mean. Then p is 1 if the mean is zero, and None if it is not: scores are shares
    of the test images, so that a few equal differences are no rarity and no proof of precision.

    Args:
        values: Scores of the strategy by seed. Their order means nothing.
        reference: Scores of what it is compared with, likewise.
        confidence: Of the interval, in (0, 1).

    Raises:
        ValueError: If no seed is in both, if a score is not finite, or on a confidence out of range.
    """
    _require_confidence(confidence)
    for scores in (values, reference):
        _require_finite("seed", scores)
    seeds = sorted(values.keys() & reference.keys())
    if not seeds:
        raise ValueError(
            f"No common seed to pair by: the values have {sorted(values)}, "
            f"the reference has {sorted(reference)}"
        )
    noise = _ROUNDING * max(max(abs(values[s]), abs(reference[s])) for s in seeds)
    raw = [values[s] - reference[s] for s in seeds]
    differences = [d if abs(d) > noise else 0.0 for d in raw]
    mean, std = _mean(differences), _spread(differences, noise)
    low, high = _interval(mean, std, len(seeds), confidence)
    return PairedDifference(
        seeds=tuple(seeds),
        mean=mean,
        std=std,
        low=low,
        high=high,
        p=_student_p(mean, std, len(seeds)),
        left_out=tuple(sorted(values.keys() ^ reference.keys())),
        confidence=confidence,
    )


def mean_interval(
    values: Sequence[float], confidence: float = 0.95
) -> tuple[float, float | None, float | None]:
    """Return the mean of values and its interval by Student's t (ddof = 1).

    Args:
        values: At least one.
        confidence: Of the interval, in (0, 1).

    Returns:
        Mean, lower end, upper end; a single value has no interval, its ends are None.

    Raises:
        ValueError: If there is no value, if one is not finite, or on a confidence out of range.
    """
    _require_confidence(confidence)
    if not values:
        raise ValueError("A mean needs at least one value; there is none")
    _require_finite("position", dict(enumerate(values)))
    mean = _mean(values)
    return mean, *_interval(mean, _spread(values), len(values), confidence)


def _mean(values: Sequence[float]) -> float:
    # From the first value on, so that equal values have themselves for a mean. The statistics module
    # does so by fractions, which took half the time of a comparison.
    return values[0] + math.fsum(value - values[0] for value in values) / len(values)


def _spread(values: Sequence[float], noise: float = 0.0) -> float | None:
    """Return the standard deviation; None for a single value, 0 where all is within the noise."""
    if len(values) < _LEAST_FOR_SPREAD:
        return None
    if max(values) - min(values) <= noise:
        return 0.0
    mean = _mean(values)
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (len(values) - 1))


def _interval(
    mean: float, std: float | None, count: int, confidence: float
) -> tuple[float | None, float | None]:
    if std is None:
        return None, None
    half = float(stdtrit(count - 1, (1 + confidence) / 2)) * std / math.sqrt(count)
    return mean - half, mean + half


def _student_p(mean: float, std: float | None, count: int) -> float | None:
    if std is None or count < LEAST_SEEDS:
        return None
    if std == 0:
        return 1.0 if mean == 0 else None
    return 2 * float(stdtr(count - 1, -abs(mean) / std * math.sqrt(count)))


def _require_confidence(confidence: float) -> None:
    if not 0 < confidence < 1:
        raise ValueError(f"The confidence must lie between 0 and 1, not be {confidence}")


def _require_finite(what: str, scores: Mapping[int, float]) -> None:
    for key, score in scores.items():
        if not math.isfinite(score):
            raise ValueError(f"Scores must be finite, but that of {what} {key} is {score}")
