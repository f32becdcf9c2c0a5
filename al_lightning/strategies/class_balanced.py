"""Uncertain images that even out the classes, for imbalanced data."""

import torch
from torch import Tensor

from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.functional import uncertainty_scores as uncertainty
from al_lightning.strategies.functional.blocks import by_blocks
from al_lightning.strategies.selection import Selection
from al_lightning.strategies.sizes import Sizes
from al_lightning.strategies.strategy import Strategy
from al_lightning.utils.checks import require_within

_BLOCK = 512  # images a block, used for as long as the best is among them
_BYTES_AN_IMAGE = 64  # its entropy, its bound, and their orders
_BLOCK_COPIES = 3  # of a block's probabilities


class ClassBalanced(Strategy):
    """Balances uncertainty and an even distribution of the expected classes.

    Picks, one after the other, the image with the highest ::

        H(p) + balance * (decrease of |max(target - n, 0)|_1 by n -> n + p)

    where H is the entropy, n the expected number of labels of each class, of labeled images and picks
    so far, and target = (labeled + count) / C. Zolfaghari Bengar, van de Weijer, Lopez Fuentes &
    Raducanu, "Class-balanced active learning for image classification", WACV 2022, who solve a linear
    programme for the whole batch; this is greedy. A strategy has no labels: labeled images count with
    their predicted probabilities.

    A score is the value above at the time of the pick.

    >>> import torch
    >>> from al_lightning import Evidence
    >>> from al_lightning.strategies import ClassBalanced
    >>> labeled = Evidence(torch.tensor([0]), probabilities=torch.tensor([[1.0, 0.0]]))
    >>> rows = torch.tensor([[0.7, 0.3], [0.2, 0.8]])
    >>> pool = Evidence(torch.tensor([1, 2]), probabilities=rows)
    >>> ClassBalanced(balance=5.0).select(pool, labeled, 1, torch.Generator()).ids
    tensor([2])

    Args:
        balance: Weight of the second term, at least 0, in nats a label. 0 is entropy sampling.
        pool_subset: See :class:`~al_lightning.strategies.Strategy`.

    Raises:
        UsageError: On a negative balance.
    """

    needs = labeled_needs = frozenset({Need.PROBABILITIES})

    def __init__(self, balance: float = 1.0, *, pool_subset: int | None = None) -> None:
        super().__init__(pool_subset=pool_subset)
        require_within("strategy.balance", balance, "[0, inf)")
        self.balance = balance

    def choose(
        self, pool: Evidence, labeled: Evidence, count: int, generator: torch.Generator
    ) -> Selection:
        """Choose ``count`` images, one after the other; ties are broken at random."""
        order = torch.randperm(len(pool), generator=generator)
        probabilities = pool.require(Need.PROBABILITIES)
        known = labeled.require(Need.PROBABILITIES).double().sum(0)
        target = (len(labeled) + count) / probabilities.shape[1]
        search = _LazyBalance(probabilities, order, target - known, self.balance)
        picks, scores = search.run(count)
        return Selection(pool.ids[order[picks]], scores.float())

    def working_bytes(self, sizes: Sizes) -> int:
        """Return the bytes of entropies, bounds and the largest block, which is the pool."""
        return sizes.pool * (_BYTES_AN_IMAGE + _BLOCK_COPIES * 8 * sizes.classes)


class _LazyBalance:
    """Greedy picks that bring up to date only the images that can be next.

    The missing labels of a class only fall, and so do the values of images, so an old value is an upper
    bound. The best image of the block of highest bounds is the best of all while no bound outside is
    higher. Otherwise the block is doubled.

    Args:
        probabilities: (N, C) float.
        order: A random permutation of the N images, (N,) int64, which breaks ties.
        lacking: Missing labels of each class, (C,) float64; negative if there are too many.
        balance: Weight of evenness.
    """

    def __init__(
        self, probabilities: Tensor, order: Tensor, lacking: Tensor, balance: float
    ) -> None:
        self.probabilities = probabilities
        self.order = order
        self.lacking = lacking
        self.balance = balance
        self.entropies = by_blocks(uncertainty.entropy, probabilities)[order]
        self.bounds = self.entropies + balance * by_blocks(self._filled, probabilities)[order]

    def run(self, count: int) -> tuple[Tensor, Tensor]:
        """Return places in the order, (count,) int64, and values, (count,) float64."""
        picks = torch.empty(count, dtype=torch.int64)
        values = torch.empty(count, dtype=torch.float64)
        turn, size = 0, _BLOCK
        while turn < count:
            found, gains = self._among_highest(size, count - turn)
            picks[turn : turn + len(found)] = found
            values[turn : turn + len(found)] = gains
            turn += len(found)
            size = _BLOCK if len(found) else 2 * size
        return picks, values

    def _among_highest(self, size: int, most: int) -> tuple[Tensor, Tensor]:
        """Pick at most so many images, while the best is among the highest bounds."""
        top = self.bounds.topk(min(size + 1, len(self.bounds)))
        block = top.indices[:size]
        outside = float(top.values[size]) if len(top.values) > size else -torch.inf
        rows, free = self.probabilities[self.order[block]].double(), self.entropies[block]
        picks: list[int] = []
        gains: list[float] = []
        while True:
            values = torch.add(free, self._filled(rows), alpha=self.balance)
            best = int(values.argmax())
            if len(picks) == most or values[best] < outside:
                break
            picks.append(int(block[best]))
            gains.append(float(values[best]))
            self.lacking -= rows[best]
            free[best] = -torch.inf
        self.entropies[block], self.bounds[block] = free, values
        return torch.tensor(picks, dtype=torch.int64), torch.tensor(gains, dtype=torch.float64)

    def _filled(self, rows: Tensor) -> Tensor:
        """Return how many of the lacking labels each image is expected to fill, (B,) float64.

        |max(l, 0)| - |max(l - p, 0)| = min(p, max(l, 0)): what is still lacking, and no more.
        """
        filled: Tensor = torch.minimum(rows, self.lacking.clamp(min=0)).sum(1)
        return filled
