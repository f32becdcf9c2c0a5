"""Strategies that are made of others: what their parts must be, and what they share."""

from collections.abc import Mapping

from al_lightning.strategies.evidence import SAMPLED
from al_lightning.strategies.strategy import ScoreStrategy, Strategy, require_strategy
from al_lightning.utils.errors import UsageError


def require_part(key: str, part: object, *, scores: bool) -> None:
    """Check a strategy that another one is made of.

    Args:
        key: Names it in messages, such as ``strategy.base``.
        part: A strategy, or not.
        scores: Whether it has to score every image on its own.

    Raises:
        UsageError: If it is no strategy, or does not score where it has to, or has a ``pool_subset``.
    """
    require_strategy(key, part)
    if scores and not isinstance(part, ScoreStrategy):
        raise UsageError(
            f"{key} must score every image on its own, as entropy and bald do; "
            f"{type(part).__name__} does not"
        )
    if (subset := getattr(part, "pool_subset", None)) is not None:
        raise UsageError(f"{key}.pool_subset={subset} would do nothing; use strategy.pool_subset")


def shared_samples(parts: Mapping[str, Strategy]) -> int:
    """Return how many samples the parts of a strategy take of the network, which they share.

    Args:
        parts: By the names of their keys.

    Raises:
        UsageError: If they take different numbers of them.
    """
    counts = {
        name: part.mc_samples
        for name, part in parts.items()
        if SAMPLED & (part.needs | part.labeled_needs)
    }
    if len(set(counts.values())) > 1:
        wanted = ", ".join(f"{count} of {name}" for name, count in counts.items())
        raise UsageError(
            f"The parts of a strategy share their samples of the network, but take {wanted}: set them "
            "to one number (mc_samples; passes of dropquery)"
        )
    return max(counts.values(), default=Strategy.mc_samples)
