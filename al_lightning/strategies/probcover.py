"""ProbCover: as many images as possible in balls around the labeled ones, for small budgets."""

import numpy as np
import torch
from torch import Tensor

from al_lightning.errors import UsageError
from al_lightning.evidence import Evidence, Need
from al_lightning.sizes import Sizes
from al_lightning.strategies.base import Strategy, require_count
from al_lightning.strategies.clusters import cluster, squared_distances, unit_rows
from al_lightning.strategies.kmeans import filled
from al_lightning.strategies.selection import Selection

_BLOCK = 128  # candidates that are looked at together, at most
_TILE = 512  # images on each side whose inner products are made together
_NUMBERS = 2**24  # inner products at a time
_SAMPLE = 1_000  # balls that the radius is estimated on
_CLUSTERED = 20_000  # images that are clustered for that, at most
_DISTANCES = 2**22  # distances at a time, in float64
_RANK = 64  # of shadows
_SAFE = 1e-5  # far more than rounding takes off an inner product of shadows


class ProbCover(Strategy):
    """Picks the image whose ball covers the most images that no labeled image's ball covers.

    Balls have radius delta, in the embeddings at unit length. Yehuda, Dekel, Hacohen & Weinshall,
    "Active learning through a covering lens", NeurIPS 2022, algorithm 1: greedy maximum coverage. The
    result is the plain greedy algorithm's: what a ball would newly cover only falls as images are
    picked, so old counts are upper bounds, and only the highest are counted again. No graph is kept.
    The bounds count neighbors by shadows of 65 numbers (see :func:`shadows`), all N^2 of them: let a
    very large pool be looked at in part (``pool_subset``). Distances are float32, and decide ties by
    the order of ids.

    Where everything is covered, the rest is drawn uniformly. A score is the share of the pool that the
    image newly covers.

    Args:
        delta: The radius, in (0, 2]; None has it estimated as :func:`pure_radius` does, from 1,000
            balls among all images of the pool. Clusters are those of at most 20,000 images, and the
            rest belongs to the nearest center.
        clusters: Classes to expect, for that estimate; at least 2.
        purity: Share of balls that should lie in one cluster, in (0, 1]; published as 0.95.
        pool_subset: How many of the unlabeled images it is shown; None for all.

    Raises:
        UsageError: On arguments out of range; names the key.
    """

    needs = labeled_needs = frozenset({Need.EMBEDDINGS})

    def __init__(
        self,
        delta: float | None = None,
        clusters: int = 10,
        purity: float = 0.95,
        *,
        pool_subset: int | None = None,
    ) -> None:
        super().__init__(pool_subset=pool_subset)
        require_count("clusters", clusters, least=2)
        if delta is not None and not 0 < delta <= 2:  # noqa: PLR2004 - unit vectors are no farther apart
            raise UsageError(f"strategy.delta must be in (0, 2], or null, not {delta}")
        if not 0 < purity <= 1:
            raise UsageError(f"strategy.purity must be in (0, 1], not {purity}")
        self.delta = delta
        self.clusters = clusters
        self.purity = purity

    def choose(
        self, pool: Evidence, labeled: Evidence, count: int, generator: torch.Generator
    ) -> Selection:
        """Choose ``count`` images by greedy coverage."""
        rows = unit_rows(pool.require(Need.EMBEDDINGS))
        known = unit_rows(labeled.require(Need.EMBEDDINGS))
        delta = self._radius(rows, generator) if self.delta is None else self.delta
        picks, covered = _Coverage(rows, known, delta).run(count)
        return filled(pool, picks, covered / len(pool), count, generator)

    def _radius(self, rows: Tensor, generator: torch.Generator) -> float:
        order = torch.randperm(len(rows), generator=generator)
        some = rows[order[:_CLUSTERED]]
        found = cluster(some, min(self.clusters, len(some)), generator).labels
        labels = nearest_center(rows, some, found)
        return pure_radius(rows, labels, self.purity, order[:_SAMPLE])

    def working_bytes(self, sizes: Sizes) -> int:
        """Return a copy of all embeddings and of those not covered yet, and blocks of distances."""
        row = sizes.row_bytes(self.needs)
        images = sizes.pool + sizes.labeled
        return images * (2 * row + 4 * (_RANK + 1) + 48) + 10 * _NUMBERS + 24 * _DISTANCES


def nearest_center(rows: Tensor, some: Tensor, labels: Tensor) -> Tensor:
    """Return the cluster of each row by the nearest mean of some rows of which it is known.

    Args:
        rows: (N, D) float32.
        some: (n, D) float32.
        labels: Their clusters, (n,) int64.

    Returns:
        (N,) int64, positions in the ascending list of the clusters that have rows.
    """
    means = torch.stack([some[labels == label].double().mean(0) for label in torch.unique(labels)])
    blocks = torch.split(rows, max(1, _DISTANCES // means.numel()))
    return torch.cat([squared_distances(block, means).argmin(1) for block in blocks])


def pure_radius(rows: Tensor, labels: Tensor, purity: float, balls: Tensor) -> float:
    """Return the largest radius at which enough balls hold images of one cluster alone.

    The ball of an image is pure at every radius below its distance to the nearest image of another
    cluster, so the radius is a quantile of these distances. Yehuda et al. 2022, section 3.2. All images
    count in a ball: among fewer images balls would be purer than they are, and the radius too large.

    Args:
        rows: (N, D) float32.
        labels: Their clusters, (N,) int64.
        purity: Least share of pure balls, in (0, 1].
        balls: Positions of the images whose balls are looked at, (n,) int64.

    Returns:
        A radius; where there is only one cluster, one that covers everything.
    """
    centers = rows[balls]
    nearest = torch.full((len(balls),), torch.inf, dtype=torch.float64)
    largest = 0.0
    # In blocks of all images, so that each is turned into float64 once.
    size = max(1, _DISTANCES // max(len(balls), rows.shape[1]))
    for block, own in zip(torch.split(rows, size), torch.split(labels, size), strict=True):
        squared = squared_distances(centers, block)
        largest = max(largest, float(squared.max()) ** 0.5)
        squared.masked_fill_(labels[balls, None] == own, torch.inf)
        nearest = torch.minimum(nearest, squared.amin(1))
    radii = nearest.sqrt_().sort().values
    bound = float(radii[int((1 - purity) * len(balls) + 1e-9)])  # where .05 * 20 is below 1
    # No two images are farther apart than that, by the triangle inequality.
    return 2 * largest if bound == torch.inf else bound * (1 - 1e-6)


def shadows(rows: Tensor, rank: int) -> Tensor:
    """Return short vectors whose inner products bound those of the rows from above.

    The rows' main directions, and the length of what is left: by Cauchy and Schwarz, x . y is at most
    the inner product in some directions plus the product of the lengths in all others.

    Args:
        rows: (N, D) float32.
        rank: Directions to keep.

    Returns:
        (N, rank + 1) float32; the rows themselves where they are hardly longer.
    """
    if rows.shape[1] <= 2 * rank:
        return rows
    some = rows[:: max(1, len(rows) // _CLUSTERED)]
    directions = torch.linalg.eigh(some.T @ some).eigenvectors[:, -rank:]
    kept = rows @ directions
    rest = rows.square().sum(1) - kept.square().sum(1)
    return torch.cat([kept, rest.clamp_(min=0).sqrt_()[:, None]], 1)


def count_reached(rows: Tensor, others: Tensor, least: float) -> Tensor:
    """Return how many others' inner products with each row reach ``least``.

    Args:
        rows: (N, D) float32.
        others: (M, D) float32.
        least: The threshold.

    Returns:
        (N,) int64.
    """
    counts = torch.zeros(len(rows), dtype=torch.int64)
    # Small tiles stay in the processor's cache, and numpy counts several times faster than torch.
    for start in range(0, len(rows), _TILE):
        tile = rows[start : start + _TILE]
        for part in torch.split(others, _TILE):
            reached = (tile @ part.T).numpy() >= least
            counts[start : start + _TILE] += torch.from_numpy(np.count_nonzero(reached, axis=1))
    return counts


class _Coverage:
    """One greedy traversal; a ball covers the images whose inner product reaches ``least``.

    Attributes:
        open: Whether an image is not covered yet, (N,) bool.
        shadowed: No fewer than the open images of each ball, by their shadows, (N,) int64; kept up to
            date.
        bounds: The same, or as counted when last looked at if that is less.
    """

    def __init__(self, rows: Tensor, labeled: Tensor, delta: float) -> None:
        self.rows = rows
        self.thin = shadows(rows, _RANK)
        self.least = 1 - delta**2 / 2 - 1e-6  # |x - y|^2 = 2 - 2 x.y at unit length; and rounding
        self.block = max(1, min(_BLOCK, _NUMBERS // len(rows)))
        self.open = count_reached(rows, labeled, self.least) == 0
        self.shadowed = self._count_shadows(self.open, _SAFE)
        # A row of zeros has no direction: it is in no ball, and is picked when nothing else is.
        self.bounds = self.shadowed.clone()

    def run(self, count: int) -> tuple[Tensor, Tensor]:
        """Return positions and how many images each newly covers; fewer where all is covered."""
        picks: list[int] = []
        gains: list[int] = []
        while len(picks) < count and int(self.bounds.max()) > 0:
            before = self.open.clone()
            for pick, gain in self._step(count - len(picks)):
                picks.append(pick)
                gains.append(gain)
            if bool((covered := before & ~self.open).any()):
                # Half as generous: what is taken off was surely counted, whatever rounding did.
                self.shadowed -= self._count_shadows(covered, _SAFE / 2)
                self.bounds = torch.minimum(self.bounds, self.shadowed)
        return torch.tensor(picks, dtype=torch.int64), torch.tensor(gains, dtype=torch.float32)

    def _count_shadows(self, which: Tensor, slack: float) -> Tensor:
        """Return no fewer than each ball holds of some images, (N,) bool; (N,) int64."""
        return count_reached(self.thin, self.thin[which], self.least - slack)

    def _step(self, wanted: int) -> list[tuple[int, int]]:
        """Count exactly for the candidates of the highest bounds; pick while surely the best."""
        top = self.bounds.topk(min(self.block + 1, len(self.bounds)))
        block = top.indices[: self.block].sort().values
        outside = int(top.values[-1]) if len(top.values) > self.block else 0
        where = self.open.nonzero().squeeze(1)
        reached = self.rows[block] @ self.rows[where].T >= self.least
        found: list[tuple[int, int]] = []
        while True:
            counts = torch.from_numpy(np.count_nonzero(reached.numpy(), axis=1))
            best = int(counts.argmax())
            gain = int(counts[best])
            if gain == 0 or gain < outside or len(found) == wanted:
                self.bounds[block] = counts
                return found
            found.append((int(block[best]), gain))
            self.open[where[reached[best]]] = False
            reached = reached & ~reached[best]
