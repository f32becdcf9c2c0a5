"""Which strategies can be the best: the set that holds all of the best ones with 95 % confidence.

Hsu's comparisons with the best (1981, Annals of Statistics 9), step by step. A strategy leaves the set
when another leads it by more than chance explains; each that leaves eases the test of the others. The
first step is Tukey's studentized range, the last is Hsu's. So the chance that any of several equally
good strategies leaves the set is at most 5 %, where Hsu's own procedure promises this for one of them.

Then those that are left are compared with each other alone, until none leaves. Variances are moderated
by their mean, so the noise of a strategy that has left would widen the bounds of the others: the more
strategies far behind, the less would be found (``benchmarks/error_rates.py``).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from al_lightning.report.rules import Rules
from al_lightning.report.statistics.comparison import difference_of
from al_lightning.report.statistics.looks import level
from al_lightning.report.statistics.many import best
from al_lightning.report.statistics.moderation import NOMINAL, moderate, step_down
from al_lightning.report.statistics.paired import Scores

_Array = NDArray[np.float64]


@dataclass(frozen=True)
class Standing:
    """How a strategy stands to the best.

    Attributes:
        strategy: The strategy.
        can_be_best: Whether it is in the set.
        behind: By how much it is behind the best at most, in the unit of the scores; simultaneous
            with those of all strategies. 0 for the one strategy that can be the best; None where it
            was not tested against all that can be.
    """

    strategy: str
    can_be_best: bool
    behind: float | None


def standings(
    scores: Scores, strategies: Sequence[str], rules: Rules | None = None
) -> list[Standing]:
    """Return which strategies can be the best of all.

    Args:
        scores: By strategy and seed.
        strategies: The strategies to look at.
        rules: By which differences are read.

    Returns:
        One standing a strategy, in their order; without those that could be tested against none.
    """
    rules = rules or Rules()
    found = _compared(scores, strategies, rules)
    left = [each.strategy for each in found if each.can_be_best]
    if len(left) in (1, len(found)):
        return found
    again = {each.strategy: each for each in standings(scores, left, rules)}
    return [again.get(each.strategy, each) for each in found]


def _compared(scores: Scores, strategies: Sequence[str], rules: Rules) -> list[Standing]:
    """Return how strategies stand when all of them are compared at once."""
    pairs = {
        (one, other): found
        for one, other in combinations(strategies, 2)
        if (found := difference_of(scores, one, other)) and level(rules, len(found.seeds))
    }
    names = [name for name in strategies if any(name in pair for pair in pairs)]
    if not any(found.std for found in pairs.values()):
        return []
    seeds = np.array([len(found.seeds) for found in pairs.values()])
    variances = np.array([(found.std or 0.0) ** 2 for found in pairs.values()])
    moderated = moderate(variances, seeds, shared=max(len(pairs) / (len(names) - 1), 1.0))
    means = np.array([found.mean for found in pairs.values()])
    place = {name: k for k, name in enumerate(names)}
    cells = [(place[one], place[other]) for one, other in pairs]
    alphas = np.array([NOMINAL * level(rules, int(n)) for n in seeds])
    errors = np.sqrt(moderated.variance / seeds)
    lag = _table(len(names), cells, -means, means)  # of the row behind the column
    error = _table(len(names), cells, errors)
    df, alpha = (_table(len(names), cells, values) for values in (moderated.df, alphas))
    each, nearest = np.arange(len(names)), np.nan_to_num(lag / error, nan=-np.inf).argmax(1)
    critical = np.array(
        [
            [best(max(left, 1), len(names), df[k, nearest[k]], alpha[k, nearest[k]]) for k in each]
            for left in range(len(names) + 1)
        ]
    )
    out = step_down((lag / error)[each, nearest], critical)
    limits = critical[(~out).sum()]
    return [
        Standing(name, not out[k], _most(np.delete(bound, k)[np.delete(~out, k)]))
        for k, (name, bound) in enumerate(zip(names, lag + limits[:, None] * error, strict=True))
    ]


def _table(
    size: int, cells: Sequence[tuple[int, int]], values: _Array, turned: _Array | None = None
) -> _Array:
    """Return a square table of what is known of pairs: their values, and those of the pairs turned."""
    table = np.full((size, size), np.nan)
    rows, columns = np.array(cells).T
    table[rows, columns], table[columns, rows] = values, values if turned is None else turned
    return table


def _most(bounds: _Array) -> float | None:
    """Return the largest of bounds, at least 0; None where one is not known."""
    most = float(bounds.max(initial=0.0))
    return None if np.isnan(most) else most
