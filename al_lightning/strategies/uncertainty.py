"""Uncertainty sampling: query where the predicted class probabilities are least decided."""

from torch import Tensor

from al_lightning.evidence import Evidence, Need
from al_lightning.strategies import functional
from al_lightning.strategies.base import ScoreStrategy


class LeastConfidence(ScoreStrategy):
    """Queries the lowest maximal probability (Lewis & Gale 1994); scores are 1 - max p."""

    needs = frozenset({Need.PROBABILITIES})

    def score(self, pool: Evidence) -> Tensor:
        """Score by :func:`~al_lightning.strategies.functional.least_confidence`."""
        return functional.least_confidence(pool.require(Need.PROBABILITIES))


class Margin(ScoreStrategy):
    """Queries the smallest gap between the two likeliest classes (Scheffer et al. 2001).

    Scores are -(p(1) - p(2)).
    """

    needs = frozenset({Need.PROBABILITIES})

    def score(self, pool: Evidence) -> Tensor:
        """Score by :func:`~al_lightning.strategies.functional.margin`."""
        return functional.margin(pool.require(Need.PROBABILITIES))


class Entropy(ScoreStrategy):
    """Queries the highest entropy of the predicted classes (Settles 2009); scores are in nats."""

    needs = frozenset({Need.PROBABILITIES})

    def score(self, pool: Evidence) -> Tensor:
        """Score by :func:`~al_lightning.strategies.functional.entropy`."""
        return functional.entropy(pool.require(Need.PROBABILITIES))
