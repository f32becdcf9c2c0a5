"""Bayesian strategies: query where the subnetworks of dropout disagree."""

from abc import abstractmethod

from torch import Tensor

from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.functional import disagreement
from al_lightning.strategies.functional.blocks import block_bytes, by_blocks
from al_lightning.strategies.sizes import Sizes
from al_lightning.strategies.strategy import ScoreStrategy
from al_lightning.utils.checks import whole_number

_SCORE_BYTES = 64  # an image: its score in two precisions, and the order of all scores


class MonteCarloStrategy(ScoreStrategy):
    """Scores each image by its K dropout samples.

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import MonteCarloStrategy
    >>> agree, disagree = [[0.9, 0.1], [0.9, 0.1]], [[0.9, 0.1], [0.1, 0.9]]
    >>> pool = Evidence(torch.arange(2), mc_probabilities=torch.tensor([agree, disagree]))
    >>> class Range(MonteCarloStrategy):
    ...     def formula(self, samples):
    ...         return (samples.amax(1) - samples.amin(1)).sum(1)
    >>> Range(mc_samples=2).score(pool)
    tensor([0.0000, 1.6000])

    Args:
        mc_samples: K. If only the head has dropout, the backbone runs once for all samples.
        pool_subset: See :class:`~al_lightning.strategies.Strategy`.

    Raises:
        UsageError: On ``mc_samples`` below 1.
    """

    needs = frozenset({Need.MC_PROBABILITIES})

    def __init__(self, mc_samples: int = 20, *, pool_subset: int | None = None) -> None:
        super().__init__(pool_subset=pool_subset)
        whole_number("strategy.mc_samples", mc_samples, least=1)
        self.mc_samples = mc_samples

    @abstractmethod
    def formula(self, samples: Tensor) -> Tensor:
        """Map samples, (B, K, C) float64, to scores, (B,)."""

    def score(self, pool: Evidence) -> Tensor:
        """Score by the formula, block by block."""
        return by_blocks(self.formula, pool.require(Need.MC_PROBABILITIES)).float()

    def working_bytes(self, sizes: Sizes) -> int:
        """Return the scores, and a block."""
        block = block_bytes(sizes.pool, sizes.samples * sizes.classes)
        return _SCORE_BYTES * sizes.pool + block


class BALD(MonteCarloStrategy):
    """Queries the highest mutual information of label and network (Houlsby 2011; Gal 2017).

    Scores are in nats. Images are scored one by one, so a batch may be redundant; :class:`BatchBALD`
    and :class:`Power` avoid that. The score equals a committee's mean divergence from its consensus
    (McCallum & Nigam 1998).

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import BALD
    >>> agree, disagree = [[0.9, 0.1], [0.9, 0.1]], [[0.9, 0.1], [0.1, 0.9]]
    >>> pool = Evidence(torch.arange(2), mc_probabilities=torch.tensor([agree, disagree]))
    >>> BALD(mc_samples=2).score(pool)  # the second is ln 2 less the entropy of (0.9, 0.1)
    tensor([0.0000, 0.3681])
    """

    def formula(self, samples: Tensor) -> Tensor:
        """Score by :func:`~al_lightning.strategies.functional.disagreement.mutual_information`."""
        return disagreement.mutual_information(samples)


class VariationRatios(MonteCarloStrategy):
    """Queries the lowest share of samples that agree on a class (Freeman 1965; Gal 2017).

    There are few distinct scores, so ties are common; they are broken at random.

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import VariationRatios
    >>> agree, disagree = [[0.9, 0.1], [0.9, 0.1]], [[0.9, 0.1], [0.1, 0.9]]
    >>> pool = Evidence(torch.arange(2), mc_probabilities=torch.tensor([agree, disagree]))
    >>> VariationRatios(mc_samples=2).score(pool)
    tensor([0.0000, 0.5000])
    """

    def formula(self, samples: Tensor) -> Tensor:
        """Score by :func:`~al_lightning.strategies.functional.disagreement.variation_ratios`."""
        return disagreement.variation_ratios(samples)


class VoteEntropy(MonteCarloStrategy):
    """Queries the highest entropy of a committee's votes (Dagan & Engelson 1995), in nats.

    The dropout samples are the committee. Its other classic measure, the mean divergence from the
    consensus (McCallum & Nigam 1998), is :class:`BALD`. Ties are common; they are broken at random.

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import VoteEntropy
    >>> agree, disagree = [[0.9, 0.1], [0.9, 0.1]], [[0.9, 0.1], [0.1, 0.9]]
    >>> pool = Evidence(torch.arange(2), mc_probabilities=torch.tensor([agree, disagree]))
    >>> VoteEntropy(mc_samples=2).score(pool)  # the second is ln 2
    tensor([0.0000, 0.6931])
    """

    def formula(self, samples: Tensor) -> Tensor:
        """Score by :func:`~al_lightning.strategies.functional.disagreement.vote_entropy`."""
        return disagreement.vote_entropy(samples)


class MeanStd(MonteCarloStrategy):
    """Queries the highest standard deviation of the samples (Kampffmeyer 2016; Kendall 2017).

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import MeanStd
    >>> agree, disagree = [[0.9, 0.1], [0.9, 0.1]], [[0.9, 0.1], [0.1, 0.9]]
    >>> pool = Evidence(torch.arange(2), mc_probabilities=torch.tensor([agree, disagree]))
    >>> MeanStd(mc_samples=2).score(pool)
    tensor([0.0000, 0.4000])
    """

    def formula(self, samples: Tensor) -> Tensor:
        """Score by :func:`~al_lightning.strategies.functional.disagreement.mean_std`."""
        return disagreement.mean_std(samples)
