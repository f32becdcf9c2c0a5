"""Uncertain images that even out the classes, for imbalanced data."""

import torch
from torch import Tensor

from al_lightning.errors import UsageError
from al_lightning.evidence import Evidence, Need
from al_lightning.strategies import functional
from al_lightning.strategies.base import Selection, Strategy


class ClassBalanced(Strategy):
    """Trades uncertainty for an even mix of the classes that it expects to get.

    Picks, one after the other, the image with the highest

        H(p) + balance * (decrease of |max(target - n, 0)|_1 by n -> n + p)

    where H is the entropy, n the expected number of labels of each class, of labeled images and picks
    so far, and target = (labeled + count) / C. Zolfaghari Bengar, van de Weijer, Lopez Fuentes &
    Raducanu, "Class-balanced active learning for image classification", WACV 2022, who solve a linear
    programme for the whole batch; this is greedy. A strategy knows no labels: the labeled images count
    as what they are taken for.

    A score is the value above when the image was picked.

    Args:
        balance: Weight of the second term, at least 0, in nats a label. 0 is entropy sampling.
        pool_subset: How many of the unlabeled images it is shown; None for all.

    Raises:
        UsageError: On a negative balance.
    """

    needs = labeled_needs = frozenset({Need.PROBABILITIES})

    def __init__(self, balance: float = 1.0, *, pool_subset: int | None = None) -> None:
        super().__init__(pool_subset=pool_subset)
        if not 0 <= balance < float("inf"):
            raise UsageError(
                f"strategy.balance must be a finite number of at least 0, not {balance}"
            )
        self.balance = balance

    def choose(
        self, pool: Evidence, labeled: Evidence, count: int, generator: torch.Generator
    ) -> Selection:
        """Choose ``count`` images, one after the other; ties are broken at random."""
        order = torch.randperm(len(pool), generator=generator)
        probabilities = pool.require(Need.PROBABILITIES)[order].double()
        known = labeled.require(Need.PROBABILITIES).double().sum(0)
        target = (len(labeled) + count) / probabilities.shape[1]
        picks, scores = _balance(
            functional.entropy(probabilities), probabilities, target - known, count, self.balance
        )
        return Selection(pool.ids[order[picks]], scores.float())


def _balance(
    entropies: Tensor, probabilities: Tensor, lacking: Tensor, count: int, balance: float
) -> tuple[Tensor, Tensor]:
    """Return positions, (count,) int64, and values, (count,) float64.

    Args:
        entropies: (N,) float64.
        probabilities: (N, C) float64.
        lacking: Labels that are missing of each class, (C,) float64; negative where there are too many.
        count: At most N.
        balance: Weight of evenness.
    """
    picks = torch.empty(count, dtype=torch.int64)
    scores = torch.empty(count, dtype=torch.float64)
    free = entropies.clone()
    for turn in range(count):
        # |max(l, 0)| - |max(l - p, 0)| = min(p, max(l, 0)): what is still lacking, and no more.
        filled = torch.minimum(probabilities, lacking.clamp(min=0)).sum(1)
        values = torch.add(free, filled, alpha=balance)
        best = values.argmax()
        picks[turn], scores[turn] = best, values[best]
        lacking = lacking - probabilities[best]
        free[best] = -torch.inf
    return picks, scores
