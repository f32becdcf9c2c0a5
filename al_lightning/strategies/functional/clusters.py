"""Clusters of images by k-means, at any scale and offset of the embeddings."""

from dataclasses import dataclass

import torch
from torch import Tensor

from al_lightning.strategies.functional.blocks import over_blocks
from al_lightning.strategies.functional.lloyd import kmeans

_BLOCK = 4_096  # images whose distances are taken at a time
_AXES = 128  # principal axes in which images are partitioned
_MEASURED = 4_096  # images that the axes are measured on
_POWER_STEPS = 2  # of the subspace iteration, by which the axes no longer depend on its start
_LARGE = 2.0**60  # beyond, numbers are scaled first
_LEAST_WEIGHT = 1e-9  # of the largest: images of weight 0 would leave clusters undefined


@dataclass(frozen=True)
class Clusters:
    """A partition of N images.

    Attributes:
        labels: The cluster of each image, (N,) int64, 0 to k - 1. A cluster is empty only where there
            are fewer distinct images than clusters.
        centers: (k, D) float32, in the scale of ``rows``.
        rows: What was clustered, (N, D) float32: the images' rows, centred and scaled.
    """

    labels: Tensor
    centers: Tensor
    rows: Tensor

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
        return over_blocks(
            len(self.rows),
            _BLOCK,
            lambda at: (self.rows[at] - self.centers[self.labels[at]]).square_().sum(1),
        )


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
    scaled = centered(rows)
    seen = _on_principal_axes(scaled, generator)
    parts = _parts(weights, len(rows))
    labels = kmeans(seen, count, generator, parts)
    centers = _means(scaled, labels, count, parts)
    return fill_empty(Clusters(labels, centers, scaled))


def _on_principal_axes(rows: Tensor, generator: torch.Generator) -> Tensor:
    """Return rows, (N, D) centred, on their first axes, (N, 128); as they are where D is no larger.

    The axes span the subspace that holds most of the variance (Halko, Martinsson & Tropp, SIAM Review
    2011, algorithm 4.4); which of its bases they are changes no distance.
    """
    if rows.shape[1] <= _AXES or len(rows) <= _AXES:
        return rows
    some = rows[torch.randperm(len(rows), generator=generator)[:_MEASURED]]
    axes = torch.randn(rows.shape[1], _AXES, generator=generator)
    for _ in range(_POWER_STEPS):
        axes = torch.linalg.qr(some.T @ (some @ axes)).Q
    return rows @ axes


def _means(rows: Tensor, labels: Tensor, count: int, weights: Tensor) -> Tensor:
    """Return the weighted mean of each cluster, (count, D) float32; 0 where none is."""
    sums = torch.zeros(count, rows.shape[1])
    for at in torch.split(torch.arange(len(rows)), _BLOCK):
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
        new = (clusters.rows - clusters.rows[farthest]).square_().sum(1)
        nearer = (new < squares).nonzero().squeeze(1)
        left, counts = torch.unique(labels[nearer], return_counts=True)
        sizes[left] -= counts
        sizes[filled] = len(nearer)
        labels[nearer], squares[nearer] = filled, new[nearer].to(squares.dtype)
        empty += left[sizes[left] == 0].tolist()
    return Clusters(labels, centers, clusters.rows)


def centered(rows: Tensor) -> Tensor:
    """Return rows, (N, D) float, less their mean and over the largest absolute value that is left.

    Of float16 rows, in float32.
    """
    rows = _at_least_float32(rows)
    if not len(rows):
        return rows
    if max(float(rows.max()), -float(rows.min())) > _LARGE:  # differences might overflow
        return centered(rows * _LARGE**-2)
    found = rows - rows[0]  # exact where a large offset would cost digits of the mean
    mean = torch.stack([block.sum(0).double() for block in torch.split(found, _BLOCK)]).sum(0)
    found -= (mean / len(rows)).to(found.dtype)
    largest = max(float(found.max()), -float(found.min()))
    return found.div_(largest or 1.0)


def unit_rows(rows: Tensor) -> Tensor:
    """Return rows, (N, D) float, over their Euclidean lengths; zero rows stay zero.

    Of float16 rows, in float32.
    """
    rows = _at_least_float32(rows)
    largest = torch.maximum(rows.amax(1, keepdim=True), -rows.amin(1, keepdim=True))
    scaled = rows / largest.masked_fill_(largest == 0, 1)  # else squares would over- or underflow
    lengths = scaled.norm(dim=1, keepdim=True)
    return scaled.div_(lengths.masked_fill_(lengths == 0, 1))


def cluster_bytes(row_bytes: int) -> int:
    """Return the bytes an image that :func:`cluster` takes beside the image's row."""
    axes = 4 * _AXES
    return row_bytes + (axes if row_bytes > axes else 0)


def squared_distances(first: Tensor, second: Tensor) -> Tensor:
    """Return |x - y|^2 of rows, (M, D) and (K, D) float; (M, K) float64, at least 0."""
    x, y = first.double(), second.double()
    squares = x.square().sum(1)[:, None] + y.square().sum(1)
    return squares.addmm_(x, y.T, alpha=-2).clamp_(min=0)


def is_even(weights: Tensor | None) -> bool:
    """Return whether no image counts more than another because there are no weights, or all are 0."""
    return weights is None or float(weights.max()) <= 0


def _parts(weights: Tensor | None, count: int) -> Tensor:
    """Return what each image counts for, (N,) float32; at most 1, and never 0."""
    if weights is None or is_even(weights):
        return torch.ones(count)
    return (weights.double() / weights.double().max()).clamp(min=_LEAST_WEIGHT).float()


def _at_least_float32(rows: Tensor) -> Tensor:
    return rows.to(torch.promote_types(rows.dtype, torch.float32))
