"""TypiClust: typical images of clusters that have no label yet, for small budgets."""

import torch
from torch import Tensor

from al_lightning.evidence import Evidence, Need
from al_lightning.sizes import Sizes
from al_lightning.strategies.base import Strategy, require_count
from al_lightning.strategies.clusters import Clusters, cluster, squared_distances, unit_rows
from al_lightning.strategies.selection import Selection

_BLOCK_NUMBERS = 2**20  # distances at a time


class TypiClust(Strategy):
    """Picks the most typical image of the largest cluster with the fewest labels, again and again.

    Labeled and unlabeled images together are clustered, by their embeddings at unit length, into as
    many clusters as there are labels and images to ask for, but no more than ``max_clusters``. An
    image's typicality is 1 over its mean distance to its ``neighbors`` nearest images of the same
    cluster. Hacohen, Dekel & Weinshall, "Active learning on a budget: opposite strategies suit high and
    low budgets", ICML 2022, algorithm 1 with the settings of the authors' program: clusters of fewer
    than ``min_size`` images are passed over while others have images left; k-means up to 50 clusters,
    by batches beyond.

    The published method embeds by self-supervised learning. Here the embeddings are the classifier's:
    with a frozen pretrained backbone it is the published method, for the first labels too.

    A score is the typicality, between 0 and 1 over the smallest distance of float32.

    Args:
        neighbors: Images that typicality is measured by, at least 1.
        max_clusters: At least 1.
        min_size: Images of a cluster that is picked from first.
        pool_subset: How many of the unlabeled images it is shown; None for all.

    Raises:
        UsageError: On counts below 1.
    """

    needs = labeled_needs = frozenset({Need.EMBEDDINGS})

    def __init__(
        self,
        neighbors: int = 20,
        max_clusters: int = 500,
        min_size: int = 5,
        *,
        pool_subset: int | None = None,
    ) -> None:
        super().__init__(pool_subset=pool_subset)
        require_count("neighbors", neighbors)
        require_count("max_clusters", max_clusters)
        require_count("min_size", min_size)
        self.neighbors = neighbors
        self.max_clusters = max_clusters
        self.min_size = min_size

    def choose(
        self, pool: Evidence, labeled: Evidence, count: int, generator: torch.Generator
    ) -> Selection:
        """Choose ``count`` images, cluster after cluster."""
        known = labeled.require(Need.EMBEDDINGS)
        rows = unit_rows(torch.cat([known, pool.require(Need.EMBEDDINGS)]))
        wanted = min(len(labeled) + count, self.max_clusters, len(rows))
        clusters = cluster(rows, wanted, generator)
        owners = _turns(clusters, len(labeled), count, self.min_size)
        picks = torch.empty(count, dtype=torch.int64)
        scores = torch.empty(count)
        for owner in torch.unique(owners).tolist():
            members = (clusters.labels == owner).nonzero().squeeze(1)
            values = typicality(clusters.rows[members], self.neighbors)
            unlabeled = members >= len(labeled)
            members, values = members[unlabeled] - len(labeled), values[unlabeled]
            turns = (owners == owner).nonzero().squeeze(1)
            best = values.argsort(descending=True, stable=True)[: len(turns)]
            picks[turns], scores[turns] = members[best], values[best].float()
        return Selection(pool.ids[picks], scores)

    def working_bytes(self, sizes: Sizes) -> int:
        """Return two copies of all embeddings, the centers, and a few blocks."""
        row = sizes.row_bytes(self.needs)
        images = sizes.pool + sizes.labeled
        return images * (3 * row + 64) + 4 * self.max_clusters * row + 32 * _BLOCK_NUMBERS


def typicality(rows: Tensor, neighbors: int) -> Tensor:
    """Return 1 over the mean distance of each row to its nearest others.

    Args:
        rows: Embeddings of a cluster, (n, D) float32.
        neighbors: How many others, or all where there are fewer.

    Returns:
        (n,) float64, above 0 and finite; the only image of a cluster, and images that are equal to all
        their neighbors, get the largest value there is.
    """
    means = torch.zeros(len(rows), dtype=torch.float64)
    nearest = min(neighbors, len(rows) - 1)
    if nearest > 0:
        size, rows = max(1, _BLOCK_NUMBERS // len(rows)), rows.double()
        for block in torch.split(torch.arange(len(rows)), size):
            squared = squared_distances(rows[block], rows)
            squared[torch.arange(len(block)), block] = torch.inf  # not its own neighbor
            means[block] = squared.topk(nearest, largest=False).values.sqrt().mean(1)
    return 1 / means.clamp(min=1 / torch.finfo(torch.float32).max)


def _turns(clusters: Clusters, labeled: int, count: int, min_size: int) -> Tensor:
    """Return from which cluster each pick is, (count,) int64.

    The cluster with the fewest labels, those to be picked among them, and of these the largest; small
    clusters only where no other has an image left.
    """
    sizes = clusters.sizes()
    known = torch.bincount(clusters.labels[:labeled], minlength=len(clusters))
    left = sizes - known
    small = sizes < min_size
    owners = torch.empty(count, dtype=torch.int64)
    most = int(sizes.max())
    for turn in range(count):
        # One number that orders by (few labels, large); what is small or empty comes last.
        rank = known * (most + 1) + (most - sizes)
        last = int(rank.max()) + 1
        rank = rank + last * small
        rank = rank.masked_fill(left == 0, 3 * last)
        owner = int(rank.argmin())
        owners[turn] = owner
        known[owner] += 1
        left[owner] -= 1
    return owners
