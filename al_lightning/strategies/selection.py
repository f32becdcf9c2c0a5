"""What a query strategy answers, and whether it can be taken."""

from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from al_lightning.strategies.evidence import Evidence
from al_lightning.utils.errors import ScoreError, UsageError
from al_lightning.utils.listing import shortened

_SHOWN = 10  # ids in a message


@dataclass(frozen=True)
class Selection:
    """The images to query, highest rank first.

    >>> import torch
    >>> from al_lightning import Selection
    >>> Selection(ids=torch.tensor([12, 3]), scores=torch.tensor([0.9, 0.4])).ids
    tensor([12,  3])

    Attributes:
        ids: Dataset ids, (count,) int64, distinct.
        scores: One score each, (count,) float32, finite; a higher score means "query first". Meaning
            and unit depend on the strategy.
        parts: The name of the strategy that chose each image, if several share a batch; else empty.
        uniform: Those of the names whose images are a uniform random sample of the pool.
    """

    ids: Tensor
    scores: Tensor
    parts: tuple[str, ...] = field(default=(), repr=False)
    uniform: tuple[str, ...] = field(default=(), repr=False)


def checked_selection(found: Any, source: str, pool_ids: Tensor, count: int) -> Selection:
    """Return a strategy's selection; refuse one that is not ``count`` distinct ids of the pool.

    Args:
        found: What the strategy returned.
        source: Names the strategy in messages, such as ``Mine.choose``.
        pool_ids: The ids to choose from, (N,) int64.
        count: How many are to be chosen, at most N.

    Raises:
        UsageError: If it is not a :class:`Selection` of exactly ``count`` distinct ids of the pool,
            with one finite score each; names the strategy, and the ids.
    """
    if not isinstance(found, Selection):
        hint = "; a `return` is missing" if found is None else ""
        raise UsageError(
            f"{source} must return a Selection(ids, scores), not {_described(found)}{hint}"
        )
    ids, wanted = found.ids, f"{source} must select exactly {count} distinct images"
    if not isinstance(ids, Tensor) or ids.ndim != 1 or ids.dtype != torch.int64:
        raise UsageError(
            f"{wanted}, by ids of shape ({count},) and dtype int64, not {_described(ids)}"
        )
    if len(ids) != count:
        raise UsageError(f"{wanted}, not {len(ids)}")
    if len(foreign := ids[~torch.isin(ids, pool_ids)]):
        raise UsageError(
            f"{source} must select ids of the pool, and {len(foreign)} of {count} are not: "
            f"{listed(foreign)}. Positions become ids by pool.ids[positions]"
        )
    distinct, times = torch.unique(ids, return_counts=True)
    if len(distinct) < count:
        raise UsageError(f"{wanted}; it selected more than once: {listed(distinct[times > 1])}")
    if found.parts and len(found.parts) != count:
        raise UsageError(f"{source} must name a part for each of {count} images, or none")
    return replace(found, scores=checked_scores(found.scores, source, ids))


def checked_scores(scores: Any, source: str, ids: Tensor) -> Tensor:
    """Return the scores of images, (n,) float32, if they are scores.

    Args:
        scores: One number an image, of any real dtype.
        source: Names the strategy in messages.
        ids: The images, (n,) int64.

    Raises:
        UsageError: On another shape; names the strategy.
        ScoreError: On scores that are NaN or infinite.
    """
    if not isinstance(scores, Tensor) or scores.shape != ids.shape or scores.is_complex():
        raise UsageError(
            f"{source} must score each image by one number, in a tensor of shape ({len(ids)},), not "
            f"{_described(scores)}"
        )
    numbers: Tensor = scores.detach().float().cpu()
    if len(bad := ids[~numbers.isfinite()]):
        raise ScoreError(
            f"{source} must give finite scores, and those of {len(bad)} image(s) are NaN or infinite "
            f"in float32; ids: {listed(bad)}"
        )
    return numbers


def listed(ids: Tensor) -> str:
    """Return the first ids, (n,) int64, as text."""
    return ", ".join(shortened(ids.tolist(), _SHOWN))


def _described(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)} and dtype {value.dtype}"
    return "None" if value is None else f"a {type(value).__name__}"


def top_up_at_random(
    pool: Evidence,
    picks: Tensor,
    scores: Tensor,
    count: int,
    generator: torch.Generator,
) -> Selection:
    """Return picks, topped up to ``count`` with others, drawn uniformly, of score 0.

    Args:
        pool: Evidence on N images.
        picks: Positions, (M,) int64, distinct; M is at most ``count``.
        scores: Theirs, (M,) float.
        count: At most N.
        generator: Draws what is missing.
    """
    free = torch.ones(len(pool), dtype=torch.bool)
    free[picks] = False
    rest = free.nonzero().squeeze(1)
    rest = rest[torch.randperm(len(rest), generator=generator)[: count - len(picks)]]
    ids = pool.ids[torch.cat([picks, rest])]
    return Selection(ids, torch.cat([scores.float(), torch.zeros(len(rest))]))
