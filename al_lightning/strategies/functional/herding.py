"""Greedy maximum of the coverage by a Gaussian kernel, exact, without a matrix of all pairs."""

import torch
from torch import Tensor

from al_lightning.strategies.functional.blocks import over_blocks
from al_lightning.strategies.functional.clusters import squared_distances, unit_rows
from al_lightning.strategies.functional.herding_bounds import bounds_bytes, bounds_of

_EXACT_PART = 4_096  # reference images at a time, in float64
_EXACT = 16  # candidates that are compared exactly at a time
_FIRST = 64  # candidates whose tightest bounds are lowered at a time; then twice as many
_USEFUL = 0.2  # share of candidates that bounds must exclude to be taken on in a search
_SAME = 1e-5  # distance of unit vectors up to which they count as equal
_EQUAL = (
    1e-12  # squared distances below are 0: copies cover each other wholly, whatever rounding does
)
_LABELED = 2**22  # kernels with labeled images at a time
_LEAST_GAIN = 1e-9  # of a sum of kernels; what is below is nothing but rounding


def herding_bytes(candidates: int, references: int, row_bytes: int) -> int:
    """Return the bytes that :class:`Herding` needs: unit rows, reference images, and bounds."""
    exact = 8 * (_EXACT * references + 2 * _LABELED) + 3 * 2 * row_bytes * _EXACT_PART
    rows = candidates * (row_bytes + 48) + references * (row_bytes + 48)
    return rows + exact + bounds_bytes(references, row_bytes)


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

    What an image brings only falls as others are picked, so an old value is an upper bound (Minoux
    1978). The highest bounds are lowered step by step: by cheap bounds in bfloat16, by tighter ones in
    float32, and in float64 for the few that can be the maximum. So the picks are those of the plain
    greedy algorithm in float64, up to ties.

    Args:
        rows: Candidates of unit length (or zero), (N, D) float32.
        references: Positions of the images whose coverage counts, (R,) int64; None for all.
        weights: u of each candidate, (N,) float, at least 0.
        labeled: Images that cover already, of unit length, (L, D) float32.
        bandwidth: h, above 0.
        bfloat16: Whether the processor computes in bfloat16; changes the time alone.

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
        *,
        bfloat16: bool = False,
    ) -> None:
        self.rows = rows
        self.points = rows if references is None else rows[references]
        self.weights = (weights if references is None else weights[references]).double()
        self.scale = bandwidth**-2
        self.squares = over_blocks(
            len(self.points), _EXACT_PART, lambda at: self.points[at].double().square().sum(1)
        )
        self.covered = torch.zeros(len(self.points), dtype=torch.float64)
        size = max(1, _LABELED // len(self.points))
        for start in range(0, len(labeled), size):
            self._cover(labeled[start : start + size])
        self.steps = bounds_of(self.points, self.scale, bfloat16=bfloat16)
        self.bounds = torch.full((len(rows),), torch.inf, dtype=torch.float64)
        self.step = torch.zeros(len(rows), dtype=torch.int8)  # that each bound has gone through

    def run(self, count: int) -> tuple[Tensor, Tensor]:
        """Return positions, (n,) int64, and what each brings, (n,) float64; fewer if all is covered."""
        picks: list[int] = []
        gains: list[float] = []
        while len(gains) < count:
            best, gain = self._best()
            if gain <= _LEAST_GAIN:
                break
            picks.append(best)
            gains.append(gain)
            self._cover(self.rows[best : best + 1])
            self.bounds[best] = -1  # never again
        return torch.tensor(picks, dtype=torch.int64), torch.tensor(gains, dtype=torch.float64)

    def _best(self) -> tuple[int, float]:
        """Return the candidate that brings the most, and how much."""
        for bounds in self.steps:
            bounds.cover(self.covered, self.weights)
        self.step.zero_()
        exact = len(self.steps)
        useful, sizes = [True] * exact, [_FIRST] * exact + [_EXACT]
        winner = self._compare(self.bounds.topk(min(_EXACT, len(self.bounds))).indices)
        while True:
            lead, reached = int(self.bounds.argmax()), max(float(self.bounds[winner]), 0.0)
            if float(self.bounds[lead]) <= reached:  # equal gains of others lose: somebody must
                return winner, reached
            step = int(self.step[lead])
            highest = self.bounds.topk(min(sizes[step], len(self.bounds)))
            wanted = (self.step[highest.indices] == step) & (highest.values > reached)
            # Equal bounds may have kept the highest out.
            block = torch.cat([highest.indices[wanted], torch.tensor([lead])])
            block = torch.unique(block)
            sizes[step] *= 2 if step < exact else 1
            step = next((i for i in range(step, exact) if useful[i]), step)
            if step == exact:
                best = self._compare(block)
                winner = best if self.bounds[best] > reached else winner
                continue
            new = self.steps[step].upper(self.rows[block])
            self.bounds[block] = torch.minimum(self.bounds[block], new)
            self.step[block] = step + 1
            excluded = float((self.bounds[block] <= reached).double().mean())
            useful[step] = excluded > _USEFUL or step == exact - 1

    def _compare(self, block: Tensor) -> int:
        """Set what candidates bring, at positions (B,) int64, exactly, and return the best of them."""
        for some in torch.split(block, _EXACT):
            kernel = self._kernel(self.rows[some])
            new = (kernel - self.covered).clamp_(min=0) @ self.weights
            self.bounds[some] = torch.where(self.bounds[some] < 0, self.bounds[some], new)
        self.step[block] = len(self.steps) + 1
        return int(block[self.bounds[block].argmax()])

    def _cover(self, some: Tensor) -> None:
        self.covered = torch.maximum(self.covered, self._kernel(some).amax(0))

    def _kernel(self, some: Tensor) -> Tensor:
        """Return k of some rows, (B, D), and all reference images, (B, R) float64."""
        left = some.double()
        squared = left.square().sum(1)[:, None] + self.squares
        for start in range(0, len(self.points), _EXACT_PART):
            part = slice(start, start + _EXACT_PART)
            squared[:, part].addmm_(left, self.points[part].double().T, alpha=-2)
        squared[squared < _EQUAL] = 0
        return squared.mul_(-self.scale).exp_()


def unit_float32(rows: Tensor) -> Tensor:
    """Return rows, (N, D) float32, of unit length as exactly as float32 has them; zeros stay zero."""
    blocks = [unit_rows(block.double()).float() for block in torch.split(rows, _EXACT_PART)]
    return torch.cat(blocks) if blocks else rows
