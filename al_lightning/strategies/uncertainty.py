"""Uncertainty sampling: query where the predicted class probabilities are least decided."""

from abc import abstractmethod

from torch import Tensor

from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.functional import uncertainty_scores as uncertainty
from al_lightning.strategies.strategy import ScoreStrategy
from al_lightning.utils.checks import whole_number


class UncertaintyStrategy(ScoreStrategy):
    """Scores each image by its class probabilities.

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import UncertaintyStrategy
    >>> rows = torch.tensor([[0.5, 0.5], [0.9, 0.1], [0.6, 0.4]])
    >>> pool = Evidence(torch.arange(3), probabilities=rows)
    >>> class Gini(UncertaintyStrategy):
    ...     def formula(self, probabilities):
    ...         return 1 - probabilities.square().sum(1)
    >>> Gini().select(pool, None, 1, torch.Generator())
    Selection(ids=tensor([0]), scores=tensor([0.5000]))

    Args:
        mc_samples: Use the mean probabilities of this many dropout samples; None uses those without
            dropout, which costs less.
        pool_subset: See :class:`~al_lightning.strategies.Strategy`.

    Raises:
        UsageError: On ``mc_samples`` below 1.
    """

    needs = frozenset({Need.PROBABILITIES})

    def __init__(self, mc_samples: int | None = None, *, pool_subset: int | None = None) -> None:
        super().__init__(pool_subset=pool_subset)
        if mc_samples is not None:
            whole_number("strategy.mc_samples", mc_samples, least=1)
            self.mc_samples = mc_samples
            self.needs = frozenset({Need.MC_PROBABILITIES})

    @abstractmethod
    def formula(self, probabilities: Tensor) -> Tensor:
        """Map class probabilities, (N, C), to scores, (N,)."""

    def score(self, pool: Evidence) -> Tensor:
        """Score by the formula."""
        if Need.MC_PROBABILITIES in self.needs:
            return self.formula(pool.require(Need.MC_PROBABILITIES).mean(1))
        return self.formula(pool.require(Need.PROBABILITIES))


class LeastConfidence(UncertaintyStrategy):
    """Queries the lowest maximal probability (Lewis & Gale 1994); scores are 1 - max p.

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import LeastConfidence
    >>> rows = torch.tensor([[0.5, 0.5], [0.9, 0.1], [0.6, 0.4]])
    >>> pool = Evidence(torch.arange(3), probabilities=rows)
    >>> LeastConfidence().score(pool)
    tensor([0.5000, 0.1000, 0.4000])
    """

    def formula(self, probabilities: Tensor) -> Tensor:
        """Score by :func:`~al_lightning.strategies.functional.uncertainty_scores.least_confidence`."""
        return uncertainty.least_confidence(probabilities)


class Margin(UncertaintyStrategy):
    """Queries the smallest gap between the two likeliest classes (Scheffer et al. 2001).

    Scores are -(p(1) - p(2)).

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import Margin
    >>> rows = torch.tensor([[0.5, 0.5], [0.9, 0.1], [0.6, 0.4]])
    >>> pool = Evidence(torch.arange(3), probabilities=rows)
    >>> Margin().select(pool, None, 2, torch.Generator()).ids
    tensor([0, 2])
    """

    may_be_negative = True

    def weigh(self, scores: Tensor) -> Tensor:
        """Return 1 - (p(1) - p(2)), as Zhdanov 2019 does."""
        return 1 + scores

    def formula(self, probabilities: Tensor) -> Tensor:
        """Score by :func:`~al_lightning.strategies.functional.uncertainty_scores.margin`."""
        return uncertainty.margin(probabilities)


class Ratio(UncertaintyStrategy):
    """Queries the highest ratio of the two likeliest classes; scores are p(2) / p(1), in [0, 1].

    It asks for the images of :class:`Margin`, if two classes are likely at all; among several likely
    classes, p(1) is small, and the ratio counts their doubt more.

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import Ratio
    >>> rows = torch.tensor([[0.5, 0.5, 0.0], [0.9, 0.1, 0.0], [0.4, 0.3, 0.3]])
    >>> Ratio().score(Evidence(torch.arange(3), probabilities=rows))
    tensor([1.0000, 0.1111, 0.7500])
    """

    def formula(self, probabilities: Tensor) -> Tensor:
        """Score by :func:`~al_lightning.strategies.functional.uncertainty_scores.ratio`."""
        return uncertainty.ratio(probabilities)


class Entropy(UncertaintyStrategy):
    """Queries the highest entropy of the predicted classes (Settles 2009); scores are in nats.

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import Entropy
    >>> rows = torch.tensor([[0.5, 0.5], [0.9, 0.1], [0.6, 0.4]])
    >>> pool = Evidence(torch.arange(3), probabilities=rows)
    >>> Entropy().score(pool)  # the first is ln 2
    tensor([0.6931, 0.3251, 0.6730])
    """

    def formula(self, probabilities: Tensor) -> Tensor:
        """Score by :func:`~al_lightning.strategies.functional.uncertainty_scores.entropy`."""
        return uncertainty.entropy(probabilities)
