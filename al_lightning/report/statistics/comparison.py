"""Comparisons of strategies: differences paired by seed, and the claims that they support."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from al_lightning.report.statistics.multiplicity import holm
from al_lightning.report.statistics.paired import LEAST_FOR_P, PairedDifference, paired_difference
from al_lightning.report.statistics.power import required_seeds
from al_lightning.report.study.scores import Scores

#: The level that all claims of a family share.
ALPHA = 0.05
#: Of required seeds; beyond, the number says no more than that the difference is too small.
MOST_SEEDS = 100


class Outcome(StrEnum):
    """The outcome of a comparison."""

    BETTER = "better"
    WORSE = "worse"
    UNDECIDED = "undecided"
    UNTESTED = "too few seeds"
    NO_SPREAD = "no spread: not testable"


@dataclass(frozen=True)
class Comparison:
    """A strategy against another.

    Attributes:
        strategy: The strategy.
        reference: The strategy that it is compared with.
        difference: Strategy minus reference, paired by seed; None where they share no seed.
        p: Holm-adjusted over the comparisons of its family; None where nothing could be tested.
        family: How many comparisons were tested together.
    """

    strategy: str
    reference: str
    difference: PairedDifference | None
    p: float | None
    family: int

    @property
    def outcome(self) -> Outcome:
        """Better or worse where the adjusted p is below 0.05."""
        if self.difference is None or self.seeds < LEAST_FOR_P:
            return Outcome.UNTESTED
        if self.p is None:
            return Outcome.NO_SPREAD
        if self.p >= ALPHA:
            return Outcome.UNDECIDED
        return Outcome.BETTER if self.difference.mean > 0 else Outcome.WORSE

    @property
    def needed(self) -> int | None:
        """Total number of seeds that would decide the comparison with 80 % power.

        The number assumes that the observed difference and spread are the true ones, at the level
        0.05 / (comparisons of the family), the strictest level of Holm's method. None if it is above
        :data:`MOST_SEEDS`, or unknown.
        """
        found = self.difference
        if found is None or found.p is None or found.std is None:
            return None
        alpha = ALPHA / max(self.family, 1)
        return required_seeds(found.mean, found.std, alpha=alpha, most=MOST_SEEDS)

    @property
    def seeds(self) -> int:
        """How many seeds both have."""
        return len(self.difference.seeds) if self.difference else 0

    @property
    def mean(self) -> float:
        """Mean difference; minus infinity where there is none, so that it sorts last."""
        return self.difference.mean if self.difference else float("-inf")

    def turned(self) -> "Comparison":
        """Return the same with the parts exchanged."""
        found = self.difference.turned() if self.difference else None
        return replace(self, strategy=self.reference, reference=self.strategy, difference=found)


def compare(scores: Scores, pairs: Sequence[tuple[str, str]]) -> list[Comparison]:
    """Compare pairs of strategies as one family.

    Args:
        scores: By strategy and seed.
        pairs: Pairs of strategies.

    Returns:
        One comparison a pair, in their order.
    """
    differences = {pair: _difference(scores, *pair) for pair in pairs}
    adjusted = holm({pair: found.p if found else None for pair, found in differences.items()})
    tests = sum(p is not None for p in adjusted.values())
    return [Comparison(*pair, found, adjusted[pair], tests) for pair, found in differences.items()]


def best_of(against: Sequence[Comparison]) -> str | None:
    """Return the strategy that beats the reference by the most; None where none does."""
    better = [c for c in against if c.outcome is Outcome.BETTER]
    return max(better, key=lambda c: c.mean).strategy if better else None


def rivals_of(best: str, pairs: Sequence[Comparison]) -> list[Comparison]:
    """Return the best against each other strategy, as they stand among all pairs.

    The best was chosen by the same scores, so that a family of these alone would be too small.

    Args:
        best: A strategy.
        pairs: All pairs of strategies, compared as one family.
    """
    mine = [c for c in pairs if best in (c.strategy, c.reference)]
    return [c if c.strategy == best else c.turned() for c in mine]


def _difference(scores: Scores, strategy: str, reference: str) -> PairedDifference | None:
    mine: Mapping[int, float] = scores.get(strategy, {})
    other: Mapping[int, float] = scores.get(reference, {})
    return paired_difference(mine, other) if mine.keys() & other.keys() else None
