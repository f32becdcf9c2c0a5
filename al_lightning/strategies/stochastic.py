"""Stochastic acquisition: a score with noise, so that a batch is not the same thing many times."""

from abc import abstractmethod

import torch
from torch import Tensor

from al_lightning.strategies.evidence import Evidence
from al_lightning.strategies.parts import require_part
from al_lightning.strategies.selection import Selection
from al_lightning.strategies.sizes import Sizes
from al_lightning.strategies.strategy import ScoreStrategy, Strategy, top_k
from al_lightning.utils.errors import UsageError

_BYTES_AN_IMAGE = 64  # scores, their noise in float64, and the order of both


class StochasticStrategy(Strategy):
    """Queries the highest log weight + Gumbel noise / beta; the weights depend on the scores.

    This is a sample without replacement, in which the next image is drawn with a probability
    proportional to weight ^ beta (Kool, van Hoof & Welling 2019).
    Kirsch, Farquhar, Atighehchian, Jesson, Branchaud-Charron & Gal, "Stochastic batch acquisition: a
    simple baseline for deep active learning", TMLR 2023 (arXiv:2106.12059).

    The scores of a selection are those of ``base``, in its unit.

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import Entropy, StochasticStrategy
    >>> rows = torch.tensor([[0.5, 0.5], [0.9, 0.1], [0.6, 0.4]])
    >>> pool = Evidence(torch.arange(3), probabilities=rows)
    >>> class Squared(StochasticStrategy):
    ...     def log_weights(self, scores):
    ...         return 2 * scores.log()
    >>> Squared(Entropy(), beta=1e9).select(pool, None, 2, torch.Generator()).ids
    tensor([0, 2])

    Args:
        base: Scores the images, such as :class:`~al_lightning.strategies.BALD`.
        beta: Greater than 0. A larger value makes the draw less random; the paper uses 1.
        pool_subset: See :class:`~al_lightning.strategies.Strategy`.

    Raises:
        UsageError: If ``base`` scores no single images, or has a ``pool_subset`` of its own, or
            ``beta`` is not positive.
    """

    def __init__(
        self, base: ScoreStrategy, beta: float = 1.0, *, pool_subset: int | None = None
    ) -> None:
        super().__init__(pool_subset=pool_subset)
        require_part("strategy.base", base, scores=True)
        if not 0 < beta < float("inf"):
            raise UsageError(f"strategy.beta must be greater than 0, not {beta}")
        self.base = base
        self.beta = beta
        self.needs, self.labeled_needs = base.needs, base.labeled_needs
        self.mc_samples = base.mc_samples

    @abstractmethod
    def log_weights(self, scores: Tensor) -> Tensor:
        """Map scores, (N,) float64, to logarithms of weights, (N,); may be -infinity, never NaN."""

    def choose(
        self,
        pool: Evidence,
        labeled: Evidence,  # noqa: ARG002 - a score depends on the pool alone
        count: int,
        generator: torch.Generator,
    ) -> Selection:
        """Choose the ``count`` highest after noise."""
        scores = self.base.scores_of(pool)
        noise = gumbel(len(scores), generator) / self.beta
        top = top_k(self.log_weights(scores.double()) + noise, count, generator)
        return Selection(pool.ids[top], scores[top])

    def working_bytes(self, sizes: Sizes) -> int:
        """Return the bytes of the base strategy, and of the noise."""
        return self.base.working_bytes(sizes) + _BYTES_AN_IMAGE * sizes.pool


class Power(StochasticStrategy):
    """Draws images in proportion to score ^ beta: log score + Gumbel noise / beta.

    An image of score 0 comes only after all others.

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import Entropy, Power
    >>> rows = torch.tensor([[0.5, 0.5], [0.9, 0.1], [0.6, 0.4]])
    >>> pool = Evidence(torch.arange(3), probabilities=rows)
    >>> selection = Power(Entropy()).select(pool, None, 3, torch.Generator())
    >>> selection.scores.sort(descending=True).values
    tensor([0.6931, 0.6730, 0.3251])

    Args:
        base: Scores the images; no score may be below 0.
        beta: Exponent of the scores, above 0. A larger value makes the draw less random.
        pool_subset: See :class:`~al_lightning.strategies.Strategy`.

    Raises:
        UsageError: On a ``beta`` that is not above 0, on a ``base`` that scores no single images, and
            where it says that it may score below 0, or does so.
    """

    def __init__(
        self, base: ScoreStrategy, beta: float = 1.0, *, pool_subset: int | None = None
    ) -> None:
        super().__init__(base, beta, pool_subset=pool_subset)
        if base.may_be_negative:
            raise UsageError(_no_weights(base))

    def log_weights(self, scores: Tensor) -> Tensor:
        """Return ln score."""
        if float(scores.min()) < 0:
            raise UsageError(_no_weights(self.base))
        return scores.log()


def _no_weights(base: ScoreStrategy) -> str:
    return (
        f"strategy=power needs scores of at least 0, and those of {type(base).__name__} may be below: "
        "take strategy=softmax or strategy=softrank, which take any scores"
    )


class Softmax(StochasticStrategy):
    """Draws images in proportion to exp(beta score): score + Gumbel noise / beta.

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import Margin, Softmax
    >>> rows = torch.tensor([[0.5, 0.5], [0.9, 0.1], [0.6, 0.4]])
    >>> pool = Evidence(torch.arange(3), probabilities=rows)
    >>> Softmax(Margin(), beta=1e9).select(pool, None, 2, torch.Generator()).ids
    tensor([0, 2])
    """

    def log_weights(self, scores: Tensor) -> Tensor:
        """Return the scores themselves."""
        return scores


class SoftRank(StochasticStrategy):
    """Draws images in proportion to rank ^ -beta: -log rank + Gumbel noise / beta.

    The highest score has rank 1; equal scores share the mean of their ranks.

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import Margin, SoftRank
    >>> rows = torch.tensor([[0.5, 0.5], [0.9, 0.1], [0.6, 0.4]])
    >>> pool = Evidence(torch.arange(3), probabilities=rows)
    >>> SoftRank(Margin(), beta=1e9).select(pool, None, 2, torch.Generator()).ids
    tensor([0, 2])
    """

    def log_weights(self, scores: Tensor) -> Tensor:
        """Return -ln rank."""
        return -mean_ranks(scores).log()


def gumbel(count: int, generator: torch.Generator) -> Tensor:
    """Draw standard Gumbel noise, (count,) float64: -ln E with E exponential of mean 1."""
    return -torch.empty(count, dtype=torch.float64).exponential_(generator=generator).log()


def mean_ranks(scores: Tensor) -> Tensor:
    """Return descending ranks from 1, (N,) float64; equal scores share the mean of their ranks.

    Args:
        scores: (N,) float.
    """
    ascending, order = scores.sort()
    _, sizes = torch.unique_consecutive(ascending, return_counts=True)
    above = len(scores) - sizes.cumsum(0)
    ranks = torch.empty(len(scores), dtype=torch.float64)
    ranks[order] = (above + (sizes.double() + 1) / 2).repeat_interleave(sizes)
    return ranks
