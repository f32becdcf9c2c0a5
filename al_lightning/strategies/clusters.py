"""Clusters of images by k-means, at any scale of the embeddings."""

import warnings
from dataclasses import dataclass

import torch
from sklearn.cluster import KMeans, MiniBatchKMeans
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits
from torch import Tensor

_FEW = 50  # clusters up to which all images are looked at in every step, as Hacohen et al. do
_BATCH = 5_000  # images a step beyond
_SEEDS = 2**31 - 1


@dataclass(frozen=True)
class Clusters:
    """A partition of N images.

    Attributes:
        labels: The cluster of each image, (N,) int64, 0 to k - 1; a cluster may be empty.
        centers: (k, D) float32, in the scale of ``rows``.
        rows: What was clustered, (N, D) float32: the images' rows, scaled.
    """

    labels: Tensor
    centers: Tensor
    rows: Tensor

    def __len__(self) -> int:
        return len(self.centers)

    def sizes(self) -> Tensor:
        """Return how many images each cluster has, (k,) int64."""
        return torch.bincount(self.labels, minlength=len(self))


def cluster(rows: Tensor, count: int, generator: torch.Generator) -> Clusters:
    """Partition images by k-means (scikit-learn's, with k-means++).

    Args:
        rows: (N, D) float32. They are divided by the largest absolute value first, so that no square
            over- or underflows; a partition does not depend on scale.
        count: Clusters, at most N.
        generator: Seeds the initial centers, and the batches where there are many clusters.
    """
    largest = float(rows.abs().max()) if rows.numel() else 0.0
    scaled = rows / largest if largest > 0 else rows
    seed = int(torch.randint(_SEEDS, (), generator=generator))
    if count <= _FEW:
        method = KMeans(count, n_init=1, random_state=seed)
    else:
        method = MiniBatchKMeans(count, batch_size=_BATCH, n_init=1, random_state=seed)
    # As many threads as torch has: scikit-learn would take all cores, beside other runs too.
    with threadpool_limits(torch.get_num_threads()), warnings.catch_warnings():
        # Equal images make fewer clusters than were asked for, which is no fault.
        warnings.simplefilter("ignore", ConvergenceWarning)
        labels = torch.from_numpy(method.fit_predict(scaled.numpy())).long()
    return Clusters(labels, torch.from_numpy(method.cluster_centers_).float(), scaled)


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
