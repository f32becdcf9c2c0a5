"""Clusters of images by k-means, at any scale and offset of the embeddings."""

from dataclasses import dataclass

import torch
from torch import Tensor

from al_lightning.strategies.functional.blocks import over_blocks
from al_lightning.strategies.functional.lloyd import kmeans

_SUMMED = 4_096  # rows that are summed in float32
_BLOCK = 512  # rows that are centered at a time: they stay in the processor's cache
_AXES = 128  # principal axes in which images are partitioned
_MEASURED = 4_096  # images that the axes are measured on
_POWER_STEPS = 2  # of the subspace iteration, by which the axes no longer depend on its start
_LARGE = 2.0**60  # beyond, numbers are scaled first
_LEAST_WEIGHT = 1e-9  # of the largest: images of weight 0 would leave clusters undefined


class Centered:
    """Rows less their mean and over the largest absolute value that is left, made where they are used.

    So there is no copy of all of them. Of float16 rows, in float32.

    >>> import torch
    >>> from al_lightning.strategies.functional.clusters import Centered
    >>> Centered(torch.tensor([[1.0, 5.0], [3.0, 5.0]]))[:]
    tensor([[-1.,  0.],
            [ 1.,  0.]])

    Args:
        rows: (N, D) float.

    Attributes:
        columns: D.
    """

    def __init__(self, rows: Tensor) -> None:
        self._rows = rows
        self.columns = rows.shape[1]
        self._factor, self._largest = 1.0, 1.0
        self._first = self._mean = torch.zeros(self.columns)
        if len(rows) == 0:
            return
        if _largest(rows) > _LARGE:  # differences might overflow
            self._factor = _LARGE**-2
        self._first = self[:1][0]  # exact where a large offset would cost digits of the mean
        summed = self.blocks(_SUMMED)
        sums = torch.stack([self[at].sum(0).double() for at in summed]).sum(0)
        self._mean = (sums / len(rows)).to(self._first.dtype)
        self._largest = max(_largest(self[at]) for at in self.blocks()) or 1.0

    def __len__(self) -> int:
        return len(self._rows)

    def __getitem__(self, at: slice | Tensor | int) -> Tensor:
        """Return some of the rows, (B, D) float32, or one, (D,)."""
        some = self._rows[at]
        some = some.to(torch.promote_types(some.dtype, torch.float32))
        if self._factor != 1:
            some = some * self._factor
        return (some - self._first).sub_(self._mean).div_(self._largest)

    def blocks(self, size: int = _BLOCK) -> list[slice]:
        """Return slices of so many rows that cover all."""
        return [slice(start, start + size) for start in range(0, len(self), size)]

    def squares_to(self, centers: Tensor, labels: Tensor | None = None) -> Tensor:
        """Return the squared distance of each row to a center, (N,) float64.

        Args:
            centers: (K, D) float32, or one, (D,).
            labels: Of several, which one, (N,) int64.
        """

        def squares(at: slice) -> Tensor:
            own = centers if labels is None else centers[labels[at]]
            return self[at].sub_(own).square_().sum(1)

        return over_blocks(len(self), _BLOCK, squares)


@dataclass(frozen=True)
class Clusters:
    """A partition of N images.

    Attributes:
        labels: The cluster of each image, (N,) int64, 0 to k - 1. A cluster is empty only where there
            are fewer distinct images than clusters.
        centers: (k, D) float32, in the scale of ``rows``.
        rows: What was clustered, N of D numbers.
    """

    labels: Tensor
    centers: Tensor
    rows: Centered

    def __len__(self) -> int:
        return len(self.centers)

    def sizes(self) -> Tensor:
        """Return how many images each cluster has, (k,) int64."""
        return torch.bincount(self.labels, minlength=len(self))

    def shares(self, weights: Tensor | None = None) -> Tensor:
        """Return the share of all images, or of their weights (N,), in each cluster, (k,) float64."""
        counted = torch.ones(len(self.labels)) if is_even(weights) else weights
        assert counted is not None
        sums = torch.bincount(self.labels, counted.double(), minlength=len(self))
        return sums / sums.sum()

    def squares_to_own_center(self) -> Tensor:
        """Return the squared distance of each image to its cluster's center, (N,) float64."""
        return self.rows.squares_to(self.centers, self.labels)


def cluster(
    rows: Tensor, count: int, generator: torch.Generator, weights: Tensor | None = None
) -> Clusters:
    """Partition images by k-means; see :func:`~al_lightning.strategies.functional.lloyd.kmeans`.

    Beyond 128 dimensions, k-means sees the coordinates on the first 128 principal axes alone (of 4,096
    images), and centers are then the means of all dimensions: Ding & He, "K-means clustering via
    principal component analysis", ICML 2004. What that costs and saves is in docs/performance.md.

    Args:
        rows: (N, D) float32. Their mean is taken off and they are divided by the largest absolute value
            first, so that no distance is the small difference of large numbers, and no square over- or
            underflows; a partition depends neither on offset nor on scale.
        count: Clusters, at most N.
        generator: Draws the initial centers, and the images that axes and centers are fitted to first.
        weights: What each image counts for in the mean of its cluster, (N,) float, at least 0; None:
            all the same.
    """
    scaled = Centered(rows)
    seen = _on_principal_axes(scaled, generator)
    parts = _parts(weights, len(rows))
    labels = kmeans(seen, count, generator, parts)
    centers = _means(scaled, labels, count, parts)
    return fill_empty(Clusters(labels, centers, scaled))


def _on_principal_axes(rows: Centered, generator: torch.Generator) -> Tensor:
    """Return N rows on their first axes, (N, 128) float32; as they are where D is no larger.

    The axes span the subspace that holds most of the variance (Halko, Martinsson & Tropp, SIAM Review
    2011, algorithm 4.4); which of its bases they are changes no distance.
    """
    if rows.columns <= _AXES or len(rows) <= _AXES:
        return rows[:]
    some = rows[torch.randperm(len(rows), generator=generator)[:_MEASURED]]
    axes = torch.randn(rows.columns, _AXES, generator=generator)
    for _ in range(_POWER_STEPS):
        axes = torch.linalg.qr(some.T @ (some @ axes)).Q
    seen = torch.empty(len(rows), _AXES)
    for at in rows.blocks():
        torch.mm(rows[at], axes, out=seen[at])
    return seen


def _means(rows: Centered, labels: Tensor, count: int, weights: Tensor) -> Tensor:
    """Return the weighted mean of each cluster, (count, D) float32; 0 where none is."""
    sums = torch.zeros(count, rows.columns)
    for at in rows.blocks():
        sums.index_add_(0, labels[at], rows[at] * weights[at, None])
    totals = torch.zeros(count).index_add_(0, labels, weights)
    return sums / totals.masked_fill(totals == 0, 1)[:, None]


def fill_empty(clusters: Clusters) -> Clusters:
    """Give clusters without images one each: the image farthest from its center; others may follow.

    K-means leaves clusters without images where there are few images a cluster.
    """
    empty = (clusters.sizes() == 0).nonzero().squeeze(1).tolist()
    if not empty:
        return clusters
    labels, centers, sizes = clusters.labels.clone(), clusters.centers.clone(), clusters.sizes()
    squares = clusters.squares_to_own_center()
    while empty:
        farthest = int(squares.argmax())
        if squares[farthest] == 0:  # every image is a center
            break
        # That image never leaves, so that no cluster is filled twice, and this ends.
        filled = empty.pop()
        centers[filled] = clusters.rows[farthest]
        new = clusters.rows.squares_to(clusters.rows[farthest])
        nearer = (new < squares).nonzero().squeeze(1)
        left, counts = torch.unique(labels[nearer], return_counts=True)
        sizes[left] -= counts
        sizes[filled] = len(nearer)
        labels[nearer], squares[nearer] = filled, new[nearer].to(squares.dtype)
        empty += left[sizes[left] == 0].tolist()
    return Clusters(labels, centers, clusters.rows)


def cluster_bytes(row_bytes: int) -> int:
    """Return the bytes an image that :func:`cluster` takes beside the image's row."""
    return min(row_bytes, 4 * _AXES)


def is_even(weights: Tensor | None) -> bool:
    """Return whether no image counts more than another because there are no weights, or all are 0."""
    return weights is None or float(weights.max()) <= 0


def _parts(weights: Tensor | None, count: int) -> Tensor:
    """Return what each image counts for, (N,) float32; at most 1, and never 0."""
    if weights is None or is_even(weights):
        return torch.ones(count)
    return (weights.double() / weights.double().max()).clamp(min=_LEAST_WEIGHT).float()


def _largest(rows: Tensor) -> float:
    """Return the largest absolute value."""
    low, high = torch.aminmax(rows)
    return max(float(high), -float(low))
