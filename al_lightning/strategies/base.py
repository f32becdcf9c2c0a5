"""What a query strategy is."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import final

import torch
from torch import Tensor

from al_lightning.errors import EvidenceError, UsageError
from al_lightning.evidence import Evidence, Need
from al_lightning.sizes import Sizes

_SHOWN = 10  # ids in a message
_SCORE_BYTES = 64  # an image: its score, and the order of all scores


@dataclass(frozen=True)
class Selection:
    """The images to ask for, first choice first.

    Attributes:
        ids: Dataset ids, (count,) int64, distinct.
        scores: One score each, (count,) float32; higher means queried with more reason. What it
            measures, and in which unit, is the strategy's own.
    """

    ids: Tensor
    scores: Tensor


class Strategy(ABC):
    """Chooses which unlabeled images to ask for.

    A strategy declares what it needs to know, and gets that and no more. It knows no trainer, no
    file and no label. Subclasses implement :meth:`choose`.

    Args:
        pool_subset: How many of the unlabeled images it is shown in each round, drawn at random; None
            for all. It bounds what a round costs in time and memory, whatever the size of the pool.

    Raises:
        UsageError: On a ``pool_subset`` below 1.
    """

    needs: frozenset[Need] = frozenset()
    """Quantities of the pool that :meth:`select` reads."""

    labeled_needs: frozenset[Need] = frozenset()
    """Quantities of the labeled set that :meth:`select` reads."""

    mc_samples: int = 20
    """K, the number of dropout samples, where Monte-Carlo probabilities are needed."""

    pool_subset: int | None = None
    """How many of the unlabeled images it is shown in each round; None for all."""

    def __init__(self, *, pool_subset: int | None = None) -> None:
        if pool_subset is not None:
            require_count("pool_subset", pool_subset)
        self.pool_subset = pool_subset

    @final
    def select(
        self, pool: Evidence, labeled: Evidence | None, count: int, generator: torch.Generator
    ) -> Selection:
        """Select the images to ask for.

        The order of the pool's rows does not matter: they are put in the order of their ids first.

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
        """
        if count < 1:
            raise ValueError(f"count must be at least 1, not {count}")
        if len(pool) == 0:
            raise ValueError("The pool is empty: there is nothing to select")
        if labeled is None:
            labeled = _nothing_like(pool, self.labeled_needs)
        _check(pool, self.needs, "pool")
        _check(labeled, self.labeled_needs, "labeled set")
        pool, labeled = _by_id(pool, "pool"), _by_id(labeled, "labeled set")
        return self.choose(pool, labeled, min(count, len(pool)), generator)

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

        By default one more copy of the pool's evidence, and a few numbers an image. A strategy that
        takes more says so; one that takes less should.
        """
        return sizes.pool * (sizes.row_bytes(self.needs) + _SCORE_BYTES)


class ScoreStrategy(Strategy):
    """Queries the images of the highest score; ties are broken at random."""

    may_be_negative: bool = False
    """Whether a score can be below 0, so that it cannot be a weight."""

    @abstractmethod
    def score(self, pool: Evidence) -> Tensor:
        """Score every image on its own, (N,) float32; higher means query first."""

    def choose(
        self,
        pool: Evidence,
        labeled: Evidence,  # noqa: ARG002 - a score looks at the pool alone
        count: int,
        generator: torch.Generator,
    ) -> Selection:
        """Choose the ``count`` highest scores."""
        scores = self.score(pool)
        top = top_k(scores, count, generator)
        return Selection(pool.ids[top], scores[top])


def top_k(scores: Tensor, count: int, generator: torch.Generator) -> Tensor:
    """Return the positions of the ``count`` highest scores, highest first, ties in random order.

    Args:
        scores: (N,) float.
        count: At most N.
        generator: Breaks the ties.

    Returns:
        (count,) int64.
    """
    shuffled = torch.randperm(len(scores), generator=generator)
    order = scores[shuffled].argsort(descending=True, stable=True)
    return shuffled[order[:count]]


def require_count(name: str, value: object, least: int = 1) -> None:
    """Check that an argument of a strategy is a whole number.

    Raises:
        UsageError: If it is not, or below ``least``; names the key.
    """
    if not isinstance(value, int) or isinstance(value, bool) or value < least:
        raise UsageError(
            f"strategy.{name} must be a whole number of at least {least}, not {value!r}"
        )


def _by_id(evidence: Evidence, name: str) -> Evidence:
    if bool((evidence.ids[1:] > evidence.ids[:-1]).all()):
        return evidence  # the usual case: no copy of the embeddings
    ids, order = evidence.ids.sort()
    if len(repeated := ids[1:][ids[1:] == ids[:-1]]):
        raise ValueError(f"The evidence on the {name} has ids more than once: {_listed(repeated)}")
    return evidence.rows(order)


def _listed(ids: Tensor) -> str:
    return ", ".join(map(str, ids[:_SHOWN].tolist())) + (", ..." if len(ids) > _SHOWN else "")


def _check(evidence: Evidence, needs: frozenset[Need], name: str) -> None:
    for need in needs:
        evidence.require(need)
    if len(bad := evidence.non_finite_ids()):
        raise EvidenceError(
            f"The evidence on {len(bad)} image(s) of the {name} is NaN or infinite; ids: "
            f"{_listed(bad)}. The model has probably diverged: lower the learning rate"
        )


def _nothing_like(pool: Evidence, needs: frozenset[Need]) -> Evidence:
    """Return evidence without rows, shaped like the pool's."""
    return Evidence(
        torch.empty(0, dtype=torch.int64),
        **{need.value: pool.require(need)[:0] for need in needs},
    )
