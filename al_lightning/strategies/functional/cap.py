"""Directions of embeddings, seen from their middle."""

import torch
from torch import Tensor

from al_lightning.strategies.functional.rows import unit_rows

_PART = 4_096  # points that are held in float64 at a time
_LEAST_SCALE = 1e-9  # of unit vectors that are not all the same


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
