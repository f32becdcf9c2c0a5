"""A selection that was made before its round."""

from dataclasses import dataclass

import torch
from torch import Tensor

from al_lightning.run.pool import Pool
from al_lightning.strategies.selection import Selection
from al_lightning.utils.stopwatch import Stopwatch


@dataclass(frozen=True)
class Ahead:
    """What a strategy selects in a round that is still to come, if it has this pool.

    Attributes:
        index: The round.
        pool: Its pool; classes do not matter.
        free: The images that were selected from, (N,) int64.
        count: How many were to be selected.
        selection: The result.
        watch: What it took.
    """

    index: int
    pool: Pool
    free: Tensor
    count: int
    selection: Selection
    watch: Stopwatch

    def is_for(self, index: int, pool: Pool, free: Tensor, count: int) -> bool:
        """Return whether a round would select the same: it sees the same images, in the same order."""
        return (
            (self.index, self.count) == (index, count)
            and torch.equal(self.pool.labeled_ids, pool.labeled_ids)
            and torch.equal(self.free, free)
        )
