"""Which images are labeled first."""

import torch
from torch import Tensor

from al_lightning.strategies.base import Strategy, require_strategy
from al_lightning.strategies.evidence import Need
from al_lightning.utils.errors import UsageError
from al_lightning.utils.randomness import derive_generator


def draw_validation(ids: Tensor, count: int, seed: int) -> Tensor:
    """Draw ``count`` of these ids, (N,) int64, to buy for validation, uniformly.

    Depends on the ids and the seed alone.
    """
    generator = derive_generator(seed, "validation")
    return ids[torch.randperm(len(ids), generator=generator)[:count]]


def draw_uniform(ids: Tensor, count: int, seed: int) -> Tensor:
    """Draw ``count`` of these ids, (N,) int64, without a look at their classes.

    Depends on the ids and the seed alone.
    """
    generator = derive_generator(seed, "initial")
    return ids[torch.randperm(len(ids), generator=generator)[:count]]


def draw_balanced(ids: Tensor, classes: Tensor, count: int, seed: int) -> Tensor:
    """Draw ``count`` of these ids so that the classes come in equal numbers, as far as they last.

    Images are dealt out class after class, in turns; a class that has run out is passed over, and a
    turn that cannot be completed goes to classes drawn at random.

    Args:
        ids: (N,) int64.
        classes: Their classes, (N,) int64. The usual simulation: who starts with a balanced set knows
            the classes of more images than they label.
        count: At most N.
        seed: With the ids and classes, all that the draw depends on.

    Returns:
        (count,) int64.
    """
    generator = derive_generator(seed, "initial")
    shuffled = torch.randperm(len(ids), generator=generator)
    turn = torch.empty(len(ids), dtype=torch.float64)
    for label in sorted(set(classes.tolist())):
        members = shuffled[classes[shuffled] == label]
        turn[members] = torch.arange(len(members), dtype=torch.float64)
    order_in_turn = torch.rand(len(ids), generator=generator, dtype=torch.float64)
    return ids[(turn + order_in_turn).argsort()[:count]]


def require_embeddings_alone(strategy: Strategy) -> None:
    """Check that a strategy can choose the first labels: before them, there are embeddings alone.

    Raises:
        UsageError: If it needs more, or is no strategy; names what.
    """
    require_strategy("initial_strategy", strategy)
    if more := sorted((strategy.needs | strategy.labeled_needs) - {Need.EMBEDDINGS}):
        raise UsageError(
            f"budget.initial_policy cannot be {type(strategy).__name__}: it needs "
            f"{' and '.join(more)}, and before the first label nothing has been learned. Take a "
            "strategy that needs embeddings alone, such as l2, or balanced or uniform"
        )
