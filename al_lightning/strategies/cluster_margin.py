"""Cluster-Margin: small margins, spread over clusters."""

import torch
from scipy.cluster.hierarchy import fcluster, linkage
from torch import Tensor

from al_lightning.evidence import Evidence, Need
from al_lightning.sizes import Sizes
from al_lightning.strategies import functional
from al_lightning.strategies.base import Strategy, require_count, top_k
from al_lightning.strategies.selection import Selection

_MOST = 10_000  # candidates: their distances take 400 MB


class ClusterMargin(Strategy):
    """Picks images of small margin in turns from clusters, the smallest cluster first.

    The ``factor * count`` images of smallest margin are clustered by average linkage of their
    embeddings, and each cluster gives its smallest margin in each turn, clusters in ascending order of
    size. Citovsky, DeSalvo, Gentile, Karydas, Rajagopalan, Rostamizadeh & Kumar, "Batch active
    learning at scale", NeurIPS 2021, algorithms 1 and 2.

    The paper clusters the whole pool once, cut at a distance; this clusters the candidates of each
    round, into a number of clusters, so that memory does not grow with the pool. The paper takes a
    random image of a cluster; this takes the one of smallest margin. No more than 10,000 candidates
    are clustered, or ``count`` if that is more.

    A score is the negated margin.

    Args:
        factor: Candidates for each image to ask for, at least 1; published as 10.
        clusters: At least 1; None takes as many as images to ask for.
        pool_subset: How many of the unlabeled images it is shown; None for all.

    Raises:
        UsageError: On counts below 1; names the key.
    """

    needs = frozenset({Need.PROBABILITIES, Need.EMBEDDINGS})

    def __init__(
        self, factor: int = 10, clusters: int | None = None, *, pool_subset: int | None = None
    ) -> None:
        super().__init__(pool_subset=pool_subset)
        require_count("factor", factor)
        if clusters is not None:
            require_count("clusters", clusters)
        self.factor = factor
        self.clusters = clusters

    def choose(
        self,
        pool: Evidence,
        labeled: Evidence,  # noqa: ARG002 - clusters are those of the candidates
        count: int,
        generator: torch.Generator,
    ) -> Selection:
        """Choose ``count`` candidates, cluster by cluster."""
        scores = functional.margin(pool.require(Need.PROBABILITIES))
        candidates = top_k(scores, min(self._candidates(count), len(pool)), generator)
        embeddings = pool.require(Need.EMBEDDINGS)[candidates]
        labels = average_linkage(embeddings, self.clusters or count)
        picks = candidates[in_turns(labels)[:count]]
        return Selection(pool.ids[picks], scores[picks])

    def _candidates(self, count: int) -> int:
        return max(count, min(self.factor * count, _MOST))

    def working_bytes(self, sizes: Sizes) -> int:
        """Return the scores, the candidates' embeddings, and all distances between them."""
        candidates = min(self._candidates(sizes.count), sizes.pool)
        row = 8 * sizes.embedding
        return 64 * sizes.pool + candidates * (3 * row + 8 * candidates)


def average_linkage(rows: Tensor, clusters: int) -> Tensor:
    """Return the cluster of each row by average linkage of Euclidean distances.

    Args:
        rows: (n, D) float32; their scale decides nothing.
        clusters: How many to make, at most; fewer where rows are equal.

    Returns:
        (n,) int64, from 0.
    """
    if len(rows) == 1:
        return torch.zeros(1, dtype=torch.int64)
    scaled = rows.double() / rows.abs().max().clamp(min=torch.finfo(torch.float32).tiny)
    tree = linkage(scaled.numpy(), method="average")
    return torch.from_numpy(fcluster(tree, clusters, criterion="maxclust")).long() - 1


def in_turns(labels: Tensor) -> Tensor:
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
