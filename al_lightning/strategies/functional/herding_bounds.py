"""Upper bounds of the coverage that an image would add, as matrix products of few or many numbers."""

import math

import torch
from torch import Tensor

from al_lightning.strategies.functional.blocks import over_blocks

TILE = 256  # candidates at a time
PART = 1_024  # reference images at a time: such a tile stays in the processor's cache
_RANK = 128  # main directions of the cheapest bounds
_DECOMPOSED = 20_000  # images that the directions are taken from
_SLACK = 1e-5  # far more than float32 rounds off a squared distance of unit vectors
_ROUNDING = 1e-4  # likewise off a sum, as a share of it
_ROUNDED = 2.0**-8  # no less than bfloat16 rounds off a number, as a share of it
_UP = 1 + 2 * _ROUNDED  # brings the nearest bfloat16 to no less than the number
_SMALLEST = 16.0  # -ln of the least coverage that is told from none
_EXTRA = 9  # columns of factors beside the directions


class Bounds:
    """Bounds sum_i u_i max(k(x_i, x) - m_i, 0) from above, with k(x, y) = exp(-|x - y|^2 / h^2).

    One inner product of factors is log2(k / m), or more, so that a term is u m (2^z - 1) for z > 0. Its
    numbers are those of a row, or of its main directions and the length of what is left: by Cauchy and
    Schwarz, x . y is no more than the inner product in some directions plus the product of the lengths
    in all others. The same holds of what bfloat16 rounds off, whose lengths are two more columns.

    Args:
        points: Reference images of unit length (or zero), (R, D) float32.
        scale: h^-2.
        rank: Main directions of the points that are used; None for all, without a rotation.
        dtype: Of the factors: torch.bfloat16 or torch.float32.
    """

    def __init__(self, points: Tensor, scale: float, rank: int | None, dtype: torch.dtype) -> None:
        self.dtype = dtype
        # A positive z in bfloat16 is no less than the exact one.
        self.stretch = (1 + _ROUNDED if dtype == torch.bfloat16 else 1.0) / math.log(2)
        self.length = math.sqrt(2 * scale * self.stretch)
        self.slack = scale * _SLACK + _SLACK
        self.least = math.exp(-min(4 * scale, _SMALLEST))
        some = points[:: max(1, len(points) // _DECOMPOSED)].double()
        self.mean = some.mean(0)
        self.directions: Tensor | None = None
        if rank is not None:
            some = some - self.mean
            self.directions = torch.linalg.eigh(some.T @ some).eigenvectors[:, -rank:].float()
        self.mean = self.mean.float()
        parts = [self._columns(part) for part in torch.split(points, TILE)]
        self.factors = torch.cat([self._factors(*part, turned=True) for part in parts])
        self.halves = torch.cat([part[2] for part in parts]).double()

    def cover(self, covered: Tensor, weights: Tensor) -> None:
        """Take m and u of each reference image, (R,) float64."""
        floor = covered.clamp(min=self.least)
        self.weights = (weights * floor).float()
        # An image that nothing covers counts as covered a little, which is added again.
        self.rest = float(weights @ (floor - covered).clamp_(min=0))
        heights = self.halves + self.slack - floor.log() * self.stretch
        self.factors[:, -3:] = _in_three(heights.float()[:, None], self.dtype)

    def upper(self, rows: Tensor) -> Tensor:
        """Return the bounds of candidates of unit length (or zero), (B, D) float32, as (B,) float64."""
        return over_blocks(len(rows), TILE, lambda at: self._upper(rows[at]))

    def _upper(self, rows: Tensor) -> Tensor:
        left = self._factors(*self._columns(rows))
        sums = torch.zeros(len(rows), dtype=torch.float64)
        for start in range(0, len(self.factors), PART):
            part = slice(start, start + PART)
            terms = (left @ self.factors[part].T).clamp_(min=0).float().exp2_().sub_(1)
            sums += terms @ self.weights[part]
        return sums * (1 + _ROUNDING) + self.rest

    def _columns(self, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Return directions, (B, r), lengths left out, rounded off and kept, and the column's sum."""
        moved = (rows - self.mean) * self.length
        kept = moved if self.directions is None else moved @ self.directions
        squares, inside = moved.square().sum(1), kept.square().sum(1)
        left_out = (squares - inside).clamp_(min=0).sqrt_()
        short = kept.to(self.dtype)
        rounded = (kept - short.float()).norm(dim=1)
        lengths = torch.stack([left_out, rounded, kept.norm(dim=1), short.float().norm(dim=1)], 1)
        return short, (lengths * _UP).to(self.dtype), squares / -2

    def _factors(
        self, short: Tensor, lengths: Tensor, halves: Tensor, *, turned: bool = False
    ) -> Tensor:
        left_out, rounded, kept, shortened = lengths[:, :, None].unbind(1)
        products = (kept, rounded) if turned else (rounded, shortened)
        ones = torch.ones(len(short), 3, dtype=self.dtype)
        heights = _in_three(halves[:, None], self.dtype)
        last = (ones, heights) if turned else (heights, ones)
        return torch.cat([short, left_out, *products, *last], 1)


def _in_three(values: Tensor, dtype: torch.dtype) -> Tensor:
    """Return three numbers for each, (B, 1) float32, whose sum is as exact as float32: (B, 3)."""
    high = values.to(dtype)
    middle = (values - high.float()).to(dtype)
    low = (values - high.float() - middle.float()).to(dtype)
    return torch.cat([high, middle, low], 1)


def bounds_of(points: Tensor, scale: float, *, bfloat16: bool) -> list[Bounds]:
    """Return bounds from the cheapest to the tightest.

    Args:
        points: Reference images of unit length (or zero), (R, D) float32.
        scale: h^-2.
        bfloat16: Whether the processor computes in bfloat16.
    """
    short = torch.bfloat16 if bfloat16 else torch.float32
    found = []
    if points.shape[1] > 2 * _RANK:
        found.append(Bounds(points, scale, _RANK, short))
    if bfloat16:
        found.append(Bounds(points, scale, None, short))
    return [*found, Bounds(points, scale, None, torch.float32)]


def bounds_bytes(references: int, row_bytes: int) -> int:
    """Return the bytes of all bounds of so many reference images, and of their tiles."""
    factors = 2 * row_bytes + 4 * (_RANK + 3 * _EXTRA)
    return references * (factors + 3 * 16) + 8 * (row_bytes // 4) ** 2 + 4 * 4 * TILE * PART
