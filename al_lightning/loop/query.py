"""Which images to query: a strategy, its evidence, and its random streams."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

import torch
from lightning.pytorch.utilities.seed import isolate_rng
from torch import Tensor

from al_lightning.data.source import ImageData
from al_lightning.loop.candidates import (
    Candidates,
    draw_candidates,
    require_enough_candidates,
)
from al_lightning.loop.query_memory import query_sizes, require_memory
from al_lightning.run.budget import POLICIES, Budget
from al_lightning.run.own_code import own_code
from al_lightning.run.question_parts import QuestionParts
from al_lightning.run.questions import Question
from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.rehearsal import rehearse
from al_lightning.strategies.selection import Selection
from al_lightning.strategies.strategy import Strategy, require_strategy
from al_lightning.training.fitted import Fitted
from al_lightning.utils.checks import whole_number
from al_lightning.utils.errors import UsageError
from al_lightning.utils.global_seed import seeded
from al_lightning.utils.memory import memory_limit
from al_lightning.utils.randomness import derive_generator, derive_seed
from al_lightning.utils.ranks import from_rank_zero
from al_lightning.utils.stopwatch import Stopwatch


@dataclass(frozen=True)
class SelectedImages:
    """What the query of a round has selected.

    Attributes:
        selection: The images.
        predictions: Of these images, if the strategy needed them: confidence, (M,) float32, and class,
            (M,) int64.
        facts: What the journal says of how they were found: ``query_temperature``, the temperature
            where the strategy needs it.
    """

    selection: Selection
    predictions: tuple[Tensor, Tensor] | None = None
    facts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class _Ahead:
    """What was found before its round, if it has these candidates, and what that took."""

    candidates: Candidates
    result: SelectedImages
    watch: Stopwatch


class Query:
    """Selects images by a strategy, whose random draws are independent of the classifier's.

    Args:
        strategy: Selects from the pool in every round.
        query_seed: Changes only the random draws of the strategy, to measure the effect of chance. The
            draws differ for each seed, so that seeds stay independent.
        initial_strategy: Selects the first labels by the embeddings of the untrained (or pretrained)
            classifier; with ``budget.initial_policy`` "auto", only of a pretrained one. None draws them
            as ``budget.initial_policy`` says.

    Raises:
        UsageError: If an argument is no strategy, or ``initial_strategy`` needs more than embeddings.

    Example:
        >>> from al_lightning import Query
        >>> from al_lightning.strategies import Margin
        >>> Query(Margin()).strategy.needs
        frozenset({<Need.PROBABILITIES: 'probabilities'>})
    """

    def __init__(
        self,
        strategy: Strategy,
        query_seed: int | None = None,
        initial_strategy: Strategy | None = None,
    ) -> None:
        require_strategy("strategy", strategy)
        if initial_strategy is not None:
            require_embeddings_alone(initial_strategy)
        self.strategy = strategy
        self.query_seed = None if query_seed is None else whole_number("query_seed", query_seed)
        self.initial_strategy = initial_strategy
        self._ahead: _Ahead | None = None
        # At once: a run may change them.
        self.code, self.packages = own_code([strategy, initial_strategy])

    @property
    def needs(self) -> frozenset[Need]:
        """What the strategy needs to know of unlabeled or labeled images."""
        return self.strategy.needs | self.strategy.labeled_needs

    def check(self, data: ImageData, budget: Budget, embedding: int, given: int = 0) -> None:
        """Refuse faulty or missing strategies, and queries of too few candidates or too much memory.

        Args:
            data: The data set.
            budget: Says how large queries are.
            embedding: The size of an embedding.
            given: How many labels came with the images, where others came without.

        Raises:
            UsageError: If a query cannot be made; says why.
        """
        policy = budget.initial_policy
        if self.initial_strategy is None and policy not in POLICIES:
            raise UsageError(
                f"budget.initial_policy={policy} needs `initial_strategy`, such as TypiClust(); "
                f"without one, it is {' or '.join(POLICIES)}"
            )
        images, classes = len(data.train), len(data.classes)
        sizes = query_sizes(self.strategy, budget, images, given, classes, embedding)
        largest = max((size.count for size in sizes), default=0)
        require_enough_candidates(self.strategy.pool_subset, largest)
        require_memory(self.strategy, sizes, memory_limit(budget.memory_limit))
        with isolate_rng():
            for strategy in filter(None, (self.strategy, self.initial_strategy)):
                rehearse(strategy, images, classes, embedding)

    def select(
        self,
        fitted: Fitted,
        candidates: Candidates,
        watch: Stopwatch,
        find_temperature: Callable[[Fitted], float] = lambda _: 1.0,
    ) -> SelectedImages | None:
        """Select images from the pool of a round.

        Args:
            fitted: The round's classifier.
            candidates: What is selected from. With ``query_seed``, their seed and round are all that
                the draws depend on.
            watch: Takes the time of the phases "score" and "select".
            find_temperature: Returns the temperature of a classifier; called if the strategy needs
                calibrated probabilities.

        Returns:
            The images, and more; None where the round makes no query.
        """
        ahead, self._ahead = self._ahead, None
        if candidates.count == 0:
            return None
        if ahead is not None and ahead.candidates.same_as(candidates):
            watch.add(ahead.watch)
            return ahead.result
        with watch.time("score"):
            calibrated = Need.CALIBRATED_PROBABILITIES in self.needs
            facts = {"query_temperature": find_temperature(fitted)} if calibrated else {}
        result = self._select(fitted, candidates, watch, facts.get("query_temperature", 1.0))
        return replace(result, facts=facts)

    def look_ahead(self, fitted: Fitted, candidates: Candidates) -> None:
        """Make a later round's selection now, if it follows from fixed embeddings alone.

        :meth:`select` takes it if that round has these candidates.

        Args:
            fitted: The classifier of the round before.
            candidates: Of the next round, if all is labeled that is asked for.
        """
        if candidates.count and self.needs == {Need.EMBEDDINGS} and fitted.has_fixed_embeddings():
            watch = Stopwatch()
            with suppress(Exception):  # what fails fails again, in its round
                result = self._select(fitted, candidates, watch)
                self._ahead = _Ahead(candidates, result, watch)

    def _select(
        self,
        fitted: Fitted,
        candidates: Candidates,
        watch: Stopwatch,
        temperature: float = 1.0,
    ) -> SelectedImages:
        strategy, index, seed = self.strategy, candidates.index, candidates.seed
        passes = strategy.mc_samples, temperature
        with watch.time("score"):
            drawn = derive_generator(seed, *self._purpose("candidates", index))
            ids = draw_candidates(candidates.ids, strategy.pool_subset, drawn)
            unlabeled = fitted.evidence(ids, strategy.needs, *passes)
            labeled = fitted.evidence(candidates.labeled_ids, strategy.labeled_needs, *passes)
        count = candidates.count
        generator = derive_generator(seed, *self._purpose("query", index))
        # What a strategy calls may draw from global generators, as scikit-learn does.
        global_seed = derive_seed(seed, *self._purpose("query, global", index))
        with watch.time("select"), seeded(global_seed):
            return from_rank_zero(
                lambda: _select_and_note(strategy, unlabeled, labeled, count, generator)
            )

    def select_first(
        self,
        strategy: Strategy,
        untrained: Fitted,
        free: Tensor,
        labeled: Tensor,
        count: int,
        seed: int,
    ) -> Tensor:
        """Select the first labels by the embeddings of the untrained classifier, without labels.

        Args:
            strategy: A strategy that needs only embeddings.
            untrained: The classifier.
            free: Images to select from, (N,) int64.
            labeled: Images that are labeled already, (M,) int64.
            count: How many images.
            seed: All that the draws depend on.

        Returns:
            (count,) int64.
        """
        unlabeled = untrained.evidence(free, strategy.needs)
        known = untrained.evidence(labeled, strategy.labeled_needs) if len(labeled) else None
        generator = derive_generator(seed, "initial")
        with seeded(derive_seed(seed, "initial, global")):
            return from_rank_zero(lambda: strategy.select(unlabeled, known, count, generator)).ids

    def question(self, fitted: Fitted, result: SelectedImages, attempt: int) -> Question:
        """Return a result as a question; the next round trains on its labels.

        Args:
            fitted: The classifier of the query; the annotator sees its predictions.
            result: What :meth:`select` has returned.
            attempt: Number of questions of the next round that were answered before.
        """
        selection, known = result.selection, result.predictions
        confidence, predicted = known or fitted.probabilities(selection.ids).max(1)
        ids, scores = selection.ids, selection.scores
        return Question(
            fitted.index + 1,
            "query",
            ids,
            attempt,
            scores,
            predicted,
            confidence,
            parts=QuestionParts(selection.parts, selection.uniform),
        )

    def _purpose(self, purpose: str, index: int) -> tuple[str | int, ...]:
        """Return the purpose of a random stream of the strategy's own, which ``query_seed`` changes."""
        return purpose, *(() if self.query_seed is None else (self.query_seed,)), index


def _select_and_note(
    strategy: Strategy,
    pool: Evidence,
    labeled: Evidence,
    count: int,
    generator: torch.Generator,
) -> SelectedImages:
    """Select, and note what is predicted of these images if the evidence says that."""
    if pool.probabilities is None:
        return SelectedImages(strategy.select(pool, labeled, count, generator))
    # First of all: a strategy may work in place on them.
    confidence, predicted = pool.probabilities.max(1)
    selection = strategy.select(pool, labeled, count, generator)
    rows = torch.searchsorted(pool.ids, selection.ids)  # candidates ascend
    return SelectedImages(selection, (confidence[rows], predicted[rows]))


def require_embeddings_alone(strategy: Strategy) -> None:
    """Check that a strategy can select the first labels: before them, there are embeddings alone.

    Raises:
        UsageError: If it needs more, or is no strategy; names what.
    """
    require_strategy("initial_strategy", strategy)
    if more := sorted((strategy.needs | strategy.labeled_needs) - {Need.EMBEDDINGS}):
        raise UsageError(
            f"budget.initial_policy cannot be {type(strategy).__name__}: it needs "
            f"{' and '.join(more)}, but no classifier is trained before the first label. Use a "
            "strategy that needs only embeddings, such as l2, or uniform or balanced"
        )
