"""Clusters of images by k-means, at any scale and offset of the embeddings."""

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits
from torch import Tensor

_FEW = 50  # clusters up to which every step uses all images, as Hacohen et al. do
_BATCH = 5_000  # images a step beyond
_BLOCK = 4_096  # images whose distances are taken at a time
_SEEDS = 2**31 - 1
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
        parts = zip(torch.split(self.rows, _BLOCK), torch.split(self.labels, _BLOCK), strict=True)
        own = [(rows.double() - self.centers[of]).square().sum(1) for rows, of in parts]
        return torch.cat(own)


def cluster(
    rows: Tensor, count: int, generator: torch.Generator, weights: Tensor | None = None
) -> Clusters:
    """Partition images by k-means (scikit-learn's, with k-means++).

    Args:
        rows: (N, D) float32. Their mean is taken off and they are divided by the largest absolute value
            first, so that no distance is the small difference of large numbers, and no square over- or
            underflows; a partition depends neither on offset nor on scale.
        count: Clusters, at most N.
        generator: Seeds the initial centers, and the batches where there are many clusters.
        weights: What each image counts for in the mean of its cluster, (N,) float, at least 0; None:
            all the same.
    """
    scaled = centered(rows)
    seed = int(torch.randint(_SEEDS, (), generator=generator))
    if count <= _FEW:
        method = KMeans(count, n_init=1, random_state=seed)
    else:
        method = MiniBatchKMeans(count, batch_size=_BATCH, n_init=1, random_state=seed)
    # As many threads as torch has: scikit-learn would take all cores, beside other runs too.
    with threadpool_limits(torch.get_num_threads()), warnings.catch_warnings():
        # Equal images make fewer clusters than requested, which is no error.
        warnings.simplefilter("ignore", ConvergenceWarning)
        found = method.fit_predict(scaled.numpy(), sample_weight=_for_sklearn(weights))
    labels = torch.from_numpy(found).long()
    return fill_empty(Clusters(labels, torch.from_numpy(method.cluster_centers_).float(), scaled))


def fill_empty(clusters: Clusters) -> Clusters:
    """Give clusters without images one each: the image farthest from its center; others may follow.

    K-means by batches leaves clusters without images where there are few images a cluster.
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
    """Return rows, (N, D) float32, less their mean and over the largest absolute value that is left."""
    if not len(rows):
        return rows
    mean = torch.stack([block.double().sum(0) for block in torch.split(rows, _BLOCK)]).sum(0)
    mean /= len(rows)
    largest = max(float((part - mean).abs().max()) for part in torch.split(rows, _BLOCK))
    largest = largest or 1.0
    return torch.cat([((part - mean) / largest).float() for part in torch.split(rows, _BLOCK)])


def unit_rows(rows: Tensor) -> Tensor:
    """Return rows, (N, D) float32, divided by their Euclidean lengths; zero rows stay zero."""
    largest = rows.abs().amax(1, keepdim=True)
    scaled = rows / largest.masked_fill(largest == 0, 1)  # else squares would over- or underflow
    lengths = scaled.norm(dim=1, keepdim=True)
    return scaled.div_(lengths.masked_fill_(lengths == 0, 1))


def squared_distances(first: Tensor, second: Tensor) -> Tensor:
    """Return |x - y|^2 of rows, (M, D) and (K, D) float; (M, K) float64, at least 0."""
    x, y = first.double(), second.double()
    squares = x.square().sum(1)[:, None] + y.square().sum(1)
    return squares.addmm_(x, y.T, alpha=-2).clamp_(min=0)


def is_even(weights: Tensor | None) -> bool:
    """Return whether no image counts more than another because there are no weights, or all are 0."""
    return weights is None or float(weights.max()) <= 0


def _for_sklearn(weights: Tensor | None) -> np.ndarray | None:
    if weights is None or is_even(weights):
        return None
    scaled = weights.double() / weights.double().max()
    return scaled.clamp(min=_LEAST_WEIGHT).numpy()
