"""Farthest-first traversal: query the image farthest from everything labeled or picked so far."""

import torch
from torch import Tensor

from al_lightning.evidence import Evidence
from al_lightning.sizes import Sizes
from al_lightning.strategies.base import Selection, Strategy
from al_lightning.strategies.metrics import Factors, Metric


class FarthestFirst(Strategy):
    """Repeatedly picks the pool image with the largest distance to its nearest center.

    The centers are the labeled images and the picks so far. With Euclidean distance on embeddings
    this is k-center greedy, the Core-Set strategy: Sener & Savarese, "Active learning for
    convolutional neural networks: a core-set approach", ICLR 2018; the traversal and its factor-2
    guarantee: Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985.

    Without a labeled set the first pick is drawn at random. Equal distances are decided in a fixed
    way, not at random, and no image is picked twice, even among duplicates.

    A score is the pick's distance to its nearest center when it was picked; scores never rise
    (beyond rounding). A random first pick has no center yet and gets the second pick's score (0 if
    there is none): its own distance to the image farthest from it.

    The result is that of the plain greedy algorithm. Beside the evidence it takes 24 bytes an image
    and a few blocks of ``block_size`` rows.

    Args:
        metric: What distance means, and which evidence it is taken of.
        block_size: Rows that are held in float64 at a time, together with their distances to each
            other. Trades memory for speed and decides nothing but ties.
        pool_subset: See :class:`~al_lightning.strategies.Strategy`.

    Raises:
        ValueError: If ``block_size`` is below 1.
    """

    def __init__(
        self, metric: Metric, block_size: int = 512, *, pool_subset: int | None = None
    ) -> None:
        super().__init__(pool_subset=pool_subset)
        if block_size < 1:
            raise ValueError(f"block_size must be at least 1, not {block_size}")
        self.needs = self.labeled_needs = frozenset({metric.need})
        self.metric = metric
        self.block_size = block_size

    def choose(
        self, pool: Evidence, labeled: Evidence, count: int, generator: torch.Generator
    ) -> Selection:
        """Choose ``count`` images, farthest first."""
        traversal = _LazyTraversal(
            self.metric,
            pool.require(self.metric.need),
            labeled.require(self.metric.need),
            count,
            self.block_size,
        )
        picks, divergences = traversal.run(generator)
        # A distance of float32 vectors can exceed the largest float32 number.
        largest = torch.finfo(torch.float32).max
        scores = self.metric.distance(divergences).clamp(max=largest).float()
        return Selection(pool.ids[picks], scores)

    def working_bytes(self, sizes: Sizes) -> int:
        """Return the bounds of all images, and the blocks."""
        columns = sizes.row_bytes(self.needs) // 4
        block = self.block_size * (_BLOCK_FACTORS * columns + _BLOCK_DISTANCES * self.block_size)
        return _BYTES_AN_IMAGE * (sizes.pool + sizes.labeled) + 8 * block


_BYTES_AN_IMAGE = 48  # its bound, the centers it has seen, and the order of all bounds
_BLOCK_FACTORS, _BLOCK_DISTANCES = (
    12,
    6,
)  # rows of factors and of distances that a block holds at once
# The number of centers that every point is compared with, and the most that a block meets at once.
_FEW_CENTERS = 256


class _LazyTraversal:
    """One farthest-first traversal that brings up to date only the points that can be next.

    The divergence of a point to its nearest center only falls as centers are added. So the one
    last computed, from the first ``seen`` centers, bounds the current one from above, and a point
    whose current divergence reaches every other bound is the farthest point. One step takes the
    block of highest bounds, brings it up to date by one matrix product for every block of unseen
    centers, and then picks greedily within the block for as long as no bound outside is higher.
    """

    def __init__(
        self, metric: Metric, pool: Tensor, labeled: Tensor, count: int, block_size: int
    ) -> None:
        self.metric = metric
        self.pool = pool
        self.labeled = labeled
        self.block_size = block_size
        self.center = _mean(pool, block_size) if metric.translation_invariant else 0.0
        self.bounds = torch.full((len(pool),), torch.inf, dtype=torch.float64)
        self.seen = torch.zeros(len(pool), dtype=torch.int64)
        self.picks = torch.empty(count, dtype=torch.int64)
        self.divergences = torch.empty(count, dtype=torch.float64)
        self.picked = 0

    def run(self, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return positions in the pool, (count,) int64, and divergences, (count,) float64."""
        drawn = len(self.labeled) == 0
        if drawn:
            first = int(torch.randint(len(self.pool), (), generator=generator))
            self._pick(first, 0.0)
            self.bounds[first] = -torch.inf
        # A few centers bound all points well enough for most of them never to be looked at again.
        few = min(_FEW_CENTERS, len(self.labeled) + self.picked)
        for block in torch.split(torch.arange(len(self.pool)), self.block_size):
            self._update(block, self._factors(self.pool[block]), few)
        while self.picked < len(self.picks):
            self._step()
        if drawn and self.picked > 1:
            self.divergences[0] = self.divergences[1]
        return self.picks, self.divergences

    def _step(self) -> None:
        """Pick from the block of highest bounds while its best is surely the best of all."""
        top = self.bounds.topk(min(self.block_size + 1, len(self.bounds)))
        block = top.indices[: self.block_size].sort().values
        outside = float(top.values[-1]) if len(top.values) > self.block_size else -torch.inf
        points = self._factors(self.pool[block])
        self._update(block, points, len(self.labeled) + self.picked)
        current, between = self.bounds[block], points.divergence(points)
        while self.picked < len(self.picks):
            best = current.argmax()
            if current[best] < outside:
                break
            self._pick(int(block[best]), float(current[best]))
            current = torch.minimum(current, between[best])
            current[best] = -torch.inf
        self.bounds[block] = current
        self.seen[block] = len(self.labeled) + self.picked

    def _pick(self, position: int, divergence: float) -> None:
        self.picks[self.picked] = position
        self.divergences[self.picked] = divergence
        self.picked += 1

    def _update(self, block: Tensor, points: Factors, stop: int) -> None:
        """Lower the bounds of the block's points, given as factors too, to the first centers'."""
        bounds, seen = self.bounds[block], self.seen[block]
        size = min(self.block_size, _FEW_CENTERS)
        for low in range(int(seen.min()), stop, size):
            high = min(low + size, stop)
            # Some of these may have seen some of the centers already, which does no harm.
            stale = (seen < high).nonzero().squeeze(1)
            nearest = points.rows(stale).divergence(self._centers(low, high)).amin(1)
            bounds[stale] = torch.minimum(bounds[stale], nearest)
        self.bounds[block], self.seen[block] = bounds, stop

    def _centers(self, low: int, high: int) -> Factors:
        """Return the centers from ``low`` to before ``high``; labeled images count first."""
        offset = len(self.labeled)
        picks = self.picks[max(low - offset, 0) : max(high - offset, 0)]
        return self._factors(torch.cat([self.labeled[low:high], self.pool[picks]]))

    def _factors(self, rows: Tensor) -> Factors:
        return self.metric.factors(rows.double() - self.center)


def _mean(values: Tensor, block_size: int) -> Tensor:
    """Return the mean row, (D,) float64, without a float64 copy of all values."""
    sums = [block.double().sum(0) for block in torch.split(values, block_size)]
    return torch.stack(sums).sum(0) / len(values)
