"""The candidates of a query: unlabeled images, or a random part of them."""

from dataclasses import dataclass

import torch
from torch import Tensor

from al_lightning.run.budget import Budget
from al_lightning.run.pool import Pool
from al_lightning.utils.errors import UsageError


def require_enough_candidates(pool_subset: int | None, query: int) -> None:
    """Check that there are enough candidates for a query.

    Args:
        pool_subset: Size of the random subset of the pool; None for all.
        query: Labels of the largest query.

    Raises:
        UsageError: If the subset is smaller than the query.
    """
    if pool_subset is not None and pool_subset < query:
        raise UsageError(
            f"strategy.pool_subset={pool_subset} is fewer images than the {query} of budget.query: "
            "raise the former or lower the latter"
        )


def draw_candidates(ids: Tensor, pool_subset: int | None, generator: torch.Generator) -> Tensor:
    """Draw some of these ids, (N,) int64, uniformly; all of them where there are no more.

    Args:
        ids: Of the unlabeled images.
        pool_subset: How many to draw; None for all, which draws nothing.
        generator: The only source of randomness.

    Returns:
        (min(N, pool_subset),) int64, in the order of ``ids``.
    """
    if pool_subset is None or pool_subset >= len(ids):
        return ids
    drawn = torch.randperm(len(ids), generator=generator)[:pool_subset]
    return ids[drawn.sort().values]


def apart_from_held_out(ids: Tensor, pool: Pool, groups: Tensor | None) -> Tensor:
    """Return those of these ids, (N,) int64, whose group has no image for validation or test.

    Args:
        ids: Of images.
        pool: The pool of the round.
        groups: The group of each image, see :class:`~al_lightning.Images`; None where each is its own.
    """
    if groups is None:
        return ids
    held_out = groups[torch.cat([pool.validation_ids, pool.test_ids])]
    return ids[~torch.isin(groups[ids], held_out)]


def next_candidates(
    pool: Pool, wanted: int, left: int, groups: Tensor | None = None
) -> tuple[Tensor, int]:
    """Return which images the next query selects from, and how many of them.

    Images that an annotator is still labeling are left alone, and the budget for them is set aside.
    Where nothing else can be queried, the next question is these images.

    Args:
        pool: The pool of the round.
        wanted: Size of a query.
        left: Labels that the budget allows.
        groups: The group of each image; None where each is its own.

    Returns:
        Ids, ascending, (N,) int64, and a number of them, at least 0.
    """
    free = apart_from_held_out(pool.candidate_ids, pool, groups)
    still_open = pool.open_ids.sort().values
    count = min(wanted, left - len(still_open), len(free))
    if count > 0 or wanted == 0:
        return free, max(count, 0)
    return still_open, max(min(left, len(still_open)), 0)


@dataclass(frozen=True)
class Candidates:
    """What the query of a round selects from.

    Attributes:
        index: The round.
        labeled_ids: The images that are labeled in it, (L,) int64.
        ids: The images that it may select, ascending, (N,) int64.
        count: How many it selects; 0 where it makes no query.
        seed: With the round, all that random draws depend on.
    """

    index: int
    labeled_ids: Tensor
    ids: Tensor
    count: int
    seed: int

    def same_as(self, other: "Candidates") -> bool:
        """Return whether another query would select the same; the order of labels does not matter."""
        return (
            (self.index, self.count, self.seed) == (other.index, other.count, other.seed)
            and torch.equal(self.labeled_ids.sort().values, other.labeled_ids.sort().values)
            and torch.equal(self.ids, other.ids)
        )


def candidates_of_round(
    index: int, pool: Pool, budget: Budget, given: int, seed: int, groups: Tensor | None = None
) -> Candidates:
    """Return what a round's query selects from.

    Args:
        index: The round.
        pool: Its pool.
        budget: Says how many labels a query asks for, and how many there are in all.
        given: How many images came with labels, where others came without.
        seed: Of the run.
        groups: The group of each image; None where each is its own.
    """
    left = budget.limit(pool.size, given) - pool.labels_bought
    free, count = next_candidates(pool, budget.query_size(index, given), left, groups)
    return Candidates(index, pool.labeled_ids, free, count, seed)
