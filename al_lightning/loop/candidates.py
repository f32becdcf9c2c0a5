"""The candidates of a query: unlabeled images, or a random part of them."""

import torch
from torch import Tensor

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
