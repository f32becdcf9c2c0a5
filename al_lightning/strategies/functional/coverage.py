"""Greedy maximum coverage by balls of one radius, exact."""

import torch
from torch import Tensor

from al_lightning.strategies.functional.balls import Balls

_BLOCK = 16  # balls whose open points are counted together


class Coverage:
    """Picks points whose balls cover the most points that no ball covers yet, one after the other.

    What a ball newly covers only falls as points are covered, so an old count is an upper bound (Minoux
    1978), and only the highest bounds are counted again. The picks are those of the plain greedy
    algorithm, and of equals the first in a given order.

    >>> import torch
    >>> from al_lightning.strategies.functional.balls import Balls
    >>> from al_lightning.strategies.functional.coverage import Coverage
    >>> balls = Balls(torch.tensor([[0.0], [0.1], [0.2], [0.9]]), radius=0.15)
    >>> coverage = Coverage(balls, order=torch.arange(4))
    >>> coverage.run(3)  # the third finds nothing left
    (tensor([1, 3]), tensor([3., 1.]))

    Args:
        balls: Of all points.
        order: Of each point, by which equals are told apart, (N,) int64, distinct.

    Attributes:
        open: Whether a point is not covered yet, (N,) bool.
        bounds: No fewer than the open points of each ball, (N,) int64.
    """

    def __init__(self, balls: Balls, order: Tensor) -> None:
        self.balls = balls
        self.order = order
        self.open = torch.ones(len(balls), dtype=torch.bool)
        self.bounds = balls.upper.clone()

    def cover(self, centers: list[int]) -> None:
        """Cover the points in some balls, by the positions of their centers."""
        for ball in self.balls.of(centers):
            self.open[ball] = False
        self.bounds[centers] = 0

    def run(self, count: int) -> tuple[Tensor, Tensor]:
        """Return positions and how many points each newly covers; fewer where all is covered."""
        picks: list[int] = []
        gains: list[int] = []
        while len(picks) < count and (best := self._best()) is not None:
            picks.append(best)
            gains.append(int(self.bounds[best]))
            self.cover([best])
        return torch.tensor(picks, dtype=torch.int64), torch.tensor(gains, dtype=torch.float32)

    def _best(self) -> int | None:
        """Return a point whose ball has the most open points; None where there are none."""
        while len(self.bounds) and (most := int(self.bounds.max())) > 0:
            equal = (self.bounds == most).nonzero().squeeze(1)
            first = self.order[equal].topk(min(_BLOCK, len(equal)), largest=False, sorted=True)
            equal = equal[first.indices]
            highest = self.bounds.topk(min(_BLOCK, len(self.bounds))).indices
            block = torch.unique(torch.cat([equal, highest])).tolist()
            balls = self.balls.of(block)
            self.bounds[block] = torch.stack([self.open[ball].sum() for ball in balls])
            if len(best := equal[self.bounds[equal] == most]):
                return int(best[0])
        return None
