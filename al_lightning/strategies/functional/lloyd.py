"""K-means by matrix products: greedy seeds from a sample, then Lloyd's steps."""

import math

import torch
from torch import Tensor

_SAMPLE = 16_384  # images that seeds are drawn from and first fitted to
_PER_CLUSTER = 4  # images a cluster that the sample has at least
_BLOCK = 4_096  # images whose distances are taken at a time
_STEPS, _LAST_STEPS = 100, 10  # at most, on the sample and on all images
_GAIN = 1e-3  # relative: a step that lowers the sum of squares by less is the last


def kmeans(points: Tensor, count: int, generator: torch.Generator, weights: Tensor) -> Tensor:
    """Return the cluster of each point, (N,) int64.

    Centers are drawn among at most 16,384 points (four a cluster where there are many clusters) by
    k-means++ with 2 + ln(count) candidates a center, of which the best is taken (Arthur &
    Vassilvitskii, "k-means++: the advantages of careful seeding", SODA 2007). Lloyd's steps ("Least
    squares quantization in PCM", 1982) move them, among those points first and then among all, until a
    step lowers the sum of squares by less than a thousandth. Distances are float32 and come from
    products: points should be centred, and not tiny or huge.

    >>> import torch
    >>> points = torch.tensor([[0.0], [1.0], [8.0], [9.0]])
    >>> labels = kmeans(points, 2, torch.Generator().manual_seed(0), torch.ones(4))
    >>> bool(labels[0] == labels[1] != labels[2] == labels[3])
    True

    Args:
        points: (N, D) float32.
        count: Clusters, 1 to N. Some are empty where there are fewer distinct points.
        generator: Draws the sample and the seeds.
        weights: What each point counts for, (N,) float32, above 0.
    """
    some = torch.arange(len(points))
    if (size := max(_SAMPLE, _PER_CLUSTER * count)) < len(points):
        some = torch.randperm(len(points), generator=generator)[:size]
    sample, sample_weights = points[some], weights[some]
    centers = seeds(sample, count, generator, sample_weights)
    labels, centers = lloyd(sample, centers, sample_weights, _STEPS)
    if len(sample) < len(points):
        labels, _ = lloyd(points, centers, weights, _LAST_STEPS)
    return labels


def seeds(points: Tensor, count: int, generator: torch.Generator, weights: Tensor) -> Tensor:
    """Return the first centers, (count, D): points that are far from each other.

    Args:
        points: (N, D) float32.
        count: At most N.
        generator: Draws candidates in proportion to weight times squared distance.
        weights: (N,) float32, above 0.
    """
    squares = points.square().sum(1)
    chosen = torch.empty(count, dtype=torch.int64)
    nearest = torch.full_like(squares, torch.inf)
    drawn = torch.multinomial(weights, 1, generator=generator)
    for index in range(count):
        distances = torch.addmm(squares, points[drawn], points.T, alpha=-2)
        distances = distances.add_(squares[drawn, None]).clamp_(min=0).minimum(nearest)
        best = int((distances @ weights).argmin())
        chosen[index], nearest = drawn[best], distances[best]
        nearest[drawn[best]] = 0
        mass = nearest * weights
        if not bool(mass.any()):  # every point is a center
            mass = weights
        trials = 2 + int(math.log(count))
        drawn = torch.multinomial(mass, trials, replacement=True, generator=generator)
    return points[chosen]


def lloyd(points: Tensor, centers: Tensor, weights: Tensor, steps: int) -> tuple[Tensor, Tensor]:
    """Move centers to the means of the points that are nearest to them.

    Args:
        points: (N, D) float32.
        centers: (K, D) float32, to begin with. One without points stays where it is.
        weights: (N,) float32, above 0.
        steps: At most.

    Returns:
        The nearest center of each point, (N,) int64, and the centers, (K, D).
    """
    labels = torch.empty(len(points), dtype=torch.int64)
    spread = float(points.square().sum(1) @ weights)
    before = math.inf
    for _ in range(steps):
        sums, totals = torch.zeros_like(centers), torch.zeros(len(centers))
        offsets, within = centers.square().sum(1), spread
        for start in range(0, len(points), _BLOCK):
            at = slice(start, start + _BLOCK)
            low, labels[at] = torch.addmm(offsets, points[at], centers.T, alpha=-2).min(1)
            sums.index_add_(0, labels[at], points[at] * weights[at, None])
            totals.index_add_(0, labels[at], weights[at])
            within += float(low @ weights[at])
        if within >= (1 - _GAIN) * before:
            break
        before = within
        centers = torch.where(totals[:, None] > 0, sums / totals[:, None], centers)
    return labels, centers
