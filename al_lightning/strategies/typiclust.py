"""TypiClust: typical images of clusters that have no label yet, for small budgets."""

import torch
from torch import Tensor

from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.functional.clusters import cluster, cluster_bytes
from al_lightning.strategies.functional.rows import squared_distances, unit_rows
from al_lightning.strategies.selection import Selection
from al_lightning.strategies.sizes import Sizes
from al_lightning.strategies.strategy import Strategy
from al_lightning.utils.checks import whole_number

_BLOCK_NUMBERS = 2**20  # distances at a time
_LEAST_DISTANCE = 1e-5  # squared, between unit vectors; so that equal images have a typicality


class TypiClust(Strategy):
    """Picks the most typical image of the largest clusters with the fewest labels, round-robin.

    Labeled and unlabeled images are clustered together, by embeddings of unit length, into as many
    clusters as there are labels plus images to query, but at most ``max_clusters``. Clusters with the
    fewest labels come first, and of these the largest; each gives one image per turn. An image's
    typicality is 1 / mean squared distance to its ``neighbors`` nearest unlabeled images in the same
    cluster, or to half of the cluster's unlabeled images if that is less. Hacohen, Dekel & Weinshall,
    "Active learning on a budget: opposite strategies suit high and low budgets", ICML 2022,
    algorithm 1, as in the authors' code. The paper differs: it uses distances that are not squared, to
    all images, and skips clusters of fewer than 5 images. Where the authors' code would raise an error,
    clusters without images are skipped, and clusters below ``min_size`` come last. K-means starts once
    (the authors' code: ten times), on the first 128 principal axes, and clusters that it leaves empty
    are filled.

    The published method uses self-supervised embeddings. Here the embeddings are the classifier's:
    with a frozen pretrained backbone it is the published method, also for the first labels.

    A score is the typicality, in (0, 100,000].

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import TypiClust
    >>> angles = torch.tensor([0.0, 0.1, 0.2, 3.0])
    >>> pool = Evidence(torch.arange(4), embeddings=torch.stack([angles.cos(), angles.sin()], 1))
    >>> TypiClust(neighbors=2).select(pool, None, 1, torch.Generator()).ids  # the middle of three
    tensor([1])

    Args:
        neighbors: Number of neighbors for the typicality, at least 1.
        max_clusters: At least 1.
        min_size: Clusters with fewer images, labeled or not, come last.
        pool_subset: See :class:`~al_lightning.strategies.Strategy`.

    Raises:
        UsageError: On counts below 1.
    """

    needs = labeled_needs = frozenset({Need.EMBEDDINGS})

    def __init__(
        self,
        neighbors: int = 20,
        max_clusters: int = 500,
        min_size: int = 6,
        *,
        pool_subset: int | None = None,
    ) -> None:
        super().__init__(pool_subset=pool_subset)
        whole_number("strategy.neighbors", neighbors, least=1)
        whole_number("strategy.max_clusters", max_clusters, least=1)
        whole_number("strategy.min_size", min_size, least=1)
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
        sizes, has = (
            clusters.sizes(),
            torch.bincount(clusters.labels[: len(labeled)], minlength=wanted),
        )
        free = torch.arange(len(rows)) >= len(labeled)
        picks, scores = torch.empty(count, dtype=torch.int64), torch.empty(count)
        for turn, owner in enumerate(cluster_turns(sizes, has, self.min_size)[:count].tolist()):
            members = (free & (clusters.labels == owner)).nonzero().squeeze(1)
            values = typicality(rows[members], self.neighbors)
            best = int(values.argmax())
            picks[turn], scores[turn] = members[best], values[best]
            free[picks[turn]] = False
        return Selection(pool.ids[picks - len(labeled)], scores)

    def working_bytes(self, sizes: Sizes) -> int:
        """Return two copies of all embeddings, coordinates on axes, the centers, and a few blocks."""
        row = sizes.row_bytes(self.needs)
        images = sizes.pool + sizes.labeled
        return (
            images * (2 * row + cluster_bytes(row) + 64)
            + 4 * self.max_clusters * row
            + 32 * _BLOCK_NUMBERS
        )


def typicality(rows: Tensor, neighbors: int) -> Tensor:
    """Return 1 over (the mean squared distance of each row to its nearest others, and 1e-5).

    Args:
        rows: Embeddings, (n, D) float32.
        neighbors: How many others, or n // 2 if that is less.

    Returns:
        (n,) float64 in (0, 100,000].
    """
    means = torch.zeros(len(rows), dtype=torch.float64)
    nearest = min(neighbors, len(rows) // 2)
    if nearest > 0:
        size, rows = max(1, _BLOCK_NUMBERS // len(rows)), rows.double()
        for block in torch.split(torch.arange(len(rows)), size):
            squared = squared_distances(rows[block], rows)
            squared[torch.arange(len(block)), block] = torch.inf  # not its own neighbor
            means[block] = squared.topk(nearest, largest=False).values.mean(1)
    return 1 / (means + _LEAST_DISTANCE)


def cluster_turns(sizes: Tensor, labeled: Tensor, min_size: int) -> Tensor:
    """Return from which cluster each pick is, until nothing is left.

    Args:
        sizes: Images of each cluster, (k,) int64.
        labeled: How many of them have labels, (k,) int64.
        min_size: Clusters below come after all others.

    Returns:
        Clusters, (number of unlabeled images,) int64: one turn after the other; in each, those with the
        fewest labels first, and of these the largest.
    """
    order = sizes.argsort(descending=True, stable=True)
    order = order[labeled[order].argsort(stable=True)]
    left = (sizes - labeled)[order]
    owners = order.repeat_interleave(left)
    turns = torch.arange(len(owners)) - (left.cumsum(0) - left).repeat_interleave(left)
    owners = owners[turns.argsort(stable=True)]
    return owners[(sizes[owners] < min_size).long().argsort(stable=True)]
