"""Strategies against a reference: differences paired by seed, and what may be claimed of them.

All strategies are one family: the chance of any false claim in it is at most 5 %. The variances of the
differences are moderated, the critical values are Dunnett's, step by step: each claim eases the test of
the others. Intervals are simultaneous: with 95 % confidence, all hold at once.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from al_lightning.report.rules import Rules
from al_lightning.report.statistics.looks import level
from al_lightning.report.statistics.many import dunnett
from al_lightning.report.statistics.moderation import NOMINAL, around_one, moderate, step_down
from al_lightning.report.statistics.paired import PairedDifference, Scores, paired_difference


class Outcome(StrEnum):
    """The reading of a difference."""

    BETTER = "better"
    WORSE = "worse"
    SAME = "the same"
    UNDECIDED = "undecided"
    UNTESTED = "too few seeds"
    NO_SPREAD = "no spread: not testable"


@dataclass(frozen=True)
class Comparison:
    """A strategy against the reference.

    Attributes:
        strategy: The strategy.
        reference: The strategy that it is compared with.
        difference: Strategy minus reference, paired by seed, by itself; None where they share no seed.
        interval: Of the mean difference, simultaneous with those of the family; None where nothing is
            tested.
        outcome: The reading. Better and worse where the interval excludes 0, or ends at 0 after a later
            step; the same where it lies within the margin.
    """

    strategy: str
    reference: str
    difference: PairedDifference | None
    interval: tuple[float, float] | None
    outcome: Outcome

    @property
    def seeds(self) -> int:
        """How many seeds both have."""
        return len(self.difference.seeds) if self.difference else 0

    @property
    def mean(self) -> float:
        """Mean difference; minus infinity where there is none, so that it sorts last."""
        return self.difference.mean if self.difference else float("-inf")


def compare(
    scores: Scores,
    reference: str,
    strategies: Sequence[str],
    rules: Rules | None = None,
    *,
    claims: bool = True,
) -> list[Comparison]:
    """Compare strategies with a reference, as one family.

    Args:
        scores: By strategy and seed.
        reference: The strategy that the others are compared with.
        strategies: The others.
        rules: By which differences are read.
        claims: Whether anything is tested; else there are the differences alone.

    Returns:
        One comparison a strategy, in their order.
    """
    rules = rules or Rules()
    differences = {name: difference_of(scores, name, reference) for name in strategies}
    tested = {
        name: found
        for name, found in differences.items()
        if claims and found and level(rules, len(found.seeds))
    }
    read = _read(tested, reference, rules) if tested else {}
    unread = {
        name: Outcome.NO_SPREAD if name in tested else Outcome.UNTESTED for name in differences
    }
    return [
        read.get(name) or Comparison(name, reference, difference, None, unread[name])
        for name, difference in differences.items()
    ]


def difference_of(scores: Scores, strategy: str, other: str) -> PairedDifference | None:
    """Return the paired difference of two strategies; None where they share no seed."""
    mine, theirs = scores.get(strategy, {}), scores.get(other, {})
    return paired_difference(mine, theirs) if mine.keys() & theirs.keys() else None


def _read(
    tested: dict[str, PairedDifference], reference: str, rules: Rules
) -> dict[str, Comparison]:
    """Test differences together; empty where none has a spread."""
    count = len(tested)
    seeds = np.array([len(d.seeds) for d in tested.values()])
    variances = np.array([(d.std or 0.0) ** 2 for d in tested.values()])
    if not variances.any():
        return {}
    moderated = moderate(variances, seeds, around_one(count))
    means = np.array([d.mean for d in tested.values()])
    errors = np.sqrt(moderated.variance / seeds)
    alphas = [NOMINAL * level(rules, int(n)) for n in seeds]
    critical = np.array(
        [
            [dunnett(max(left, 1), *each) for each in zip(moderated.df, alphas, strict=True)]
            for left in range(count + 1)
        ]
    )
    claimed = step_down(np.abs(means) / errors, critical)
    halves = critical[count] * errors
    return {
        name: _comparison(name, reference, difference, float(half), bool(claim), rules)
        for (name, difference), half, claim in zip(tested.items(), halves, claimed, strict=True)
    }


def _comparison(
    name: str,
    reference: str,
    difference: PairedDifference,
    half: float,
    claim: bool,
    rules: Rules,
) -> Comparison:
    mean, margin = difference.mean, rules.margin / 100
    low, high = mean - half, mean + half
    if claim:
        # A claim of a later step: the interval for all steps at once may not go beyond 0.
        low, high = (max(low, 0.0), high) if mean > 0 else (low, min(high, 0.0))
        outcome = Outcome.BETTER if mean > 0 else Outcome.WORSE
    else:
        outcome = Outcome.SAME if -margin < low and high < margin else Outcome.UNDECIDED
    return Comparison(name, reference, difference, (low, high), outcome)
