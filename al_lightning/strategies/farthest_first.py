"""Farthest-first traversal: query the image farthest from everything labeled or picked so far."""

import math

import torch
from torch import Tensor

from al_lightning.strategies.evidence import Evidence
from al_lightning.strategies.functional.distances import Factors, Metric, bound_types
from al_lightning.strategies.selection import Selection
from al_lightning.strategies.sizes import Sizes
from al_lightning.strategies.strategy import Strategy
from al_lightning.utils.checks import whole_number


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

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import Euclidean, FarthestFirst
    >>> labeled = Evidence(torch.tensor([0]), embeddings=torch.tensor([[0.0, 0.0]]))
    >>> pool = Evidence(torch.tensor([1, 2]), embeddings=torch.tensor([[1.0, 0.0], [3.0, 4.0]]))
    >>> FarthestFirst(Euclidean()).select(pool, labeled, 1, torch.Generator())
    Selection(ids=tensor([2]), scores=tensor([5.]))

    Args:
        metric: The distance, and the evidence that it uses.
        block_size: Rows that are held in float64 at a time, together with their distances to each
            other. Trades memory for speed; it affects only ties.
        pool_subset: See :class:`~al_lightning.strategies.Strategy`.

    Raises:
        UsageError: If ``block_size`` is no whole number of at least 1.
    """

    def __init__(
        self, metric: Metric, block_size: int = 512, *, pool_subset: int | None = None
    ) -> None:
        super().__init__(pool_subset=pool_subset)
        self.needs = self.labeled_needs = frozenset({metric.need})
        self.metric = metric
        self.block_size = whole_number("strategy.block_size", block_size, least=1)

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
_BLOCK_FACTORS = 12  # rows of factors that a block holds at once
_BLOCK_DISTANCES = 6  # rows of distances that a block holds at once
_FEW_CENTERS = 64  # that every point is compared with, or half of all that there will be
_MOST_CENTERS = 256  # that every point is compared with, and that a block takes at once
_EXPONENT = 120  # of the largest scale, which is a float32 number itself
_LOOSE = 0.05  # share of a bound that rounding may make up before finer numbers are worth it


class _LazyTraversal:
    """One farthest-first traversal that brings up to date only the points that can be next.

    The divergence of a point to its nearest center only falls as centers are added. So the one
    last computed, from the first ``seen`` centers, bounds the current one from above, and a point
    whose current divergence reaches every other bound is the farthest point. One step takes the
    block of highest bounds, brings it up to date by one matrix product for every block of unseen
    centers, and then picks greedily within the block for as long as no bound outside is higher. A
    point of the block that falls below the bounds outside is left as it is.

    The first bounds need not be close: they are made in bfloat16 or float32, and allow for its
    rounding.
    """

    def __init__(
        self, metric: Metric, pool: Tensor, labeled: Tensor, count: int, block_size: int
    ) -> None:
        self.metric = metric
        self.pool = pool
        self.labeled = labeled
        self.block_size = block_size
        moves = metric.translation_invariant
        self.center = _mean(pool, block_size) if moves else None
        self.scale = self._safe_scale() if moves else 1.0
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
        self._bound()
        while self.picked < len(self.picks):
            self._step()
        if drawn and self.picked > 1:
            self.divergences[0] = self.divergences[1]
        return self.picks, self.divergences

    def _bound(self) -> None:
        """Bound the distances of all points by a few centers, so that most need no exact distance."""
        every_center = len(self.labeled) + len(self.picks)
        few = min(max(_FEW_CENTERS, every_center // 2), _MOST_CENTERS)
        few = min(few, len(self.labeled) + self.picked)
        rest = torch.arange(len(self.pool))
        for dtype in bound_types():
            rest = self._bound_roughly(rest, few, dtype)
        self._update_all(rest, few)

    def _bound_roughly(self, positions: Tensor, few: int, dtype: torch.dtype) -> Tensor:
        """Bound the distances of points to the first centers by coarse products.

        Returns:
            The points that lie too close to them, for their norms, for products of this dtype.
        """
        rough = self._rough(self._rows(0, few), dtype)
        shares = rough.rounding()
        loose = torch.empty(len(positions), dtype=torch.bool)
        for start in range(0, len(positions), self.block_size):
            block = positions[start : start + self.block_size]
            points = self._rough(self.pool.index_select(0, block), dtype)
            own = points.rounding()
            nearest = points.divergence(rough).add_(shares).amin(1) + own
            self.bounds[block] = torch.minimum(self.bounds[block], nearest.double() / self.scale**2)
            loose[start : start + self.block_size] = own > _LOOSE * nearest
        return positions[loose]

    def _step(self) -> None:
        """Pick from the block of highest bounds while its best is surely the best of all."""
        top = self.bounds.topk(min(self.block_size + 1, len(self.bounds)))
        block = top.indices[: self.block_size].sort().values
        outside = float(top.values[-1]) if len(top.values) > self.block_size else -torch.inf
        points = self._factors(self.pool[block])
        self._update(block, points, len(self.labeled) + self.picked, outside)
        fresh = (self.bounds[block] >= outside).nonzero().squeeze(1)
        if len(fresh):
            self._pick_within(block[fresh], points.rows(fresh), outside)
        else:
            self._catch_up(block[self.bounds[block].argmax()][None])

    def _pick_within(self, block: Tensor, points: Factors, outside: float) -> None:
        """Pick from up-to-date points while the best of them reaches the bounds outside."""
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

    def _catch_up(self, some: Tensor) -> None:
        """Bring all points up to date that may be as far as some point, a position (1,) int64.

        Where a pick brings most points nearer, a block at a time would hardly get on.
        """
        stop = len(self.labeled) + self.picked
        self._update_all(some, stop)
        floor = float(self.bounds[some])
        self._update_all((self.bounds >= floor).nonzero().squeeze(1), stop, floor)

    def _pick(self, position: int, divergence: float) -> None:
        self.picks[self.picked] = position
        self.divergences[self.picked] = divergence
        self.picked += 1

    def _update_all(self, positions: Tensor, stop: int, floor: float = -torch.inf) -> None:
        """Lower the bounds of points, (M,) int64, block by block."""
        for start in range(0, len(positions), self.block_size):
            block = positions[start : start + self.block_size]
            self._update(block, self._factors(self.pool[block]), stop, floor)

    def _update(self, block: Tensor, points: Factors, stop: int, floor: float) -> None:
        """Lower the bounds of the block's points, given as factors too, to the first centers'.

        Points that fall below the floor see no further centers.
        """
        bounds, seen = self.bounds[block], self.seen[block]
        size = min(self.block_size, _MOST_CENTERS)
        for low in range(int(seen.min()), stop, size):
            high = min(low + size, stop)
            # Some of these may have seen some of the centers already, which does no harm.
            stale = ((seen < high) & (bounds >= floor)).nonzero().squeeze(1)
            rows = points if len(stale) == len(block) else points.rows(stale)
            nearest = rows.divergence(self._centers(low, high)).amin(1)
            bounds[stale] = torch.minimum(bounds[stale], nearest)
            seen[stale] = high
        self.bounds[block], self.seen[block] = bounds, seen

    def _rows(self, low: int, high: int) -> Tensor:
        """Return the centers from ``low`` to before ``high``; labeled images count first."""
        offset = len(self.labeled)
        picks = self.picks[max(low - offset, 0) : max(high - offset, 0)]
        return torch.cat([self.labeled[low:high], self.pool[picks]])

    def _centers(self, low: int, high: int) -> Factors:
        return self._factors(self._rows(low, high))

    def _factors(self, rows: Tensor) -> Factors:
        rows = rows.double()
        return self.metric.factors(rows if self.center is None else rows - self.center)

    def _rough(self, rows: Tensor, dtype: torch.dtype) -> Factors:
        """Return factors of rows times the scale, in float32 with products in ``dtype``."""
        rows = rows.float()
        if self.center is not None:
            rows = torch.add((self.center * -self.scale).float(), rows, alpha=self.scale)
        return self.metric.factors(rows).products_in(dtype)

    def _safe_scale(self) -> float:
        """Return a power of 2 that brings rows to about 1, so that no square over- or underflows."""
        ends = [
            float(end) for rows in (self.pool, self.labeled) if len(rows) for end in rows.aminmax()
        ]
        exponent = math.frexp(max(map(abs, ends)))[1]
        return 2.0 ** -max(-_EXPONENT, min(exponent, _EXPONENT))


def _mean(values: Tensor, block_size: int) -> Tensor:
    """Return the mean row, (D,) float64, without a float64 copy of all values."""
    blocks = torch.split(values, block_size)
    # Made beforehand: a new row would take the place that a freed block leaves, and so the next block
    # would need more memory, and the next.
    sums = torch.empty(len(blocks), values.shape[1], dtype=torch.float64)
    for total, block in zip(sums, blocks, strict=True):
        torch.sum(block.double(), 0, out=total)
    return sums.sum(0) / len(values)
