"""DropQuery: images whose class depends on which features are dropped, spread by clusters."""

import torch

from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.functional.rows import unit_rows
from al_lightning.strategies.kmeans import KMeansCenters
from al_lightning.strategies.selection import Selection, top_up_at_random
from al_lightning.strategies.sizes import Sizes
from al_lightning.strategies.strategy import Strategy
from al_lightning.utils.checks import whole_number


class DropQuery(Strategy):
    """Clusters images whose predicted class flips where features are dropped; one of each cluster.

    An image is a candidate if its class in more than t of M passes with dropped features is not that
    without dropout. t is M // 2, or the largest number below with at least ``factor`` candidates for
    each image to query, or 0. The candidates' embeddings, of unit length, are clustered by k-means into
    as many clusters as images to query, and the image nearest to each center is chosen. If there are
    fewer candidates than that, all of them are chosen, and the rest is drawn uniformly. Gupte, Aklilu,
    Nirschl & Yeung-Levy, "Revisiting active learning in the era of vision foundation models", TMLR
    2024, algorithm 1, as in the authors' program (the paper fixes t = M // 2).

    The learner drops the features: three of four numbers of an embedding, others for each image and
    pass (see :attr:`Need.DROPPED_FEATURES`). The authors train the head with that dropout, for every
    strategy: ``model.dropout=0.75``. Where k-means leaves a cluster empty, another candidate is drawn.

    A score is the share of the passes in which the class flips.

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import DropQuery
    >>> sure, other = torch.tensor([0.9, 0.1]), torch.tensor([0.4, 0.6])
    >>> passes = torch.stack([torch.stack([sure, sure]), torch.stack([other, sure])])
    >>> pool = Evidence(
    ...     torch.arange(2), sure.repeat(2, 1), torch.rand(2, 8), dropped_features=passes
    ... )
    >>> DropQuery(passes=2).select(pool, None, 1, torch.Generator())
    Selection(ids=tensor([1]), scores=tensor([0.5000]))

    Args:
        passes: M.
        factor: How many candidates for each image to query the threshold is lowered for.
        pool_subset: See :class:`~al_lightning.strategies.Strategy`.

    Raises:
        UsageError: On counts below 1.
    """

    needs = frozenset({Need.PROBABILITIES, Need.EMBEDDINGS, Need.DROPPED_FEATURES})

    def __init__(
        self, passes: int = 3, factor: int = 25, *, pool_subset: int | None = None
    ) -> None:
        super().__init__(pool_subset=pool_subset)
        whole_number("strategy.passes", passes, least=1)
        whole_number("strategy.factor", factor, least=1)
        self.mc_samples = passes
        self.factor = factor

    def choose(
        self,
        pool: Evidence,
        labeled: Evidence,
        count: int,
        generator: torch.Generator,
    ) -> Selection:
        """Choose ``count`` images of the candidates."""
        predicted = pool.require(Need.PROBABILITIES).argmax(1, keepdim=True)
        dropped = pool.require(Need.DROPPED_FEATURES).argmax(2)
        flips = (dropped != predicted).sum(1)
        candidates = self._candidates(flips, dropped.shape[1], count)
        shares = flips / dropped.shape[1]
        if len(candidates) < count:
            best = candidates[shares[candidates].argsort(descending=True, stable=True)]
            return top_up_at_random(pool, best, shares[best], count, generator)
        units = unit_rows(pool.require(Need.EMBEDDINGS)[candidates])
        some = Evidence(candidates, embeddings=units)
        nearest = KMeansCenters().choose(some, labeled, count, generator).ids
        nearest = nearest[shares[nearest].argsort(descending=True, stable=True)]
        return Selection(pool.ids[nearest], shares[nearest])

    def _candidates(self, flips: torch.Tensor, passes: int, count: int) -> torch.Tensor:
        """Return the positions of the candidates, (n,) int64, by how often each flips, (N,) int64."""
        threshold = passes // 2
        while threshold > 0 and int((flips > threshold).sum()) < self.factor * count:
            threshold -= 1
        return (flips > threshold).nonzero().squeeze(1)

    def working_bytes(self, sizes: Sizes) -> int:
        """Return the unit embeddings of all images with their clustering, and the votes."""
        row = sizes.row_bytes({Need.EMBEDDINGS})
        return sizes.pool * (3 * row + 64 + 16 * sizes.samples) + 4 * sizes.count * row
