"""What can watch a run."""

import inspect
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from al_lightning.data.project.known_project import ImageUpdate
from al_lightning.data.source import ImageData
from al_lightning.run.advice.pool_predictions import PoolPredictions
from al_lightning.run.class_change import ClassChange
from al_lightning.run.journal import Journal
from al_lightning.run.pool import Pool
from al_lightning.run.project import Setting
from al_lightning.run.questions import Answer, Question
from al_lightning.utils.checks import kind_of, why_not_callable
from al_lightning.utils.errors import UsageError
from al_lightning.utils.hints import did_you_mean
from al_lightning.utils.ranks import from_rank_zero
from al_lightning.utils.torchrun import rank


@dataclass(frozen=True)
class RoundResult:
    """A round that was fitted and tested.

    Attributes:
        index: Number of the round, from 0.
        pool: The pool of the round.
        event: The round's entry in the journal.
        confusion: Confusion matrix on the test set, (C, C) int64, true classes in rows; None where
            there are no test images.
        probabilities: What the classifier predicts of the test images, (N, C) float32, row i that of
            test image i; None where there are none.
        sample: What it predicts of the pool's sample; None where there is none.
        test_labels: The classes of the test images, (N,) int64; None where there are none.

    Example:
        >>> from al_lightning import Pool, RoundResult
        >>> result = RoundResult(0, Pool(9), {"metrics": {"accuracy": 0.5}}, confusion=None)
        >>> result.event["metrics"]["accuracy"]
        0.5
    """

    index: int
    pool: Pool
    event: Mapping[str, Any]
    confusion: Tensor | None
    probabilities: Tensor | None = None
    sample: PoolPredictions | None = None
    test_labels: Tensor | None = None


@dataclass(frozen=True)
class QueryResult:
    """Images that a strategy has queried, and their labels.

    Attributes:
        round: The first round that has the labels.
        name: Name of the query's files.
        ids: (M,) int64, highest rank first; without images that got no label.
        scores: The strategy's scores, (M,) float32.
        predicted: The predicted classes, (M,) int64.
        labels: The labels of the oracle, (M,) int64.
        parts: Name of the strategy that asked for each image, if several share a query; else empty.

    Example:
        >>> import torch
        >>> from al_lightning import Answer, QueryResult, Question
        >>> ids, scores = torch.tensor([3, 1]), torch.tensor([0.9, 0.4])
        >>> asked = Question(1, "query", ids, 0, scores, torch.tensor([0, 1]))
        >>> QueryResult.of(asked, Answer(ids[:1], torch.tensor([2]))).predicted
        tensor([0])
    """

    round: int
    name: str
    ids: Tensor
    scores: Tensor
    predicted: Tensor
    labels: Tensor
    parts: tuple[str, ...] = ()

    @classmethod
    def of(cls, question: Question, answer: Answer) -> Self:
        """Return the part of a strategy's question that was answered by labels."""
        assert question.scores is not None
        assert question.predicted is not None
        position = {i: row for row, i in enumerate(question.ids.tolist())}
        rows = torch.tensor([position[i] for i in answer.ids.tolist()], dtype=torch.int64)
        return cls(
            question.round,
            question.name,
            answer.ids.clone(),  # no callback may change the entries of the journal
            question.scores[rows],
            question.predicted[rows],
            answer.labels.clone(),
            tuple(question.parts.names[row] for row in rows.tolist() if question.parts.names),
        )


class LoopCallback:
    """Observes a run without changing it; all methods do nothing by default.

    Callbacks are called before the journal records the round. So their files exist for every recorded
    round, and a continued run after a kill writes the same files again.

    Example:
        >>> from al_lightning import LoopCallback, Pool, RoundResult
        >>> class Accuracies(LoopCallback):
        ...     def __init__(self):
        ...         self.seen = []
        ...     def on_round_end(self, result):
        ...         self.seen.append(result.event["metrics"]["accuracy"])
        >>> callback = Accuracies()  # ActiveLearningLoop(..., callbacks=[callback])
        >>> callback.on_round_end(RoundResult(0, Pool(9), {"metrics": {"accuracy": 0.5}}, None))
        >>> callback.seen
        [0.5]
    """

    def on_run_start(self, journal: Journal, data: ImageData) -> None:
        """Called when a run begins or continues."""

    def on_fit_start(self, index: int, pool: Pool) -> None:
        """Called before a round is fitted; not where its weights are loaded."""

    def on_fit_end(self, index: int, classifier: L.LightningModule) -> None:
        """Called with a fitted classifier; it may have come from the checkpoint."""

    def on_round_end(self, result: RoundResult) -> None:
        """Called with a round's results, before the journal has them."""

    def on_query(self, query: QueryResult) -> None:
        """Called with new labels, before the journal has them."""

    def on_setting(self, setting: Setting) -> None:
        """Called when a project continues with another setting, after the journal has it."""

    def on_correction(self, labels: Mapping[int, int]) -> None:
        """Called with corrected labels, classes by id, after the journal has them."""

    def on_classes(self, change: ClassChange, data: ImageData) -> None:
        """Called when classes of a project have changed, after the journal has it.

        Args:
            change: Of the classes.
            data: The data set with the new classes.
        """

    def on_images(self, update: ImageUpdate, to_review: Collection[int]) -> None:
        """Called when images of a project have come, gone or changed, after the journal has it.

        Args:
            update: What has changed.
            to_review: Labeled images whose content has changed since they were labeled or confirmed.
        """

    def on_import(self, count: int) -> None:
        """Called when labels came with the files of a project, after the journal has them."""

    def on_wait(self, journal: Journal, instructions: str) -> None:
        """Called when a run waits for the answer to its question.

        Args:
            journal: Its last event is the question.
            instructions: The oracle's instructions to the annotator.
        """

    def on_run_end(self, journal: Journal) -> None:
        """Called when a run is finished, and each time a finished run is run."""

    def wants_to_stop(self) -> bool:
        """Return whether the run shall end; called after each round, when the journal has the round.

        The journal then records that the run was stopped, and the run is finished. Decide by the
        content of the journal, so that a run that is killed at this point decides the same.
        """
        return False


class CallbackList(LoopCallback):
    """Several callbacks as one, in their order; on ranks other than zero, none.

    Args:
        callbacks: Each is given everything.

    Raises:
        UsageError: If one cannot watch a run; names it, and why.
    """

    def __init__(self, callbacks: Sequence[LoopCallback]) -> None:
        require_callbacks(callbacks)
        self._callbacks = tuple(callbacks) if rank() == 0 else ()

    def on_run_start(self, journal: Journal, data: ImageData) -> None:
        """See :class:`LoopCallback`."""
        for callback in self._callbacks:
            callback.on_run_start(journal, data)

    def on_fit_start(self, index: int, pool: Pool) -> None:
        """See :class:`LoopCallback`."""
        for callback in self._callbacks:
            callback.on_fit_start(index, pool)

    def on_fit_end(self, index: int, classifier: L.LightningModule) -> None:
        """See :class:`LoopCallback`."""
        for callback in self._callbacks:
            callback.on_fit_end(index, classifier)

    def on_round_end(self, result: RoundResult) -> None:
        """See :class:`LoopCallback`."""
        for callback in self._callbacks:
            callback.on_round_end(result)

    def on_query(self, query: QueryResult) -> None:
        """See :class:`LoopCallback`."""
        for callback in self._callbacks:
            callback.on_query(query)

    def on_setting(self, setting: Setting) -> None:
        """See :class:`LoopCallback`."""
        for callback in self._callbacks:
            callback.on_setting(setting)

    def on_correction(self, labels: Mapping[int, int]) -> None:
        """See :class:`LoopCallback`."""
        for callback in self._callbacks:
            callback.on_correction(labels)

    def on_classes(self, change: ClassChange, data: ImageData) -> None:
        """See :class:`LoopCallback`."""
        for callback in self._callbacks:
            callback.on_classes(change, data)

    def on_images(self, update: ImageUpdate, to_review: Collection[int]) -> None:
        """See :class:`LoopCallback`."""
        for callback in self._callbacks:
            callback.on_images(update, to_review)

    def on_import(self, count: int) -> None:
        """See :class:`LoopCallback`."""
        for callback in self._callbacks:
            callback.on_import(count)

    def on_wait(self, journal: Journal, instructions: str) -> None:
        """See :class:`LoopCallback`."""
        for callback in self._callbacks:
            callback.on_wait(journal, instructions)

    def on_run_end(self, journal: Journal) -> None:
        """See :class:`LoopCallback`."""
        for callback in self._callbacks:
            callback.on_run_end(journal)

    def wants_to_stop(self) -> bool:
        """Return whether one of them wants the run to end."""
        return from_rank_zero(lambda: any(c.wants_to_stop() for c in self._callbacks))


def require_callbacks(callbacks: object) -> None:
    """Check what is to watch a run.

    Raises:
        UsageError: If it is no sequence of callbacks; names the one that is none, and why.
    """
    if not isinstance(callbacks, Sequence):
        raise UsageError(f"callbacks must be a list of LoopCallback, not {kind_of(callbacks)}")
    for callback in callbacks:
        if isinstance(callback, Callback):
            raise UsageError(
                f"{kind_of(callback)} watches a trainer: let make_trainer give it to each trainer. "
                "Here, callbacks takes LoopCallback"
            )
        if isinstance(callback, type):
            raise UsageError(f"callbacks must hold {callback.__name__}(...), not the class itself")
        hooks = [name for name in vars(LoopCallback) if not name.startswith("_")]
        for name in dir(callback):
            if name.startswith("on_") and name not in hooks and callable(getattr(callback, name)):
                raise UsageError(
                    f"{kind_of(callback)}.{name} would never be called{did_you_mean(name, hooks)}"
                )
        for hook in hooks:
            method = getattr(callback, hook, None)
            count = len(inspect.signature(getattr(LoopCallback, hook)).parameters) - 1
            if not callable(method):
                raise UsageError(
                    f"{kind_of(callback)} cannot watch a run: it has no `{hook}`. A subclass of "
                    "LoopCallback has all that it does not define"
                )
            if (problem := why_not_callable(method, count)) is not None:
                raise UsageError(f"{kind_of(callback)}.{hook} takes {count} arguments: {problem}")
