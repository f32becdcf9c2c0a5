"""Balls of one radius around points: what they hold, looked up one by one, and no fewer for all."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from al_lightning.strategies.functional.rows import half_squares

_TILE = 512  # points on each side whose distances are taken together; counts fit in 16 bits
_BLOCK = 16  # centers whose balls are looked up together
_PART = 4_096  # pairs of points that are held in float64 at a time
_KEPT = 2**25  # points of balls that are known, at most
_RANK = 64  # of the low-rank bounds
_DECOMPOSED = 20_000  # points that the low-rank directions are fitted to, at most
_TRIED = 256  # points that low-rank bounds are tried on
_LOOSE = 2  # times as many points as there are, by which bounds may count too many to be taken
_SAFE = 1e-5  # far more than float32 rounds off half a squared distance in the unit ball
_ROUNDING = 1e-6  # of a squared radius: at radius 2, the opposite point of the sphere is covered
_LEAST_HALF_SQUARE = 1e-13  # equal points are within any radius, whatever rounding in float64 does


def balls_bytes(points: int, row_bytes: int) -> int:
    """Return the bytes that :class:`Balls` need besides their points."""
    blocks = 4 * _PART * row_bytes + 8 * _BLOCK * points
    return points * (4 * (_RANK + 1) + 48) + 4 * _KEPT + blocks


class Balls:
    """Which points lie within a radius of each point.

    No graph of all pairs is stored: a ball is looked up when it is asked for, and kept.

    >>> import torch
    >>> from al_lightning.strategies.functional.balls import Balls
    >>> balls = Balls(torch.tensor([[0.0], [0.1], [0.5]]), radius=0.2)
    >>> balls.of([1, 2])
    [tensor([0, 1], dtype=torch.int32), tensor([2], dtype=torch.int32)]
    >>> balls.upper
    tensor([2, 2, 1])

    Args:
        rows: Points within the unit ball, (N, D) float32; see
            :class:`~al_lightning.strategies.functional.cap.Cap`.
        radius: Of the balls, at least 0.

    Attributes:
        upper: No fewer than the points in each ball, (N,) int64.
    """

    def __init__(self, rows: Tensor, radius: float) -> None:
        self._rows = rows
        self._halves = half_squares(rows)
        self._most = radius**2 / 2 * (1 + _ROUNDING) + _LEAST_HALF_SQUARE
        self._known: dict[int, Tensor] = {}
        self._held = 0  # points in these
        self.upper = self._upper()

    def __len__(self) -> int:
        return len(self._rows)

    def of(self, centers: Sequence[int]) -> list[Tensor]:
        """Return the positions of the points in some balls, (n,) int32 each, ascending.

        Args:
            centers: Positions of their centers.
        """
        if self._held > _KEPT:
            self._known.clear()
            self._held = 0
        unknown = [center for center in centers if center not in self._known]
        for start in range(0, len(unknown), _BLOCK):
            some = unknown[start : start + _BLOCK]
            for center, within in zip(some, self._within(self._rows[some]), strict=True):
                self._known[center] = within.nonzero().squeeze(1).int()
                self._held += len(self._known[center])
        return [self._known[center] for center in centers]

    def _upper(self) -> Tensor:
        """Count all pairs, by short vectors where they are as good."""
        most = self._most + _SAFE
        short = low_rank_bounds(self._rows, _RANK)
        every = max(1, len(short) // _TRIED)
        loose, tight = (
            int(count_within(rows[::every], rows, most).sum()) for rows in (short, self._rows)
        )
        return count_among(short if loose <= _LOOSE * tight else self._rows, most)

    def _within(self, centers: Tensor) -> Tensor:
        """Return which points the balls around centers, (B, D) float32, hold: (B, N) bool.

        Where float32 does not tell, in float64.
        """
        excess = torch.addmm(self._halves, centers, self._rows.T, alpha=-1)
        excess += (half_squares(centers) - self._most)[:, None]
        within = excess <= 0
        unsure = (excess.abs_() <= _SAFE).nonzero()
        for center, point in (part.unbind(1) for part in torch.split(unsure, _PART)):
            apart = centers[center].double() - self._rows[point].double()
            within[center, point] = apart.square_().sum(1) <= 2 * self._most
        return within


def count_within(rows: Tensor, others: Tensor, most: float) -> Tensor:
    """Return how many others lie within a distance of each row.

    >>> import torch
    >>> from al_lightning.strategies.functional.balls import count_within
    >>> rows = torch.tensor([[0.0], [1.0], [3.0]])
    >>> count_within(rows, rows[:2], most=1 / 2)
    tensor([2, 2, 0])

    Args:
        rows: (N, D) float; distances are taken in its dtype.
        others: (M, D) float, of the same dtype.
        most: Half of the squared distance.

    Returns:
        (N,) int64.
    """
    counts = np.zeros(len(rows), dtype=np.int64)
    limits, halves = half_squares(rows) - most, -half_squares(others)
    for at in _tiles(len(rows)):
        for to in _tiles(len(others)):
            reached = _reached(rows[at], limits[at], others[to], halves[to])
            counts[at] += np.count_nonzero(reached, axis=1)
    return torch.from_numpy(counts)


def count_among(rows: Tensor, most: float) -> Tensor:
    """Return how many rows lie within a distance of each row, itself among them; each pair once.

    Args:
        rows: (N, D) float; distances are taken in its dtype.
        most: Half of the squared distance.

    Returns:
        (N,) int64.
    """
    counts = np.zeros(len(rows), dtype=np.int64)
    halves = half_squares(rows)
    limits, halves = halves - most, -halves
    tiles = _tiles(len(rows))
    for i, at in enumerate(tiles):
        for to in tiles[i:]:
            reached = _reached(rows[at], limits[at], rows[to], halves[to])
            counts[at] += np.count_nonzero(reached, axis=1)
            if to != at:  # several times faster than count_nonzero along this axis
                counts[to] += np.add.reduce(reached.view(np.uint8), axis=0, dtype=np.uint16)
    return torch.from_numpy(counts)


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
    for at in _tiles(len(rows)):
        block = rows[at].double()
        kept = block @ directions
        rest = block.square().sum(1) - kept.square().sum(1)
        short[at, :-1], short[at, -1] = kept, rest.clamp_(min=0).sqrt_()
    return short


def _reached(rows: Tensor, limits: Tensor, others: Tensor, halves: Tensor) -> np.ndarray:
    """Return whether |x - y|^2 / 2 <= most: x . y - |y|^2 / 2 >= |x|^2 / 2 - most; (B, C) bool."""
    products = torch.addmm(halves, rows, others.T).numpy()  # numpy compares twice as fast as torch
    reached: np.ndarray = products >= limits.numpy()[:, None]
    return reached


def _tiles(count: int) -> list[slice]:
    return [slice(start, min(start + _TILE, count)) for start in range(0, count, _TILE)]
