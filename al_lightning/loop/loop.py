"""The active-learning loop: fit, test, select, record, ask."""

from collections.abc import Mapping, Sequence
from contextlib import closing
from copy import deepcopy
from dataclasses import replace
from functools import partial

import torch
from torch import Tensor

from al_lightning.callbacks.loop_callback import (
    CallbackList,
    LoopCallback,
    QueryResult,
    RoundResult,
)
from al_lightning.loop.candidates import candidates_of_round
from al_lightning.loop.first_labels import FirstLabels
from al_lightning.loop.open_question import close_if_settled
from al_lightning.loop.project_changes import record_answer, record_corrections
from al_lightning.loop.query import Query
from al_lightning.loop.start import begin_run, open_run, require_parts
from al_lightning.oracles.answers import checked_answer, warn_of_gaps, whole_numbers
from al_lightning.oracles.manual import ManualOracle
from al_lightning.run.budget import Budget
from al_lightning.run.class_change import ClassChange
from al_lightning.run.journal import Journal
from al_lightning.run.questions import Answer, Oracle, Origin, Question
from al_lightning.training.learner import Learner
from al_lightning.training.temperature import temperature_of
from al_lightning.utils.errors import UsageError
from al_lightning.utils.interrupts import interruptible
from al_lightning.utils.ranks import from_rank_zero
from al_lightning.utils.stopwatch import Stopwatch


class ActiveLearningLoop:
    """Queries labels round by round, and trains on all labels.

    A step queries the first labels, takes the answer to the open question, or runs a round: fit, test,
    select, record, query. The journal is the only state: after the process dies, a loop with the same
    arguments continues from the journal, with the same result. After the last labels there is a last
    fit, so that every label is trained on.

    Args:
        learner: Trains the classifier of each round.
        query: Selects the images to query.
        oracle: Gives the labels, at once or later; None leaves them to :meth:`answer`.
        journal: Records all events.
        budget: The number of labels, in total and per round.
        callbacks: Called at the stages of the run.

    Raises:
        UsageError: From any method, if arguments do not match each other, an answer does not match its
            question, or a selection or a fit is not possible.
        JournalError: From any method, if the journal belongs to another run.

    Example:
        >>> import tempfile, torch
        >>> from al_lightning import Budget, DatasetSource, ManualOracle, plain_loop
        >>> from al_lightning.strategies import Margin
        >>> images, labels = torch.rand(60, 1, 8, 8), torch.arange(60) % 3
        >>> source = DatasetSource(torch.utils.data.TensorDataset(images, labels))
        >>> budget = Budget(initial=6, query=3, total=9, initial_policy="uniform")
        >>> folder, oracle = tempfile.mkdtemp(), ManualOracle()
        >>> loop = plain_loop(source, Margin(), folder, budget, oracle=oracle, epochs=1)
        >>> loop.step()  # queries the first labels
        True
        >>> loop.answer(labels[loop.question.ids])
        >>> loop.step()  # trains, and queries the images of the smallest margin
        True
    """

    def __init__(
        self,
        learner: Learner,
        query: Query,
        oracle: Oracle | None,
        journal: Journal,
        budget: Budget,
        callbacks: Sequence[LoopCallback] = (),
    ) -> None:
        self.learner = learner
        self.query = query
        self.oracle = ManualOracle() if oracle is None else oracle
        self.journal = journal
        self.budget = budget
        require_parts(learner, query, self.oracle, journal, budget)
        self._callbacks = CallbackList(callbacks)
        self._begun = self._opened = self._ended = self._stopping = False

    def __repr__(self) -> str:
        """Return the names of its parts, and its journal."""
        parts = type(self.query.strategy).__name__, type(self.oracle).__name__
        return f"ActiveLearningLoop({', '.join(parts)}, {self.journal})"

    def run(self) -> Journal:
        """Run until the budget or the pool is used up, or a question stays open.

        Returns:
            The journal. It is unfinished if the oracle has not answered yet.

        Raises:
            Interrupted: By Ctrl-C, SIGTERM or a queue's signal; the next run continues from there.
        """
        with interruptible(), closing(self.oracle):
            while self.step():
                pass
        return self.journal

    def step(self) -> bool:
        """Query the first labels, take the answer to the open question, or run a round.

        Returns:
            Whether there is a next step: False where the run is finished, or waits for an answer.
        """
        with interruptible():
            self._begin()
            corrected = self._record_corrections()
            if self.journal.finished:
                self._end()
                return False
            first = FirstLabels(self.learner, self.query, self.budget, self.journal)
            if (question := self.question) is not None:
                left = first.left(self.journal.pool)
                parts = question, corrected, self.journal, left, self._record_answer
                return close_if_settled(*parts) or self._request_answer(question)
            if (missing := first.missing(self.journal.pool)) is not None:
                self._acquire_outside_rounds(*missing)
            else:
                self._run_round(self.journal.current_round or 0)
            return True

    @property
    def question(self) -> Question | None:
        """The question that waits for its answer; None where there is none."""
        return self.journal.open_question

    def answer(
        self, labels: Sequence[int] | Tensor, ids: Sequence[int] | Tensor | None = None
    ) -> None:
        """Answer the open question.

        Args:
            labels: A class for each queried image, in the order of ``question.ids``.
            ids: The labeled images, if not all are labeled; the others return to the pool.

        Raises:
            UsageError: If no question is open, or the labels do not match; nothing is recorded.
        """
        self._begin()
        if (question := self.question) is None:
            raise UsageError("No question is open: `loop.step()` asks the next one")
        labeled = question.ids if ids is None else whole_numbers("ids", ids)
        self._record_answer(question, Answer(labeled, whole_numbers("labels", labels)))

    def correct(self, labels: Mapping[int, int], by: str = "") -> None:
        """Correct labels of a project; the next fit trains on the new ones.

        Args:
            labels: Classes by the ids of labeled images.
            by: Name of the person who corrects them.

        Raises:
            JournalError: If the run is no project, or an image is not labeled; nothing is recorded.
        """
        self._begin()
        journal = self.journal
        known = {i: label for i, label in journal.label_of.items() if i not in journal.to_review}
        new = {i: label for i, label in labels.items() if known.get(i) != label}
        record_corrections(journal, new, by, self._callbacks)

    def change_classes(self, change: ClassChange) -> None:
        """Add, rename or merge classes of a project; the next fit is of the new classes.

        Raises:
            JournalError: If the run is no project, or this cannot be done; nothing is recorded.
        """
        self._begin()
        self.journal.record_classes(change)
        self.learner.change_classes(change, self.journal)
        self.oracle.on_classes(change)
        self._callbacks.on_classes(change, self.learner.data)

    def stop(self) -> None:
        """End the run after the round that is running, or the next one; the journal says so."""
        self._stopping = True

    def _begin(self) -> None:
        """Begin or continue, unless that was done."""
        if not self._begun:
            parts = self.learner, self.query, self.oracle, self.journal, self.budget
            begin_run(*parts, self._callbacks)
        if not self._opened and not self.journal.finished:
            open_run(self.learner, self.journal, self._callbacks)
            self._opened = True
        self._begun = True

    def _end(self) -> None:
        if not self._ended:
            self._callbacks.on_run_end(self.journal)
        self._ended = True

    def _run_round(self, index: int) -> None:
        """Run a round; what the journal has of it already is not written again."""
        journal, data, seed = self.journal, self.learner.data, self.learner.seed
        fitted = self.learner.fit(index, journal.pool_in, self._callbacks.on_fit_start)
        self._callbacks.on_fit_end(index, fitted.classifier)
        watch = Stopwatch(fit=fitted.facts["seconds"])
        find_temperature = partial(temperature_of, self.learner)
        rules = self.budget, journal.given_labels(len(data.given_ids)), seed, data.train.groups
        candidates = candidates_of_round(index, fitted.pool, *rules)
        selected, question = self.query.select(fitted, candidates, watch, find_temperature), None
        if selected is not None:
            question = self.query.question(fitted, selected, journal.answers(index + 1, "query"))
            from_rank_zero(partial(self.oracle.present, question))
        if index == len(journal.rounds):  # while annotators look at the question
            facts = {} if selected is None else selected.facts
            self._record(fitted.result(fitted.test(watch), watch.seconds, facts))
        if from_rank_zero(lambda: self._stopping) or self._callbacks.wants_to_stop():
            journal.end("stopped")
        elif question is None:
            journal.end("budget" if self.budget.spent(fitted.pool.labels_bought) else "pool_empty")
        else:
            self.learner.prepare(index + 1, len(fitted.pool.labeled_ids) + len(question.ids))
            self._ask(question)
            if self.oracle.answers_here:  # while annotators label
                pool = fitted.pool.reveal(question.ids, torch.zeros_like(question.ids))
                self.query.look_ahead(fitted, candidates_of_round(index + 1, pool, *rules))

    def _record(self, result: RoundResult) -> None:
        """Write a round down, after what callbacks make of it: a line implies their files."""
        event = {**result.event, **({"because": [*why]} if (why := self.journal.causes) else {})}
        self._callbacks.on_round_end(replace(result, event=deepcopy(event)))
        self.journal.record_round({**event, "events": len(self.journal.events)})  # of the fit

    def _acquire_outside_rounds(self, origin: Origin, ids: Tensor) -> None:
        """Use labels that came with the images, or query those of others."""
        data, journal, index = self.learner.data, self.journal, len(self.journal.rounds)
        if bool(torch.isin(ids, data.given_ids).all()):
            journal.record_labels(index, ids, data.train.labels[ids], origin)
        else:
            self._ask(Question(index, origin, ids, attempt=journal.answers(index, origin)))

    def _ask(self, question: Question) -> None:
        """Buy labels; where the answer takes time, write the question down instead."""
        if self.oracle.answers_at_once:
            self._request_answer(question)
        else:
            self.journal.record_question(question)

    def _request_answer(self, question: Question) -> bool:
        """Ask the oracle, and record its answer; return whether there is one."""
        answer = from_rank_zero(lambda: self.oracle.answer(question))
        if answer is None and not self.oracle.answers_at_once:
            self._callbacks.on_wait(self.journal, self.oracle.instructions(question))
            return False
        self._record_answer(question, answer)
        return True

    def _record_corrections(self) -> Answer | None:
        """Record, and return, what annotators have corrected since, apart from questions."""
        pool = self.journal.pool
        if (corrections := from_rank_zero(lambda: self.oracle.corrections(pool))) is not None:
            self._correct(corrections)
            self._begin()  # this may open a finished run again
        return corrections

    def _correct(self, answer: Answer) -> None:
        """Record the new classes and the corrections of an answer."""
        if answer.new_classes:
            self.change_classes(ClassChange(answer.new_classes))
        record_answer(answer, self.journal, self.oracle, self._callbacks)

    def _record_answer(self, question: Question, answered: Answer | None) -> None:
        """Record what was answered to a question."""
        answer = checked_answer(self.oracle, question, answered, len(self.journal.classes))
        warn_of_gaps(question, answer)
        self._correct(answer)
        if question.origin == "query" and len(answer.ids):
            self._callbacks.on_query(QueryResult.of(question, answer))
        pool = self.journal.pool
        ids, labels, skipped = answer.new_labels(pool)
        by = None if self.oracle.answers_at_once else answer.annotators(ids.tolist())
        more = skipped, by, answer.still_open(pool), question.parts_of(ids), answer.at
        self.journal.record_labels(question.round, ids, labels, question.origin, *more)
