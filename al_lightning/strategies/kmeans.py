"""The most central image of each of as many clusters as there are images to ask for."""

import torch

from al_lightning.evidence import Evidence, Need
from al_lightning.sizes import Sizes
from al_lightning.strategies.base import Strategy
from al_lightning.strategies.clusters import cluster
from al_lightning.strategies.selection import Selection

_BLOCK = 1_024  # images or centers at a time


class KMeansCenters(Strategy):
    """Clusters the embeddings of the pool, and picks the image nearest to each center.

    As many clusters as images are asked for; the largest clusters come first. Xu, Yu, Tresp, Xu & Wang,
    "Representative sampling for text classification using support vector machines", ECIR 2003; with
    weights, and beside uncertainty: Zhdanov, "Diverse mini-batch active learning", 2019 (see
    ``shortlist``). Where equal images leave clusters empty, the rest is drawn from the images that were
    not picked, uniformly.

    A score is the size of the image's cluster over that of the pool; 0 for the rest.

    Args:
        pool_subset: How many of the unlabeled images it is shown; None for all.
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
        clusters = cluster(pool.require(Need.EMBEDDINGS), count, generator)
        distances = torch.empty(len(pool), dtype=torch.float64)
        for block in torch.split(torch.arange(len(pool)), _BLOCK):
            own = clusters.rows[block].double() - clusters.centers[clusters.labels[block]]
            distances[block] = own.square().sum(1)
        # By cluster, and by distance within it: the first of each cluster is its nearest.
        order = distances.argsort(stable=True)
        order = order[clusters.labels[order].argsort(stable=True)]
        sizes = clusters.sizes()
        starts = sizes.cumsum(0) - sizes
        nearest = order[starts[sizes > 0]]
        by_size = sizes[sizes > 0].argsort(descending=True, stable=True)
        return filled(
            pool, nearest[by_size], sizes[sizes > 0][by_size] / len(pool), count, generator
        )

    def working_bytes(self, sizes: Sizes) -> int:
        """Return a scaled copy of the embeddings, the centers, and a few numbers an image."""
        row = sizes.row_bytes(self.needs)
        return sizes.pool * (row + 64) + 4 * sizes.count * row


def filled(
    pool: Evidence,
    picks: torch.Tensor,
    scores: torch.Tensor,
    count: int,
    generator: torch.Generator,
) -> Selection:
    """Return picks, filled up uniformly to ``count`` with others, of score 0.

    Args:
        pool: Evidence on N images.
        picks: Positions, (M,) int64, distinct; M is at most ``count``.
        scores: Theirs, (M,) float.
        count: At most N.
        generator: Draws what is missing.
    """
    free = torch.ones(len(pool), dtype=torch.bool)
    free[picks] = False
    rest = free.nonzero().squeeze(1)
    rest = rest[torch.randperm(len(rest), generator=generator)[: count - len(picks)]]
    ids = pool.ids[torch.cat([picks, rest])]
    return Selection(ids, torch.cat([scores.float(), torch.zeros(len(rest))]))
