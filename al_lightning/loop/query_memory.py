"""How much memory a query takes, and whether there is so much."""

from collections.abc import Sequence
from dataclasses import replace

from al_lightning.run.budget import Budget
from al_lightning.strategies.evidence import SAMPLED, Need
from al_lightning.strategies.sizes import Sizes
from al_lightning.strategies.strategy import Strategy
from al_lightning.utils.errors import UsageError
from al_lightning.utils.spill import is_spilled


def require_memory(strategy: Strategy, queries: Sequence[Sizes], limit: int | None) -> None:
    """Check that no query of a run takes more memory than there is.

    The estimate is of what grows with the data: the evidence, and what the strategy makes of it. The
    images and the network are in memory when it is made, and are not part of it; nor are embeddings of
    unlabeled images that take more than half of the limit, which are on the disk.

    Args:
        strategy: Says what it needs to know, and what it takes to work on that.
        queries: The sizes of the largest queries.
        limit: Bytes that a query may take; None for no limit.

    Raises:
        UsageError: If a query takes more; says how much, what for, and what to do about it.
    """
    if limit is None or not queries:
        return
    sizes = max(queries, key=lambda query: query_bytes(strategy, query, limit))
    if (needed := query_bytes(strategy, sizes, limit)) <= limit:
        return
    found = _parts(strategy, sizes, limit)
    parts = ", ".join(f"{what} {_in_words(size)}" for what, size in found.items())
    raise UsageError(
        f"A query would take about {_in_words(needed)} of memory, and {_in_words(limit)} are available "
        f"to it: {parts}. {_advice(strategy, sizes, limit)}"
    )


def query_bytes(strategy: Strategy, sizes: Sizes, limit: int) -> int:
    """Return an estimate of the memory that a query of these sizes takes of the limit, in bytes."""
    return sum(_parts(strategy, sizes, limit).values())


def query_sizes(
    strategy: Strategy, budget: Budget, images: int, given: int, classes: int, embedding: int
) -> list[Sizes]:
    """Return the sizes of the first and of the last query of a run; none takes more than both.

    Both are as large as the largest query of the run.

    Args:
        strategy: Sets the number of images and of dropout samples.
        budget: Says when it is asked.
        images: Training images.
        given: How many of them came with labels, where others came without.
        classes: Classes.
        embedding: The size of an embedding.

    Returns:
        Two sizes; none if the run makes no query.
    """
    limit = budget.limit(images, given)
    start = min((given or budget.first(images)) + budget.held_out, images)
    if start >= limit:
        return []
    looked_at = strategy.pool_subset or images
    return [
        Sizes(
            pool=min(images - bought, looked_at),
            labeled=bought - budget.held_out,
            classes=classes,
            embedding=embedding,
            samples=strategy.mc_samples,
            count=min(budget.largest_query, limit - bought),
        )
        for bought in (start, max(start, limit - budget.largest_query))
    ]


def _parts(strategy: Strategy, sizes: Sizes, limit: int) -> dict[str, int]:
    """Return what the memory of a query is made of, in bytes."""
    embeddings = frozenset({Need.EMBEDDINGS}) & strategy.needs
    on_disk = is_spilled(sizes.pool * sizes.row_bytes(embeddings), limit)
    held = strategy.needs - embeddings if on_disk else strategy.needs
    # Labeled images come in the order they were bought, and are put in the order of their ids.
    labeled = 2 * sizes.labeled * sizes.row_bytes(strategy.labeled_needs)
    parts = {
        f"evidence on {sizes.pool:,} unlabeled images{_of(strategy, sizes)}": sizes.pool
        * sizes.row_bytes(held),
        f"evidence on {sizes.labeled:,} labeled images": labeled,
        "the strategy's own work": strategy.working_bytes(sizes),
    }
    return {what: size for what, size in parts.items() if size > 0}


def _of(strategy: Strategy, sizes: Sizes) -> str:
    if not SAMPLED & strategy.needs:
        return ""
    return f" in {sizes.samples} samples of {sizes.classes} classes"


def _advice(strategy: Strategy, sizes: Sizes, limit: int) -> str:
    fewer = sizes
    while fewer.pool >= sizes.count and query_bytes(strategy, fewer, limit) > limit:
        fewer = replace(fewer, pool=fewer.pool * 9 // 10)
    ways = []
    if fewer.pool >= sizes.count:
        ways.append(f"use fewer images (strategy.pool_subset={fewer.pool})")
    if Need.MC_PROBABILITIES in strategy.needs:
        ways.append("use fewer samples (strategy.mc_samples)")
    if Need.DROPPED_FEATURES in strategy.needs:
        ways.append("use fewer passes (strategy.passes)")
    ways += ["use another strategy, such as margin", "raise the limit (budget.memory_limit)"]
    text = f"{', '.join(ways[:-1])}, or {ways[-1]}"
    return text[0].upper() + text[1:]


def _in_words(size: int) -> str:
    for unit, factor in (("GB", 10**9), ("MB", 10**6), ("kB", 10**3)):
        if size >= factor:
            return f"{size / factor:.1f} {unit}"
    return f"{size} bytes"
