"""Pairwise wins, over data sets and models."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from al_lightning.report.statistics.paired import LEAST_FOR_P, paired_difference

Runs = Mapping[int, Mapping[int, float]]
"""The runs of a strategy: seed -> budget (labels bought) -> score."""

Setting = Mapping[str, Runs]
"""The runs of all strategies under the same conditions: strategy -> runs."""


# Arrays have no equality that is a truth value, so that there is none for what holds them.
@dataclass(frozen=True, eq=False)
class PenaltyMatrix:
    """How often strategies beat each other significantly (Ash et al. 2020, arXiv:1906.03671, sec. 5).

    A setting gives 1 / B for each of the B budgets of a pair at which one beats the other. The paper
    adds that up over data sets and models. Here it is the mean of the places, a data set with a model
    each, in which the two met: sums do not compare where strategies met in different numbers of
    places. Settings of one place, such as other recipes on the same images, are no evidence of their
    own: a place counts once, by the mean of its settings. So a cell lies between 0 and 1.

    Attributes:
        names: The S strategies, in the order in which the settings name them first.
        matrix: (S, S), shares: at [i, j] how often i beats j. NaN where no setting could compare
            the two, and on the diagonal.
        penalties: (S,), shares: the mean of a column over the other strategies, leaving NaN out.
            How often a strategy is beaten: lower is better. NaN where it was compared with none.
        places: How many data sets with a model there are.
    """

    names: tuple[str, ...]
    matrix: NDArray[np.float64]
    penalties: NDArray[np.float64]
    places: int


def penalty_matrix(places: Sequence[Sequence[Setting]], alpha: float = 0.05) -> PenaltyMatrix:
    """Count at how many budgets each strategy beats each other one.

    i beats j at a budget if its mean is higher over the seeds that both have and the two-sided paired t
    test rejects at ``alpha``. That is one test a budget, without a correction for their number: an
    overview, as the paper has it, and no claim on a single pair. The budgets of a pair are those that
    all its runs under common seeds have. The first one counts although no strategy can win there, since
    all strategies start from the same labels. A pair with fewer than 3 common seeds, or without a
    common budget, gets nothing from a setting.

    Args:
        places: For each data set with a model, its settings: strategy -> seed -> budget (labels) ->
            score.
        alpha: Level of the test, in (0, 1).

    Raises:
        ValueError: If a score is not finite, or on a level out of range.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"The level alpha must lie between 0 and 1, not be {alpha}")
    names = tuple(dict.fromkeys(name for place in places for s in place for name in s))
    matrix = _mean(
        [_mean([_won(s, names, alpha) for s in p], len(names)) for p in places], len(names)
    )
    return PenaltyMatrix(names, matrix, _column_means(matrix), len(places))


def _won(setting: Setting, names: Sequence[str], alpha: float) -> NDArray[np.float64]:
    """Return at which share of the budgets rows beat columns; NaN for pairs without common ones."""
    won = np.full((len(names), len(names)), np.nan)
    present = [(index, setting[name]) for index, name in enumerate(names) if name in setting]
    for i, first in present:
        for j, second in present:
            if i < j and (shares := _shares(first, second, alpha)) is not None:
                won[i, j], won[j, i] = shares
    return won


def _mean(matrices: Sequence[NDArray[np.float64]], size: int) -> NDArray[np.float64]:
    """Return the mean of matrices cell by cell, leaving NaN out; NaN where there is nothing else."""
    mean = np.full((size, size), np.nan)
    stack = np.array([mean, *matrices])
    met = (~np.isnan(stack)).sum(axis=0)
    np.divide(np.nansum(stack, axis=0), met, out=mean, where=met > 0)
    return mean


def _shares(first: Runs, second: Runs, alpha: float) -> tuple[float, float] | None:
    """Return the shares of the budgets that either wins; None if they cannot be compared."""
    seeds = first.keys() & second.keys()
    if len(seeds) < LEAST_FOR_P:
        return None
    budgets = set.intersection(*(set(runs[s]) for runs in (first, second) for s in seeds))
    if not budgets:
        return None
    signs = [_winner(first, second, seeds, budget, alpha) for budget in budgets]
    return signs.count(1) / len(signs), signs.count(-1) / len(signs)


def _winner(first: Runs, second: Runs, seeds: set[int], budget: int, alpha: float) -> int:
    """Return 1 if the first wins at a budget, -1 if the second does, 0 if neither."""
    found = paired_difference(
        {seed: first[seed][budget] for seed in seeds},
        {seed: second[seed][budget] for seed in seeds},
    )
    if found.p is None or found.p >= alpha:
        return 0
    return 1 if found.mean > 0 else -1


def _column_means(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    means = np.full(len(matrix), np.nan)
    compared = ~np.isnan(matrix).all(axis=0)
    means[compared] = np.nanmean(matrix[:, compared], axis=0)
    return means
