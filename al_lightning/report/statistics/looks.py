"""Planned looks: which seeds claims rest on, and the level of each look.

Whoever looks again after more seeds, until something is found, makes false claims sooner or later. So
claims are made at planned numbers of seeds alone, and each look has one and the same lower level
(Pocock 1977, Biometrika 64).
"""

from collections.abc import Collection, Mapping, Sequence, Set
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr

from al_lightning.report.rules import ALPHA, Rules
from al_lightning.report.statistics.paired import Scores

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(64)


@dataclass(frozen=True)
class Basis:
    """The seeds that the claims of a study rest on.

    Attributes:
        seeds: The lowest ones that all compared strategies share, as many as the look takes,
            ascending; empty before the first look.
        shared: How many seeds all compared strategies share.
        compared: The strategies that share enough seeds with the reference for the first look, the
            reference among them.
        scores: Of the compared strategies over ``seeds``, before the first look over what they share,
            if anything; of the others over all of their seeds.
        behind: The compared strategies without which the others would be at a later look; how many
            seeds each shares with the reference.
        ahead: How many seeds the others share; 0 where none is behind.
    """

    seeds: tuple[int, ...]
    shared: int
    compared: tuple[str, ...]
    scores: Scores
    behind: Mapping[str, int]
    ahead: int


def basis(scores: Scores, reference: str | None, rules: Rules) -> Basis:
    """Return what the claims of a study rest on; the same scores always give the same.

    Args:
        scores: By strategy and seed.
        reference: The strategy that the others are compared with; None without one.
        rules: With the looks.
    """
    compared = {
        name: found
        for name, values in scores.items()
        if len(found := values.keys() & scores.get(reference or name, {}).keys()) >= rules.looks[0]
    }
    shared = _shared(compared.values())
    seeds = tuple(shared[: rules.look(len(shared)) or 0])
    common = seeds or shared
    used = {
        name: {seed: values[seed] for seed in common} if common and name in compared else values
        for name, values in scores.items()
    }
    behind, ahead = _behind(compared, len(seeds), rules)
    return Basis(seeds, len(shared), tuple(compared), used, behind, ahead)


def _shared(groups: Collection[Set[int]]) -> list[int]:
    return sorted(set.intersection(*map(set, groups))) if groups else []


def _behind(compared: Mapping[str, Set[int]], now: int, rules: Rules) -> tuple[dict[str, int], int]:
    """Return who keeps the others from the latest look that several could be at, see :class:`Basis`."""
    for look in reversed([look for look in rules.looks if look > now]):
        ahead = [seeds for seeds in compared.values() if len(seeds) >= look]
        if len(ahead) > 1 and (shared := len(_shared(ahead))) >= look:
            return {name: len(s) for name, s in compared.items() if len(s) < look}, shared
    return {}, 0


def level(rules: Rules, seeds: int) -> float:
    """Return the level of the claims from so many seeds; 0 before the first look."""
    return look_level(tuple(rules.looks)) if rules.look(seeds) else 0.0


@lru_cache(maxsize=64)
def look_level(looks: tuple[int, ...]) -> float:
    """Return the level of each look, so that all together stay at :data:`ALPHA`.

    It is Pocock's: for a normal mean, looked at after so many values, two-sided, by the recursion of
    Armitage, McPherson and Rowe 1969 (Journal of the Royal Statistical Society A 132). Looks that lie
    far apart have nearly Bonferroni's level.

    >>> [round(look_level(looks), 4) for looks in ((5,), (5, 10), (5, 10, 15))]
    [0.05, 0.0294, 0.0221]

    Args:
        looks: Numbers of seeds, ascending.
    """

    def excess(limit: float) -> float:
        return 1 - _stay(looks, limit) - ALPHA

    limit = float(brentq(excess, 1.0, 6.0, xtol=1e-10))
    return float(2 * ndtr(-limit))


def _stay(looks: Sequence[int], limit: float) -> float:
    """Return the chance that no standardized mean exceeds a limit at any look."""
    ends = [limit * look**0.5 for look in looks]
    sums, weights = ends[0] * _NODES, ends[0] * _WEIGHTS
    density = np.exp(-(sums**2) / (2 * looks[0])) / np.sqrt(2 * np.pi * looks[0])
    for before, look, end in zip(looks, looks[1:], ends[1:], strict=False):
        step = look - before
        later = end * _NODES
        apart = later[:, None] - sums
        density = np.exp(-(apart**2) / (2 * step)) @ (density * weights) / np.sqrt(2 * np.pi * step)
        sums, weights = later, end * _WEIGHTS
    return float(density @ weights)
