"""A power law through the accuracies of a run, with a band."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

_Array = NDArray[np.float64]

FEWEST = 4  # rounds, for three unknowns
_EXPONENTS = np.geomspace(0.1, 2.0, 40)
_LIMITS = 301  # values of the accuracy after infinitely many labels
_SCATTER = 0.1  # of the error between one fit and the next, before the rounds show another
_TRUST = 3.0  # as many rounds as the value above is worth
_RECENT = 0.1  # labels of a round, as a share of the last one's, for it to count as recent
_TAIL = 0.1  # beyond each end of a band: measured, four of five hold, see docs/labeling.md
_COUNT = 9  # of the values that stand for a normal distribution
_NODES = np.array([NormalDist().inv_cdf((i + 0.5) / _COUNT) for i in range(_COUNT)])[:, None]


@dataclass(frozen=True)
class LearningCurve:
    """The power laws accuracy = a - b (n / N)^-c that fit the rounds of a run, each with a weight.

    >>> from al_lightning.run.advice.learning_curve import fit_learning_curve
    >>> labels = [50, 100, 200, 400, 800]
    >>> curve = fit_learning_curve(labels, [0.95 - 2 / n for n in labels], images=100_000)
    >>> [round(end, 2) for end in curve.accuracy_at(1600)]
    [0.94, 0.96]

    Attributes:
        last: N, the labels of the last round.
        limit: a, (G,).
        drop: b, at least 0, (G,).
        exponent: c, (G,).
        weight: Of each, (G,); they sum to 1.
        scatter: Standard deviation of an accuracy around each, (G,): other images, another fit.
        level: Standard error of the last accuracy by the number of images.
    """

    last: int
    limit: _Array
    drop: _Array
    exponent: _Array
    weight: _Array
    scatter: _Array
    level: float

    def accuracy_at(self, labels: int) -> tuple[float, float]:
        """Return the 80 % band of the accuracy that will be measured with so many labels, in [0, 1]."""
        curve = self.limit - self.drop * (labels / self.last) ** -self.exponent
        low, high = _ends(curve + _NODES * self.scatter, self.weight)
        return max(0.0, low), min(1.0, high)

    def labels_to(self, target: float) -> tuple[float, float]:
        """Return the 80 % band of the labels with which an accuracy is reached.

        Each end is at least the labels of the last round; infinity where the accuracy is never reached.
        """
        missing = self.limit + _NODES * self.level - target
        ratio = self.drop / np.where(missing > 0, missing, np.inf)
        labels = self.last * np.maximum(ratio, 1.0) ** (1 / self.exponent)
        return _ends(np.where(missing > 0, labels, np.inf), self.weight)


def fit_learning_curve(
    labels: Sequence[int], accuracies: Sequence[float], images: int
) -> LearningCurve | None:
    """Fit a power law to the accuracies of successive rounds; None for fewer than four.

    Learning curves are close to power laws with a limit (Hestness et al. 2017, arXiv:1712.00409), but
    for the first few labels: rounds with less than a tenth of the last one's labels count only where
    there are too few others. All limits up to 1 and all exponents from 0.1 to 2 are tried on a grid,
    with the drop of least squares. Each is weighed by its likelihood under Student's distribution,
    whose scale is estimated from the rounds and from a prior that is worth three of them. Nothing is
    drawn at random.

    Args:
        labels: Labels trained on, ascending, at least 1.
        accuracies: One each, in [0, 1].
        images: How many images they were measured on.

    Raises:
        ValueError: If the two differ in length, labels do not ascend, or there is no image.
    """
    if len(labels) != len(accuracies) or images < 1:
        raise ValueError(f"{len(labels)} labels, {len(accuracies)} accuracies, {images} images")
    if any(after <= before for before, after in pairwise(labels)):
        raise ValueError(f"labels must ascend, not {list(labels)}")
    if len(labels) < FEWEST:
        return None
    recent = max(FEWEST, sum(n >= _RECENT * labels[-1] for n in labels))
    n = np.array(labels[-recent:], dtype=np.float64)
    p = np.array(accuracies[-recent:], dtype=np.float64)
    sampling = (p * images + 1) * ((1 - p) * images + 1) / (images + 2) ** 3  # p (1 - p), never 0
    variance = sampling + (_SCATTER * (1 - p)) ** 2
    grid = np.meshgrid(np.linspace(max(0.0, float(p.max()) - 0.1), 1.0, _LIMITS), _EXPONENTS)
    limit, exponent = (values.ravel() for values in grid)
    falls = (n / n[-1]) ** -exponent[:, None]  # (G, rounds)
    gaps = limit[:, None] - p
    best = (falls * gaps / variance).sum(1) / (falls**2 / variance).sum(1)
    drop = np.maximum(best, 0.0)
    squares = ((gaps - drop[:, None] * falls) ** 2 / variance).sum(1)
    scale = (squares + _TRUST) / (len(n) + _TRUST)
    score = -0.5 * (len(n) + _TRUST) * np.log(scale)
    weight = np.exp(score - score.max())
    scatter, level = np.sqrt(scale * variance[-1]), float(np.sqrt(sampling[-1]))
    return LearningCurve(labels[-1], limit, drop, exponent, weight / weight.sum(), scatter, level)


def _ends(values: _Array, weight: _Array) -> tuple[float, float]:
    """Return the ends of the band of some values, (nodes, G), with a weight a column."""
    weight = np.broadcast_to(weight / len(values), values.shape).ravel()
    values = values.ravel()
    order = np.argsort(values, kind="stable")
    ends = np.searchsorted(np.cumsum(weight[order]), [_TAIL, 1 - _TAIL])
    low, high = values[order[np.minimum(ends, len(order) - 1)]]
    return float(low), float(high)
