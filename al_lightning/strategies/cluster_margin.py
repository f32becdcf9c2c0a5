"""Cluster-Margin: small margins, spread over clusters."""

import numpy as np
import torch
from scipy.cluster.hierarchy import fcluster, linkage
from torch import Tensor

from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.functional import uncertainty_scores as uncertainty
from al_lightning.strategies.functional.rows import squared_distances
from al_lightning.strategies.selection import Selection
from al_lightning.strategies.sizes import Sizes
from al_lightning.strategies.strategy import Strategy, top_k
from al_lightning.utils.checks import whole_number
from al_lightning.utils.errors import UsageError

_MOST = 10_000  # images that are clustered: their distances take 400 MB
_BLOCK = 512  # rows whose distances to all others are taken at a time
_NUMBERS = 2**22  # distances at a time


class ClusterMargin(Strategy):
    """Picks images of small margin round-robin from clusters, the smallest cluster first.

    The pool is clustered by average linkage of the Euclidean distances of embeddings, up to a
    distance. From the ``factor * count`` images of smallest margin, the candidates, each cluster gives
    one at random per turn, clusters with the fewest candidates first. Citovsky, DeSalvo, Gentile,
    Karydas, Rajagopalan, Rostamizadeh & Kumar, "Batch active learning at scale", NeurIPS 2021,
    algorithms 1 and 2.

    The paper clusters once, before the first round; this clusters the unlabeled images of each round,
    by the embeddings of that round, because a strategy has no state. From a pool of more than 10,000
    images, 10,000 drawn at random are clustered, and each other image joins the cluster with the
    smallest mean distance.

    With ``candidates_only``, only the candidates are clustered, into as many clusters as images to
    query, and a cluster gives its smallest margin first; at most 10,000 candidates, or ``count`` if
    that is more. This differs from the paper; docs/strategies.md compares both.

    A score is the negated margin.

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import ClusterMargin
    >>> rows = torch.tensor([[0.5, 0.5], [0.5, 0.5], [0.6, 0.4], [0.9, 0.1]])
    >>> embeddings = torch.tensor([[0.0], [0.0], [9.0], [9.0]])
    >>> pool = Evidence(torch.arange(4), rows, embeddings)
    >>> strategy = ClusterMargin(factor=2, candidates_only=True)
    >>> 2 in strategy.select(pool, None, 2, torch.Generator()).ids  # the smallest margin at 9
    True

    Args:
        factor: Candidates per image to query, at least 1; published as 10.
        distance: Clusters are merged up to this mean distance, in the units of the embeddings; None
            uses the smallest at which clusters have ``cluster_size`` images on average, as published.
        cluster_size: Average number of images in a cluster, at least 1; used without ``distance``.
        candidates_only: Whether to cluster the candidates instead of the pool; ``distance`` and
            ``cluster_size`` then have no effect.
        pool_subset: See :class:`~al_lightning.strategies.Strategy`.

    Raises:
        UsageError: On counts below 1, or a distance that is not positive; names the key.
    """

    needs = frozenset({Need.PROBABILITIES, Need.EMBEDDINGS})

    def __init__(
        self,
        factor: int = 10,
        distance: float | None = None,
        cluster_size: int = 10,
        candidates_only: bool = False,
        *,
        pool_subset: int | None = None,
    ) -> None:
        super().__init__(pool_subset=pool_subset)
        whole_number("strategy.factor", factor, least=1)
        whole_number("strategy.cluster_size", cluster_size, least=1)
        if distance is not None and not 0 < distance < float("inf"):
            raise UsageError(f"strategy.distance must be greater than 0, or null, not {distance}")
        self.factor = factor
        self.distance = distance
        self.cluster_size = cluster_size
        self.candidates_only = candidates_only

    def choose(
        self,
        pool: Evidence,
        labeled: Evidence,  # noqa: ARG002 - clusters are those of the pool
        count: int,
        generator: torch.Generator,
    ) -> Selection:
        """Choose ``count`` candidates, cluster by cluster."""
        scores = uncertainty.margin(pool.require(Need.PROBABILITIES))
        candidates = top_k(scores, min(self._candidates(count), len(pool)), generator)
        embeddings = pool.require(Need.EMBEDDINGS)
        if self.candidates_only:
            labels = average_linkage(embeddings[candidates], None, count)
        else:
            candidates = candidates[torch.randperm(len(candidates), generator=generator)]
            labels = self._clusters(embeddings, candidates, generator)
        picks = candidates[round_robin(labels)[:count]]
        return Selection(pool.ids[picks], scores[picks])

    def _candidates(self, count: int) -> int:
        if self.candidates_only:
            return max(count, min(self.factor * count, _MOST))
        return self.factor * count

    def _clusters(self, rows: Tensor, candidates: Tensor, generator: torch.Generator) -> Tensor:
        """Return the clusters of candidates, positions (M,) int64, in the pool; (M,) int64."""
        some = torch.arange(len(rows))
        if len(rows) > _MOST:
            some = torch.randperm(len(rows), generator=generator)[:_MOST].sort().values
        found = average_linkage(rows[some], self.distance, max(1, len(some) // self.cluster_size))
        labels = torch.full((len(rows),), -1, dtype=torch.int64)
        labels[some] = found
        rest = candidates[labels[candidates] < 0]
        labels[rest] = nearest_on_average(rows[rest], rows[some], found)
        return labels[candidates]

    def working_bytes(self, sizes: Sizes) -> int:
        """Return the bytes of the scores, the clustered rows, and all distances between them, twice."""
        clustered = min(max(_MOST, sizes.count), sizes.pool)
        row = 8 * sizes.embedding
        return 96 * sizes.pool + clustered * (3 * row + 8 * clustered) + 4 * _NUMBERS * 8


def average_linkage(rows: Tensor, distance: float | None, clusters: int) -> Tensor:
    """Return the cluster of each row by average linkage of Euclidean distances.

    Args:
        rows: (n, D) float32.
        distance: Up to which mean distance clusters are merged; None for as far as it takes.
        clusters: How many to make at most where there is no distance; fewer where rows are equal.

    Returns:
        (n,) int64, from 0.
    """
    if len(rows) == 1:
        return torch.zeros(1, dtype=torch.int64)
    tree = linkage(pairwise_distances(rows), method="average")
    if distance is None:
        found = fcluster(tree, clusters, criterion="maxclust")
    else:
        found = fcluster(tree, distance, criterion="distance")
    return torch.from_numpy(found).long() - 1


def pairwise_distances(rows: Tensor) -> np.ndarray:
    """Return the Euclidean distances of all pairs of rows, (n, D) float32, as scipy orders them.

    Returns:
        (n (n - 1) / 2,) float64: of the first row to all later ones, of the second, and so on.
    """
    mean = rows.double().mean(0)  # so that no distance is the small difference of large numbers
    centered = rows.double() - mean
    pairs, filled = np.empty(len(rows) * (len(rows) - 1) // 2), 0
    for start in range(0, len(rows), _BLOCK):
        block = centered[start : start + _BLOCK]
        distances = squared_distances(block, centered[start:]).sqrt_().numpy()
        for i, later in enumerate(distances):
            size = len(later) - i - 1
            pairs[filled : filled + size] = later[i + 1 :]
            filled += size
    return pairs


def nearest_on_average(rows: Tensor, others: Tensor, labels: Tensor) -> Tensor:
    """Return the cluster of others to which the mean distance of each row is least.

    Args:
        rows: (M, D) float32.
        others: (n, D) float32.
        labels: Their clusters, (n,) int64, from 0, none of them empty.

    Returns:
        (M,) int64.
    """
    sizes = torch.bincount(labels)
    found = torch.empty(len(rows), dtype=torch.int64)
    for block in torch.split(torch.arange(len(rows)), max(1, _NUMBERS // len(others))):
        distances = squared_distances(rows[block], others).sqrt_()
        sums = distances.new_zeros(len(block), len(sizes)).index_add_(1, labels, distances)
        found[block] = (sums / sizes).argmin(1)
    return found


def round_robin(labels: Tensor) -> Tensor:
    """Order images so that clusters take turns, the smallest cluster first.

    Args:
        labels: Clusters of images in the order of preference, (n,) int64.

    Returns:
        Positions, (n,) int64: the first of each cluster, then the second of each, and so on.
    """
    sizes = torch.bincount(labels)
    by_cluster = labels.argsort(stable=True)
    starts = sizes.cumsum(0) - sizes
    turn = torch.empty_like(labels)
    turn[by_cluster] = torch.arange(len(labels)) - starts[labels[by_cluster]]
    order = sizes[labels].argsort(stable=True)
    return order[turn[order].argsort(stable=True)]
