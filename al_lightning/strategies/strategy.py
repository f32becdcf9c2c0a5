"""What a query strategy is."""

from abc import ABC, abstractmethod
from collections.abc import Set as AbstractSet
from typing import Any, final

import torch
from torch import Tensor

from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.selection import (
    Selection,
    checked_scores,
    checked_selection,
    listed,
)
from al_lightning.strategies.sizes import Sizes
from al_lightning.utils.checks import whole_number, why_not_callable
from al_lightning.utils.errors import EvidenceError, UsageError

_SCORE_BYTES = 64  # an image: its score, and the order of all scores


class Strategy(ABC):
    """Selects the unlabeled images to query.

    A strategy declares the quantities that it needs, and receives only those. It has no access to
    trainers, files or labels. Subclasses implement :meth:`choose`, never :meth:`select`, which checks
    the evidence and the selection.

    >>> import torch
    >>> from al_lightning import Evidence, Selection, Strategy
    >>> class LowestIds(Strategy):
    ...     def choose(self, pool, labeled, count, generator):
    ...         return Selection(pool.ids[:count], torch.zeros(count))
    >>> LowestIds().select(Evidence(torch.tensor([5, 2, 9])), None, 2, torch.Generator()).ids
    tensor([2, 5])

    Args:
        pool_subset: Size of the random subset of the unlabeled images in each round; None for all. It
            bounds the time and memory of a round, whatever the size of the pool.

    Raises:
        UsageError: On a ``pool_subset`` below 1.
    """

    needs: frozenset[Need] = frozenset()
    """Quantities of the pool that :meth:`choose` reads."""

    labeled_needs: frozenset[Need] = frozenset()
    """Quantities of the labeled set that :meth:`choose` reads."""

    mc_samples: int = 20
    """K, the number of samples, where Monte-Carlo probabilities or dropped features are needed."""

    pool_subset: int | None = None
    """Size of the random subset of unlabeled images in each round; None for all."""

    uniform: bool = False
    """Whether the selection is a uniform random sample of the pool, whatever its images are."""

    def __init__(self, *, pool_subset: int | None = None) -> None:
        if pool_subset is not None:
            whole_number("strategy.pool_subset", pool_subset, least=1)
        self.pool_subset = pool_subset

    def __init_subclass__(cls, **kwargs: Any) -> None:
        """Refuse a subclass that overrides the method that checks selections."""
        super().__init_subclass__(**kwargs)
        if "select" in vars(cls):
            raise TypeError(f"{cls.__name__} must implement choose, not select, which calls it")

    @final
    def select(
        self, pool: Evidence, labeled: Evidence | None, count: int, generator: torch.Generator
    ) -> Selection:
        """Select the images to query.

        The order of the pool's rows does not matter: rows are sorted by id first.

        Args:
            pool: Evidence on the N unlabeled images, with all of ``needs``.
            labeled: Evidence on the labeled images, with all of ``labeled_needs``; None stands for
                an empty set.
            count: How many images to select; at least 1. Where it exceeds N, all are selected.
            generator: The only source of randomness.

        Returns:
            Exactly ``min(count, N)`` distinct ids of the pool.

        Raises:
            ValueError: If ``count`` is below 1, the pool is empty, something declared is absent, or
                evidence is NaN or infinite (an EvidenceError) or has an id twice; the message names the
                ids.
            UsageError: If ``needs`` is no set of :class:`Need`, or :meth:`choose` returns anything but
                so many distinct ids of the pool with finite scores; the message names the strategy.
        """
        require_strategy("strategy", self)
        if count < 1:
            raise ValueError(f"count must be at least 1, not {count}")
        if len(pool) == 0:
            raise ValueError("The pool is empty: there is nothing to select")
        if labeled is None or len(labeled) == 0:
            labeled = _nothing_like(pool, self.labeled_needs)
        _check(pool, self.needs, "pool")
        _check(labeled, self.labeled_needs, "labeled set")
        _check_widths(pool, labeled)
        pool, labeled = _by_id(pool, "pool"), _by_id(labeled, "labeled set")
        count = min(count, len(pool))
        found = self.choose(pool, labeled, count, generator)
        return checked_selection(found, f"{type(self).__name__}.choose", pool.ids, count)

    @abstractmethod
    def choose(
        self, pool: Evidence, labeled: Evidence, count: int, generator: torch.Generator
    ) -> Selection:
        """Choose exactly ``count`` images of a checked pool; 1 <= count <= N.

        Args:
            pool: Finite evidence on the unlabeled images, ascending by id.
            labeled: Finite evidence on the labeled images, ascending by id; may have no rows.
            count: How many.
            generator: The only source of randomness.
        """

    def working_bytes(self, sizes: Sizes) -> int:
        """Return an upper estimate of the memory that :meth:`select` takes beside the evidence.

        By default one more copy of the pool's evidence, and a few numbers per image. Override it in a
        strategy that needs more or less.
        """
        return sizes.pool * (sizes.row_bytes(self.needs) + _SCORE_BYTES)


class ScoreStrategy(Strategy):
    """Queries the images of the highest score; ties are broken at random.

    >>> import torch
    >>> from al_lightning import Evidence, Need, ScoreStrategy
    >>> class Norm(ScoreStrategy):
    ...     needs = frozenset({Need.EMBEDDINGS})
    ...     def score(self, pool):
    ...         return pool.require(Need.EMBEDDINGS).norm(dim=1)
    >>> pool = Evidence(torch.tensor([7, 8]), embeddings=torch.tensor([[1.0, 0.0], [3.0, 4.0]]))
    >>> Norm().select(pool, None, 1, torch.Generator())
    Selection(ids=tensor([8]), scores=tensor([5.]))
    """

    may_be_negative: bool = False
    """Whether a score can be below 0, so that it cannot be a weight."""

    def weigh(self, scores: Tensor) -> Tensor:
        """Convert scores, (N,), to informativeness: the weights of images, (N,), at least 0.

        By default the weights are the scores; if scores can be negative, the lowest is subtracted.
        """
        return scores - scores.min() if self.may_be_negative else scores

    @abstractmethod
    def score(self, pool: Evidence) -> Tensor:
        """Score every image on its own, (N,) float32; higher means query first."""

    @final
    def scores_of(self, pool: Evidence) -> Tensor:
        """Return the scores of a pool, (N,) float32, checked.

        Raises:
            UsageError: If :meth:`score` takes more than the pool, or gives anything but one finite
                number an image.
        """
        if (problem := why_not_callable(self.score, 1)) is not None:
            raise UsageError(f"{type(self).__name__}.score must take the pool alone: {problem}")
        return checked_scores(self.score(pool), f"{type(self).__name__}.score", pool.ids)

    def choose(
        self,
        pool: Evidence,
        labeled: Evidence,  # noqa: ARG002 - a score depends on the pool alone
        count: int,
        generator: torch.Generator,
    ) -> Selection:
        """Choose the ``count`` highest scores."""
        scores = self.scores_of(pool)
        top = top_k(scores, count, generator)
        return Selection(pool.ids[top], scores[top])


def top_k(scores: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Return the positions of the ``count`` highest scores, highest first, ties in random order.

    >>> import torch
    >>> from al_lightning.strategies import top_k
    >>> top_k(torch.tensor([0.1, 0.7, 0.4]), 2, torch.Generator())
    tensor([1, 2])

    Args:
        scores: (N,) float.
        count: At most N.
        generator: Breaks the ties.

    Returns:
        (count,) int64.
    """
    lowest = scores.topk(count, sorted=False).values.min() if count else torch.inf
    candidates = (~(scores < lowest)).nonzero().squeeze(1)  # shuffled and sorted without the others
    shuffled = candidates[torch.randperm(len(candidates), generator=generator)]
    return shuffled[scores[shuffled].argsort(descending=True, stable=True)[:count]]


def require_strategy(key: str, value: object) -> None:
    """Check that an object is a strategy, and that its needs can be served.

    Args:
        key: Names it in messages, such as ``strategy`` or ``strategy.base``.
        value: A strategy, or not.

    Raises:
        UsageError: If it is none, such as a class or a name; or if its ``needs`` or ``labeled_needs``
            are no sets of :class:`Need`, ``mc_samples`` or ``pool_subset`` no count, or ``choose``
            takes other arguments.
    """
    if isinstance(value, type):
        raise UsageError(f"{key} must be an instance, {value.__name__}(...), not the class itself")
    if not isinstance(value, Strategy):
        raise UsageError(
            f"{key} must be a Strategy, such as Margin() of al_lightning.strategies, not {value!r}"
        )
    for name in ("needs", "labeled_needs"):
        needs = getattr(value, name)
        if not isinstance(needs, AbstractSet) or not all(isinstance(n, Need) for n in needs):
            raise UsageError(
                f"{type(value).__name__}.{name} must be a set of Need, such as "
                f"frozenset({{Need.PROBABILITIES}}), not {needs!r}"
            )
    if (problem := why_not_callable(value.choose, 4)) is not None:
        raise UsageError(
            f"{type(value).__name__}.choose must take pool, labeled, count and generator: {problem}"
        )
    whole_number("strategy.mc_samples", value.mc_samples, least=1)
    if value.pool_subset is not None:
        whole_number("strategy.pool_subset", value.pool_subset, least=1)


def _by_id(evidence: Evidence, name: str) -> Evidence:
    if bool((evidence.ids[1:] > evidence.ids[:-1]).all()):
        return evidence  # the usual case: no copy of the embeddings
    ids, order = evidence.ids.sort()
    if len(repeated := ids[1:][ids[1:] == ids[:-1]]):
        raise ValueError(f"The evidence on the {name} has ids more than once: {listed(repeated)}")
    return evidence.rows(order)


def _check(evidence: Evidence, needs: frozenset[Need], name: str) -> None:
    for need in needs:
        evidence.require(need)
    if len(bad := evidence.non_finite_ids()):
        raise EvidenceError(
            f"The evidence on {len(bad)} image(s) of the {name} is NaN or infinite; ids: "
            f"{listed(bad)}. The model has probably diverged: lower the learning rate"
        )


def _check_widths(pool: Evidence, labeled: Evidence) -> None:
    of_labeled = labeled.quantities()
    for need, values in pool.quantities().items():
        other = of_labeled.get(need)
        if other is not None and other.shape[1:] != values.shape[1:]:
            raise ValueError(
                f"Evidence.{need} has rows of shape {tuple(values.shape[1:])} in the pool, and of "
                f"{tuple(other.shape[1:])} in the labeled set"
            )


def _nothing_like(pool: Evidence, needs: frozenset[Need]) -> Evidence:
    """Return evidence without rows, shaped like the pool's."""
    return Evidence(
        torch.empty(0, dtype=torch.int64),
        **{need.value: pool.require(need)[:0] for need in needs},
    )
