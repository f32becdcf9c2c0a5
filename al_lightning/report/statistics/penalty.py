"""The penalty matrix: how often strategies beat each other, over data sets, models and batch sizes."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

import numpy as np
from numpy.typing import NDArray

from al_lightning.report.rules import LEAST_SEEDS
from al_lightning.report.statistics.paired import paired_difference

#: Share of the reference's final score up to which budgets are compared.
ENOUGH = 0.99

Runs = Mapping[int, Mapping[int, float]]
"""The runs of a strategy: seed -> budget (labels bought) -> score."""


@dataclass(frozen=True)
class Experiment:
    """The runs of all strategies on a data set, with a model and a batch size.

    Attributes:
        runs: By strategy.
        reference: The strategy whose curve says up to which budget strategies are compared.
    """

    runs: Mapping[str, Runs]
    reference: str


# Arrays have no equality that is a truth value, so that there is none for what holds them.
@dataclass(frozen=True, eq=False)
class PenaltyMatrix:
    """How often strategies beat each other (Ash et al. 2020, arXiv:1906.03671, section 5, appendix E).

    Attributes:
        names: The S strategies, in the order in which the experiments name them first.
        matrix: (S, S): at [i, j] the sum over the experiments of the share of the budgets at which i
            beats j; at most the number of experiments. NaN where no experiment could compare the two,
            and on the diagonal.
        penalties: (S,): the mean of a column over the other strategies, leaving NaN out. How often a
            strategy is beaten: lower is better. NaN where it was compared with none.
        experiments: How many could be used.
        budgets: Of each of them, the budgets that are compared.
    """

    names: tuple[str, ...]
    matrix: NDArray[np.float64]
    penalties: NDArray[np.float64]
    experiments: int
    budgets: tuple[tuple[int, ...], ...]

    def by_penalty(self) -> list[int]:
        """Return the strategies' places in the matrix, the one that is beaten the least first."""
        # NaN has no order: strategies without a comparison come last.
        values = [math.inf if math.isnan(value) else float(value) for value in self.penalties]
        return sorted(range(len(values)), key=lambda k: (values[k], self.names[k]))


def penalty_matrix(experiments: Sequence[Experiment], alpha: float = 0.05) -> PenaltyMatrix:
    """Add up how often each strategy beats each other one.

    In an experiment with M first labels and B labels a query, strategies are compared at the budgets
    M + 2^(m-1) B, m = 1, 2, ..., up to the first at which the mean of the reference reaches 99 % of its
    final score; where queries differ in size, at all budgets after the first up to there. At n of
    them, i gets 1 / n against j for each at which its mean is higher and the two-sided paired t test
    over the seeds of both rejects at ``alpha``: of 5 seeds, where |t| > 2.776. That is one test a
    budget, without a correction for their number: an overview, and no claim on a
    pair. Two strategies with fewer than 3 common seeds get nothing from an experiment. One that has no
    such budget, or no run of the reference, is left out.

    Args:
        experiments: One a data set, model and batch size.
        alpha: Level of the test, in (0, 1).

    Raises:
        ValueError: If a score is not finite, or on a level out of range.
    """
    if not 0 < alpha < 1:
        raise ValueError(f"The level alpha must lie between 0 and 1, not be {alpha}")
    names = tuple(dict.fromkeys(name for each in experiments for name in each.runs))
    found = [(each, budgets) for each in experiments if (budgets := compared_budgets(each))]
    matrix = np.full((len(names), len(names)), np.nan)
    for each, budgets in found:
        won = _won(each.runs, names, budgets, alpha)
        met = ~np.isnan(won)
        matrix[met] = np.nan_to_num(matrix[met]) + won[met]
    return PenaltyMatrix(
        names, matrix, _column_means(matrix), len(found), tuple(budgets for _, budgets in found)
    )


def compared_budgets(experiment: Experiment) -> tuple[int, ...]:
    """Return the budgets at which an experiment compares strategies; empty where there are none.

    Of the budgets M + 2^(m-1) B, these are the ones that all runs have; where queries differ in size,
    of all budgets after the first. A last query that only takes what is left is none of another size.
    """
    if experiment.reference not in experiment.runs:
        return ()
    every = [run for runs in experiment.runs.values() for run in runs.values()]
    common = sorted(set.intersection(*(set(run) for run in every)))
    reference = experiment.runs[experiment.reference].values()
    means = {budget: fmean(run[budget] for run in reference) for budget in common}
    if len(common) < 2:  # noqa: PLR2004 - no query was made
        return ()
    enough = next(b for b in common if means[b] >= ENOUGH * means[common[-1]])
    first, step, *others = np.diff([0, *sorted(set.intersection(*map(set, reference)))]).tolist()
    if {step} == {step, *others[:-1]} and max(others, default=0) <= step:
        budgets = [first + 2**m * step for m in range(enough.bit_length())]
    else:
        budgets = common[1:]
    return tuple(budget for budget in budgets if budget <= enough and budget in means)


def _won(
    strategies: Mapping[str, Runs], names: Sequence[str], budgets: Sequence[int], alpha: float
) -> NDArray[np.float64]:
    """Return at which share of the budgets rows beat columns; NaN for pairs without common seeds."""
    won = np.full((len(names), len(names)), np.nan)
    present = [(index, strategies[name]) for index, name in enumerate(names) if name in strategies]
    for i, first in present:
        for j, second in present:
            seeds = first.keys() & second.keys()
            if i < j and len(seeds) >= LEAST_SEEDS:
                signs = [_winner(first, second, seeds, budget, alpha) for budget in budgets]
                won[i, j], won[j, i] = (signs.count(s) / len(signs) for s in (1, -1))
    return won


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
