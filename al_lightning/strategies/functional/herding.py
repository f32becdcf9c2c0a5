"""Greedy maximum of the coverage by a Gaussian kernel, without a matrix of all pairs."""

import math

import torch
from torch import Tensor

from al_lightning.strategies.functional.rows import half_squares, squared_distances

_TILE = 256  # reference images at a time
_PART = 2_048  # candidates at a time: such a tile stays in the processor's cache
_EXACT_PART = 4_096  # images at a time, in float64
_EXACT = 16  # candidates that are compared in float64, at most, and labeled images at a time
_CLOSE = 1e-3  # share of a gain within which float32 does not tell which is larger
_STALE = 1e-2  # share of the highest gain below which what was rounded off may count
_TIE = 1e-12  # share of a gain within which gains are equal, whatever rounding did
_FINE = 1e3  # h^-2 from which a kernel tells distances apart that float32 does not
_SAME = 1e-5  # distance of unit vectors up to which they count as equal
_EQUAL = 1e-12  # squared distances below are 0: copies cover each other wholly
_SAFE = 1e-5  # far more than float32 rounds off a squared distance of unit vectors
_NOTHING = 1e-14  # a kernel below brings nothing
_LEAST_GAIN = 1e-9  # of a sum of kernels; what is below is nothing but rounding


def herding_bytes(candidates: int, references: int, row_bytes: int) -> int:
    """Return the bytes that :class:`Herding` needs: unit rows, reference images, and blocks."""
    exact = references * (4 * row_bytes + 24 * _EXACT)
    tiles = 8 * _TILE * (_PART + row_bytes // 4)
    return (candidates + references) * (row_bytes + 48) + exact + tiles


def least_distance(rows: Tensor) -> float | None:
    """Return the smallest distance of two rows that are not equal, (L, D) float; None if all are.

    Rows that are less than 1e-5 apart count as equal.
    """
    least = torch.inf
    for start in range(0, len(rows), _EXACT_PART):
        squared = squared_distances(rows[start : start + _EXACT_PART], rows)
        squared.masked_fill_(squared <= _SAME**2, torch.inf)
        least = min(least, float(squared.min()))
    return None if least == torch.inf else least**0.5


class Herding:
    """Picks images that bring the most coverage, one after the other.

    The coverage of image i is m_i = max of k(x_i, x) over all labeled and picked x, and a pick brings
    sum_i u_i max(k(x_i, x) - m_i, 0), with k(x, y) = exp(-|x - y|^2 / h^2). Bae et al. 2024, algorithm
    1.

    A pick changes m of the images that are nearer to it than to all others alone: some N / n of them
    after n picks. So what all candidates bring is brought up to date by the kernels with these images,
    in float32, and candidates that bring as much as the best, up to a thousandth, are compared in
    float64. The picks are those of the plain greedy algorithm in float64, the first of equals.

    >>> import torch
    >>> from al_lightning.strategies.functional.herding import Herding
    >>> angles = torch.tensor([0.0, 0.1, 0.2, 3.0])
    >>> rows = torch.stack([angles.cos(), angles.sin()], 1)
    >>> Herding(rows, None, torch.ones(4), rows[:0], bandwidth=0.5).run(2)[0]
    tensor([1, 3])

    Args:
        rows: Candidates of unit length (or zero), (N, D) float32.
        references: Positions of the images whose coverage counts, (R,) int64; None for all.
        weights: u of each candidate, (N,) float, at least 0.
        labeled: Images that cover already, of unit length, (L, D) float32.
        bandwidth: h, above 0.

    Attributes:
        covered: m of each reference image, (R,) float64.
        gains: What each candidate brings, (N,) float64; minus infinity for picks.
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
        self.dtype = torch.float32 if self.scale < _FINE else torch.float64
        # A fine kernel takes differences that float32 halves would lose.
        self.halves = half_squares(rows, self.dtype)
        self.own = self.halves if references is None else self.halves[references]
        self.covered = torch.zeros(len(self.points), dtype=torch.float64)
        for start in range(0, len(labeled), _EXACT):
            columns, kernel = self._above(labeled[start : start + _EXACT])
            self.covered[columns] = torch.maximum(self.covered[columns], kernel.amax(0))
        self.gains = self.covered.new_zeros(len(rows))
        self._bring_up_to_date()

    def run(self, count: int) -> tuple[Tensor, Tensor]:
        """Return positions, (n,) int64, and what each brings, (n,) float64; fewer if all is covered."""
        picks: list[int] = []
        gains: list[float] = []
        while len(gains) < count:
            best = self._best()
            columns, kernel = self._above(self.rows[best : best + 1])
            covered = self.covered.clone()
            covered[columns] = torch.maximum(covered[columns], kernel[0])
            gain = float((covered - self.covered) @ self.weights)
            if gain <= _LEAST_GAIN:
                break
            picks.append(best)
            gains.append(gain)
            self.gains -= self._brought(covered)
            self.covered = covered
            self.gains[best] = -math.inf  # never again
            if float(self.gains.max()) < _STALE * self.highest:
                self._bring_up_to_date()
        return torch.tensor(picks, dtype=torch.int64), torch.tensor(gains, dtype=torch.float64)

    def _bring_up_to_date(self) -> None:
        """Compute what candidates bring by all kernels, without what earlier steps rounded off."""
        gains = self._brought(torch.ones_like(self.covered))
        self.gains = gains.masked_fill_(self.gains.isinf(), -math.inf)
        self.highest = float(gains.max())

    def _best(self) -> int:
        """Return the candidate that brings the most, the first of equals."""
        highest = self.gains.topk(min(_EXACT, len(self.gains)))
        close = highest.indices[_about_the_highest(highest.values, _CLOSE)].sort().values
        if len(close) > 1:
            columns, kernel = self._above(self.rows[close])
            brought = (kernel - self.covered[columns]).clamp_(min=0)
            self.gains[close] = brought @ self.weights[columns]
        return int(close[_about_the_highest(self.gains[close], _TIE)][0])

    def _brought(self, covered: Tensor) -> Tensor:
        """Return what each candidate brings up to some coverage, (N,) float64.

        sum_i u_i min(max(k(x_i, x) - m_i, 0), c_i - m_i): all of it where c_i is 1.

        Args:
            covered: c of each reference image, (R,) float64, at least m.
        """
        sums = torch.zeros(len(self.rows), dtype=torch.float64)
        some = ((covered > self.covered) & (self.weights > 0)).nonzero().squeeze(1)
        for block in torch.split(some, _TILE):
            left, floor = self.points[block].to(self.dtype), self.covered[block]
            own, least = (each[:, None].to(self.dtype) for each in (self.own[block], floor))
            most = (covered[block] - floor)[:, None].to(self.dtype)
            weights = self.weights[block].to(self.dtype)
            for start in range(0, len(self.rows), _PART):
                part = slice(start, start + _PART)
                right, halves = self.rows[part].to(self.dtype), self.halves[part].to(self.dtype)
                kernel = torch.addmm(-halves, left, right.T).sub_(own).clamp_(max=0)
                kernel.mul_(2 * self.scale).exp_()
                sums[part] += weights @ kernel.sub_(least).clamp_(min=0).minimum(most)
        return sums

    def _above(self, some: Tensor) -> tuple[Tensor, Tensor]:
        """Return reference images that are nearer to some rows, (B, D), than to what covers them.

        Returns:
            Their positions, (K,) int64: all of them, and a few for which float32 does not tell; and k
            with each of the rows, (B, K) float64.
        """
        least = self.covered.clamp(min=_NOTHING).log_().div_(-self.scale).float() + _SAFE
        squares = torch.addmm(self.own.float(), some, self.points.T, alpha=-1).add_(
            half_squares(some)[:, None]
        )
        columns = (squares.mul_(2) <= least).any(0).nonzero().squeeze(1)
        squared = squared_distances(some, self.points[columns])
        squared[squared < _EQUAL] = 0
        return columns, squared.mul_(-self.scale).exp_()


def _about_the_highest(gains: Tensor, share: float) -> Tensor:
    """Return which gains, (n,), are as high as the highest but for a share of it, (n,) bool."""
    highest = gains.max()
    return gains >= highest - share * highest.abs()
