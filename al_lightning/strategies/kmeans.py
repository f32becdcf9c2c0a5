"""The most central image of each cluster, with one cluster per image to query."""

import torch

from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.functional.clusters import cluster, cluster_bytes
from al_lightning.strategies.selection import Selection, top_up_at_random
from al_lightning.strategies.sizes import Sizes
from al_lightning.strategies.strategy import Strategy


class KMeansCenters(Strategy):
    """Clusters the embeddings of the pool, and picks the image nearest to each center.

    There is one cluster per image to query; the largest clusters come first. Xu, Yu, Tresp, Xu & Wang,
    "Representative sampling for text classification using support vector machines", ECIR 2003. If
    there are fewer distinct images than clusters, the rest is drawn uniformly from the other images.

    If the evidence has ``weights``, centers are weighted means, and the size of a cluster is the sum
    of its weights. In a :class:`Shortlist` that is Zhdanov's strategy.

    A score is the share of the pool, or of its weights, in the image's cluster; 0 for the rest.

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import KMeansCenters
    >>> embeddings = torch.tensor([[0.0], [1.0], [2.0], [50.0]])
    >>> pool = Evidence(torch.arange(4), embeddings=embeddings)
    >>> KMeansCenters().select(pool, None, 2, torch.Generator())
    Selection(ids=tensor([1, 3]), scores=tensor([0.7500, 0.2500]))

    Args:
        pool_subset: See :class:`~al_lightning.strategies.Strategy`.
    """

    needs = frozenset({Need.EMBEDDINGS})

    def choose(
        self,
        pool: Evidence,
        labeled: Evidence,  # noqa: ARG002 - clusters are those of the pool
        count: int,
        generator: torch.Generator,
    ) -> Selection:
        """Choose an image of each cluster."""
        clusters = cluster(pool.require(Need.EMBEDDINGS), count, generator, pool.weights)
        # By cluster, and by distance within it: the first of each cluster is its nearest.
        order = clusters.squares_to_own_center().argsort(stable=True)
        order = order[clusters.labels[order].argsort(stable=True)]
        sizes = clusters.sizes()
        starts = (sizes.cumsum(0) - sizes)[sizes > 0]
        shares = clusters.shares(pool.weights)[sizes > 0]
        by_share = shares.argsort(descending=True, stable=True)
        return top_up_at_random(pool, order[starts][by_share], shares[by_share], count, generator)

    def working_bytes(self, sizes: Sizes) -> int:
        """Return coordinates on axes, centers, and a few numbers an image."""
        row = sizes.row_bytes(self.needs)
        return sizes.pool * (cluster_bytes(row) + 64) + 4 * sizes.count * row
