"""Greedy maximum coverage by balls of one radius, exact, without a graph of neighbors."""

import numpy as np
import torch
from torch import Tensor

from al_lightning.strategies.functional.clusters import squared_distances, unit_rows

_BLOCK = 128  # candidates a block, at most
_TILE = 512  # points on each side whose distances are taken together
_PART = 4_096  # points that are held in float64 at a time
_NUMBERS = 2**24  # distances at a time
_RANK = 64  # of the low-rank bounds
_DECOMPOSED = 20_000  # points that the low-rank directions are fitted to, at most
_SAFE = 1e-5  # far more than float32 rounds off half a squared distance in the unit ball
_ROUNDING = 1e-6  # of a squared radius: at radius 2, the opposite point of the sphere is covered
_LEAST_HALF_SQUARE = 1e-13  # equal points are within any radius, whatever rounding in float64 does
_LEAST_SCALE = 1e-9  # of unit vectors that are not all the same


def coverage_bytes(points: int, row_bytes: int) -> int:
    """Return the bytes that :class:`Coverage` needs besides its points: bounds, counts and blocks."""
    return points * (8 * (_RANK + 3) + 48) + 10 * _NUMBERS + 4 * _PART * row_bytes


class Cap:
    """Where the directions of embeddings lie on the unit sphere.

    Directions with much in common crowd in a small cap. From its middle their distances are exact;
    from the center of the sphere they are small differences of large numbers.

    Args:
        rows: Embeddings, (N, D) float32, none of them zero.

    Attributes:
        mean: The mean direction, (D,) float64.
        scale: The largest distance of a direction from it; 1 where there is none.
    """

    def __init__(self, rows: Tensor) -> None:
        blocks = torch.split(rows, _PART)
        sums = [unit_rows(block.double()).sum(0) for block in blocks]
        self.mean = torch.stack(sums).sum(0) / len(rows)
        squares = [
            (unit_rows(block.double()) - self.mean).square().sum(1).max() for block in blocks
        ]
        farthest = float(torch.stack(squares).max().sqrt())
        self.scale = farthest if farthest > _LEAST_SCALE else 1.0

    def place(self, rows: Tensor) -> Tensor:
        """Return directions less their mean and over the scale, (M, D) float32.

        Args:
            rows: (M, D) float32, none of them zero.
        """
        placed = torch.empty_like(rows)
        for start in range(0, len(rows), _PART):
            block = unit_rows(rows[start : start + _PART].double())
            placed[start : start + _PART] = (block - self.mean) / self.scale
        return placed


def low_rank_bounds(rows: Tensor, rank: int) -> Tensor:
    """Return short vectors that are no farther apart than the rows, and as long.

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
    # In float64: with many units that are always 0, the float32 decomposition fails.
    some = rows[:: max(1, len(rows) // _DECOMPOSED)].double()
    directions = torch.linalg.eigh(some.T @ some).eigenvectors[:, -rank:]
    short = torch.empty(len(rows), rank + 1)  # beforehand; see over_blocks
    for block, to in zip(torch.split(rows, _TILE), torch.split(short, _TILE), strict=True):
        kept = block.double() @ directions
        rest = block.double().square().sum(1) - kept.square().sum(1)
        to[:, :-1], to[:, -1] = kept, rest.clamp_(min=0).sqrt_()
    return short


def count_within(rows: Tensor, others: Tensor, most: float) -> Tensor:
    """Return how many others lie within a distance of each row.

    Args:
        rows: (N, D) float; distances are taken in its dtype.
        others: (M, D) float, of the same dtype.
        most: Half of the squared distance.

    Returns:
        (N,) int64.
    """
    counts = torch.zeros(len(rows), dtype=torch.int64)
    # -|x - y|^2 / 2 as one inner product, so that a tile is made at once and compared at once.
    left, right = _ball_factors(rows), _ball_factors(others, turned=True)
    # Small tiles stay in the processor's cache, and numpy counts several times faster than torch.
    for start in range(0, len(rows), _TILE):
        tile = left[start : start + _TILE]
        for part in torch.split(right, _TILE):
            reached = (tile @ part.T).numpy() >= -most
            counts[start : start + _TILE] += torch.from_numpy(np.count_nonzero(reached, axis=1))
    return counts


def _ball_factors(rows: Tensor, *, turned: bool = False) -> Tensor:
    halves = rows.double().square().sum(1, keepdim=True).div_(-2).to(rows.dtype)
    ones = torch.ones_like(halves)
    return torch.cat([rows, *((halves, ones) if turned else (ones, halves))], 1)


class Coverage:
    """Picks points whose balls cover the most points that no ball covers yet, one after the other.

    Args:
        rows: (N, D) float32, within the unit ball (see :class:`Cap`).
        labeled: Points that have balls already, (L, D) float32.
        radius: Of the balls.

    Attributes:
        open: Whether an image is not covered yet, (N,) bool.
        upper: No fewer than the open images of each ball, by the low-rank bounds, (N,) int64; kept up
            to date.
        bounds: The same, or the last exact count where that is less.
    """

    def __init__(self, rows: Tensor, labeled: Tensor, radius: float) -> None:
        self.rows = rows
        self.short = low_rank_bounds(rows, _RANK)
        self.most = radius**2 / 2 * (1 + _ROUNDING) + _LEAST_HALF_SQUARE
        self.block = max(1, min(_BLOCK, _NUMBERS // len(rows)))
        known = labeled.double()
        covered = [
            count_within(part.double(), known, self.most) for part in torch.split(rows, _PART)
        ]
        self.open = torch.cat(covered) == 0
        self.upper = self._count_by_bounds(self.open, _SAFE)
        self.bounds = self.upper.clone()

    def run(self, count: int) -> tuple[Tensor, Tensor]:
        """Return positions and how many images each newly covers; fewer where all is covered."""
        picks: list[int] = []
        gains: list[int] = []
        while len(picks) < count and bool((self.bounds > 0).any()):
            before = self.open.clone()
            for pick, gain in self._step(count - len(picks)):
                picks.append(pick)
                gains.append(gain)
            if bool((covered := before & ~self.open).any()):
                # Half as generous: what is taken off was surely counted, whatever rounding did.
                self.upper -= self._count_by_bounds(covered, _SAFE / 2)
                self.bounds = torch.minimum(self.bounds, self.upper)
        return torch.tensor(picks, dtype=torch.int64), torch.tensor(gains, dtype=torch.float32)

    def _count_by_bounds(self, which: Tensor, slack: float) -> Tensor:
        """Return no fewer than each ball holds of some images, (N,) bool; (N,) int64."""
        return count_within(self.short, self.short[which], self.most + slack)

    def _step(self, wanted: int) -> list[tuple[int, int]]:
        """Count exactly for the candidates of the highest bounds; pick while surely the best."""
        top = self.bounds.topk(min(self.block + 1, len(self.bounds)))
        block = top.indices[: self.block].sort().values
        outside = int(top.values[-1]) if len(top.values) > self.block else 0
        where = self.open.nonzero().squeeze(1)
        reached = self._within(block, where)
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

    def _within(self, block: Tensor, where: Tensor) -> Tensor:
        """Return which images at some positions the balls of others hold, (B, M) bool; in float64."""
        centers = self.rows[block].double()
        parts = [
            squared_distances(centers, self.rows[part]) <= 2 * self.most
            for part in torch.split(where, _PART)
        ]
        return torch.cat(parts, 1)
