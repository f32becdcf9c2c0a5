"""Greedy maximum of the coverage by a Gaussian kernel, exact, without a matrix of all pairs."""

from collections.abc import Iterator

import torch
from torch import Tensor

from al_lightning.strategies.functional.clusters import squared_distances, unit_rows

_TILE = 256  # candidates whose kernel is taken at a time, in float32
_PART = 1_024  # reference images at a time, in float32: such a tile stays in the processor's cache
_EXACT_PART = 4_096  # likewise in float64
_EXACT = 16  # candidates that are compared exactly at a time
_FIRST = 64  # candidates that are brought up to date at a time; then twice as many
_SLACK = 1e-5  # far more than float32 rounds off a squared distance of unit vectors
_ROUNDING = 1e-4  # likewise off a sum of kernels, as a share of it
_EQUAL = (
    1e-12  # squared distances below are 0: copies cover each other wholly, whatever rounding does
)
_TIED = 1e-9  # share by which two gains in float64 may differ and count as equal
_LABELED = 2**22  # kernels with labeled images at a time
_LEAST_GAIN = 1e-9  # of a sum of kernels; what is below is nothing but rounding


def herding_bytes(candidates: int, references: int, row_bytes: int) -> int:
    """Return the bytes that :class:`Herding` needs: unit rows twice, bounds, and tiles."""
    exact = 8 * (_EXACT * references + 2 * _LABELED) + 3 * 2 * row_bytes * _EXACT_PART
    return (candidates + references) * (row_bytes + 48) + exact + 4 * 4 * _TILE * _PART


def least_distance(rows: Tensor) -> float | None:
    """Return the smallest distance of two rows that are not equal, (L, D) float; None if all are.

    Rows that are less than 1e-5 apart count as equal.
    """
    least = torch.inf
    for start in range(0, len(rows), _PART):
        squared = squared_distances(rows[start : start + _PART], rows)
        squared.masked_fill_(squared <= _SLACK**2, torch.inf)
        least = min(least, float(squared.min()))
    return None if least == torch.inf else least**0.5


class Herding:
    """Picks images that bring the most coverage, one after the other.

    The coverage of image i is m_i = max of k(x_i, x) over all labeled and picked x, and a pick brings
    sum_i u_i max(k(x_i, x) - m_i, 0), with k(x, y) = exp(-|x - y|^2 / h^2). Bae et al. 2024, algorithm
    1.

    What an image brings only falls as others are picked, so an old value is an upper bound (Minoux
    1978). The highest bounds are brought up to date in float32, with a margin for rounding, and the
    few that can be the maximum are compared in float64. So the picks are those of the plain greedy
    algorithm in float64, up to ties.

    Args:
        rows: Candidates of unit length (or zero), (N, D) float32.
        references: Positions of the images whose coverage counts, (R,) int64; None for all.
        weights: u of each candidate, (N,) float, at least 0.
        labeled: Images that cover already, of unit length, (L, D) float32.
        bandwidth: h, above 0.

    Attributes:
        covered: m of each reference image, (R,) float64.
    """

    def __init__(
        self,
        rows: Tensor,
        references: Tensor | None,
        weights: Tensor,
        labeled: Tensor,
        bandwidth: float,
    ) -> None:
        self.rows = rows
        self.points = rows if references is None else rows[references]
        self.weights = (weights if references is None else weights[references]).double()
        self.scale = bandwidth**-2
        parts = torch.split(self.points, _EXACT_PART)
        self.squares = torch.cat([part.double().square().sum(1) for part in parts])
        self.covered = torch.zeros(len(self.points), dtype=torch.float64)
        size = max(1, _LABELED // len(self.points))
        for start in range(0, len(labeled), size):
            kernel = self._kernel(labeled[start : start + size])
            self.covered = torch.maximum(self.covered, kernel.amax(0))
        self._factors = self._turned(self.points)
        self.bounds = torch.full((len(rows),), torch.inf, dtype=torch.float64)
        self.seen = torch.full((len(rows),), -1)  # picks that each bound knows
        self.picks: list[int] = []

    def run(self, count: int) -> tuple[Tensor, Tensor]:
        """Return positions, (n,) int64, and what each brings, (n,) float64; fewer if all is covered."""
        gains: list[float] = []
        self._refresh(torch.arange(len(self.rows)))
        while len(gains) < count:
            best, gain, kernel = self._best()
            if gain <= _LEAST_GAIN:
                break
            self.picks.append(best)
            gains.append(gain)
            self.covered = torch.maximum(self.covered, kernel)
            self.bounds[best] = -1  # never again
        return torch.tensor(self.picks, dtype=torch.int64), torch.tensor(gains, dtype=torch.float64)

    def _best(self) -> tuple[int, float, Tensor]:
        """Return the candidate that brings the most, how much, and its kernel, (R,) float64."""
        size = _FIRST
        while True:
            top = self.bounds.topk(min(_EXACT + 1, len(self.bounds)))
            stale = (self.seen[top.indices] < len(self.picks)).nonzero().flatten().tolist()
            if stale and stale[0] == 0:
                self._refresh_highest(size)
                size *= 2
                continue
            fresh = min(stale[0] if stale else len(top.indices), _EXACT)
            block = top.indices[:fresh].sort().values
            kernel = self._kernel(self.rows[block])
            new = (kernel - self.covered).clamp_(min=0) @ self.weights
            self.bounds[block] = torch.where(self.bounds[block] < 0, self.bounds[block], new)
            best = int(self.bounds[block].argmax())
            gain = float(self.bounds[block[best]])
            # Equal gains outside of the block lose: somebody must.
            if fresh == len(top.values) or gain >= float(top.values[fresh]) * (1 - _TIED):
                return int(block[best]), gain, kernel[best]

    def _refresh_highest(self, size: int) -> None:
        """Bring the highest bounds up to date, but none that is below one which is."""
        highest = self.bounds.topk(min(size, len(self.bounds)))
        known = self.bounds[self.seen == len(self.picks)]
        floor = float(known.max()) if len(known) else -torch.inf
        wanted = (self.seen[highest.indices] < len(self.picks)) & (highest.values >= floor)
        self._refresh(highest.indices[wanted].sort().values)

    def _kernel(self, some: Tensor) -> Tensor:
        """Return k of some rows, (B, D), and all reference images, (B, R) float64."""
        left = some.double()
        squared = left.square().sum(1)[:, None] + self.squares
        for start in range(0, len(self.points), _EXACT_PART):
            part = slice(start, start + _EXACT_PART)
            squared[:, part].addmm_(left, self.points[part].double().T, alpha=-2)
        squared[squared < _EQUAL] = 0
        return squared.mul_(-self.scale).exp_()

    def _refresh(self, block: Tensor) -> None:
        """Lower the bounds of some candidates, (B,) int64, by what is covered now."""
        covered, weights = self.covered.float(), self.weights.float()
        for some in torch.split(block, _TILE):
            left = self._factor(self.rows[some])
            sums = torch.zeros(len(some), dtype=torch.float64)
            for part in self._parts():
                kernel = (left @ self._factors[part].T).clamp_(max=0).exp_()
                sums += kernel.sub_(covered[part]).clamp_(min=0) @ weights[part]
            fresh = sums * (1 + _ROUNDING) + _LEAST_GAIN / 2
            self.bounds[some] = torch.minimum(self.bounds[some], fresh)
        self.seen[block] = len(self.picks)

    def _parts(self) -> Iterator[slice]:
        for start in range(0, len(self.points), _PART):
            yield slice(start, start + _PART)

    def _factor(self, rows: Tensor) -> Tensor:
        """Return vectors whose inner products with the turned ones are -(|x - y|^2 - slack) / h^2."""
        squares = rows.square().sum(1, keepdim=True)
        ones = torch.ones_like(squares)
        return torch.cat([rows * (2 * self.scale), squares * -self.scale, ones], 1)

    def _turned(self, rows: Tensor) -> Tensor:
        squares = rows.square().sum(1, keepdim=True)
        ones = torch.ones_like(squares)
        return torch.cat([rows, ones, (squares - _SLACK) * -self.scale], 1)


def unit_float32(rows: Tensor) -> Tensor:
    """Return rows, (N, D) float32, of unit length as exactly as float32 has them; zeros stay zero."""
    blocks = [unit_rows(block.double()).float() for block in torch.split(rows, _EXACT_PART)]
    return torch.cat(blocks) if blocks else rows
