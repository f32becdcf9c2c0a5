"""The state of a page: the open question, who has which image, and what was decided.

Two threads use it. The loop waits in :meth:`Session.wait`; the server's requests read and change it. A
lock keeps them apart, and no request waits for a fit.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from threading import Condition
from typing import Any

from al_lightning.oracles.page.decisions import Decisions, Refused
from al_lightning.oracles.page.guesses import Guesses
from al_lightning.oracles.page.leases import Leases
from al_lightning.oracles.page.open_batch import OpenBatch, as_ids
from al_lightning.oracles.page.page_log import pace
from al_lightning.oracles.page.review import sure, suspects
from al_lightning.run.class_change import ClassChange
from al_lightning.run.pool import Pool
from al_lightning.run.questions import Answer, Question


class Session:
    """What happens on a page; safe to use from several threads.

    Args:
        decisions: What was decided.
        retrain_every: The number of new labels that start the next fit before the batch ends; None
            fits after the batch.
        on_change: Called after every change, in the thread that has made it.
        clock: The time in seconds.
    """

    def __init__(
        self,
        decisions: Decisions,
        retrain_every: int | None = None,
        on_change: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._decisions = decisions
        self._on_change = on_change
        self._changed = Condition()
        self._leases = Leases(clock)
        self._batch = OpenBatch(decisions, retrain_every)
        self._guesses = Guesses()
        self._names: dict[str, str] = {}  # of people, by tab
        self._stopping = False

    # The loop's thread.

    def sync_with(self, pool: Pool) -> Answer | None:
        """Take over what the run has recorded; return the corrections and classes that it lacks."""
        with self._changed:
            self._decisions.sync_with(pool)
            self._decisions.require_classes()
            self._batch.sync_with(pool)
            labels, added = self._decisions.corrections(), tuple(self._decisions.new_classes)
            if not labels and not added:
                return None
            return Answer(
                as_ids([]),
                as_ids([]),
                late_ids=as_ids([*labels]),
                late_labels=as_ids([*labels.values()]),
                by=self._decisions.names([*labels]),
                new_classes=added,
                is_newer=True,
            )

    def change_classes(self, change: ClassChange) -> None:
        """Take over a change of the run's classes."""
        with self._changed:
            self._guesses.renumber(change.new_labels(self._decisions.run_classes))
            self._decisions.change_classes(change)
        self._on_change()

    def show(self, question: Question) -> None:
        """Let people label the images of a question."""
        with self._changed:
            self._batch.show(question)
            # Earlier guesses are in the classes of their time.
            self._guesses.add(question, earlier=not self._decisions.aliases)
        self._on_change()

    def wait(self, question: Question) -> Answer | None:
        """Show a question, and wait until it is answered; None where a person stops the run."""
        self.show(question)
        with self._changed:
            while not (self._stopping or self._batch.is_answered(question)):
                self._changed.wait()
            answer = None if self._stopping else self._batch.answer(question)
            self._on_change()
            return answer

    # The server's threads.

    def take(
        self, tab: str, by: str, count: int, predicted: int | None = None
    ) -> list[dict[str, Any]]:
        """Lend a tab images to label.

        Args:
            tab: Whose.
            by: Name of its person.
            count: How many images.
            predicted: Only those that the model takes for this class, the surest first.
        """
        with self._changed:
            self._names[tab] = by
            wanted = self._batch.open()
            if predicted is not None:
                wanted = self._guesses.surest(wanted, predicted)
            taken = self._leases.take(tab, wanted, count)
            if predicted is not None:  # those that the tab had already are not always the surest
                taken.sort(key=wanted.index)
            return [self._item(i) for i in taken]

    def holders(self, tab: str) -> list[str]:
        """Return the names of other tabs' people who have images that are open."""
        with self._changed:
            tabs = self._leases.holders(self._batch.open())
            return sorted({self._names[other] for other in tabs if other != tab})

    def submit(
        self, tab: str, by: str, values: Sequence[tuple[int, str | None, str | None]]
    ) -> dict[int, str]:
        """Write down what a person decides, as far as it is possible; on the disk when this returns.

        Args:
            tab: Where it was decided.
            by: The person's name.
            values: Ids, each with what the page showed before (a class, "" for skipped, None for
                open), and what it shall be.

        Returns:
            Why some of it is not possible, by id, as where another person was faster.

        Raises:
            Refused: If nothing of it is possible.
            OSError: If the disk refuses; nothing is written.
        """
        with self._changed:
            self._leases.touch(tab)
            self._names[tab] = by
            problems = {i: self._problem(tab, i, before, after) for i, before, after in values}
            refused = {i: problem for i, problem in problems.items() if problem is not None}
            possible = [(i, after) for i, _, after in values if i not in refused]
            if not possible:
                raise Refused(next(iter(refused.values())))
            if self._decisions.submit(possible, by):
                self._batch.reopen([i for i, after in possible if after is None])
                self._changed.notify_all()
        self._on_change()
        return refused

    def confirm(self, image: int, by: str, value: str) -> None:
        """Write down that a label is right; on the disk when this returns.

        Raises:
            Refused: If the image has another label.
            OSError: If the disk refuses.
        """
        with self._changed:
            if not value or self._decisions.value(image) != value:
                raise Refused("Somebody else has labeled this image meanwhile")
            self._decisions.confirm(image, by)

    def add_class(self, name: str, by: str) -> str:
        """Add a class; on the disk when this returns its name.

        Raises:
            Refused: If there is such a class, or it is no name of one.
            OSError: If the disk refuses.
        """
        with self._changed:
            name = self._decisions.add_class(name, by)
        self._on_change()
        return name

    def touch(self, tab: str) -> None:
        """Note that a person does something at a tab."""
        with self._changed:
            self._leases.touch(tab)

    def connect(self, tab: str) -> None:
        """Note that a tab listens from now on."""
        with self._changed:
            self._leases.connect(tab)

    def disconnect(self, tab: str) -> None:
        """Note that a tab has stopped to listen."""
        with self._changed:
            self._leases.disconnect(tab)

    def stop(self) -> None:
        """Let the loop stop where it waits for labels, now or later."""
        with self._changed:
            self._stopping = True
            self._changed.notify_all()
        self._on_change()

    def history(self, count: int) -> dict[str, Any]:
        """Return the labels and skips, the newest first, and their number.

        Args:
            count: How many to return.
        """
        with self._changed:
            found = self._decisions.history()
            newest = [{**self._item(one["id"]), **one} for one in found[:count]]
            return {"labels": newest, "total": len(found)}

    def suspects(self, reviewed: Mapping[int, tuple[int, float]]) -> list[dict[str, Any]]:
        """Return the labels that are worth a second look, the most suspicious first.

        Args:
            reviewed: What a review says of labels: classes and their probabilities, by id.
        """
        with self._changed:
            guesses = {**sure(self._guesses.of), **reviewed}
            labels = {i: self._decisions.label(i) for i in guesses}
            given = {i: label for i, label in labels.items() if label is not None}
            confirmed = [i for i in given if self._decisions.is_confirmed(i)]
            return [
                {
                    **self._item(found.id),
                    "guess": found.guess,
                    "confidence": found.confidence,
                    "neighbours": [[c, ids] for c, ids in found.neighbours.items()],
                }
                for found in suspects(given, guesses, confirmed)
            ]

    def numbers(self) -> dict[str, Any]:
        """Return what the page shows of the state of labeling."""
        with self._changed:
            left, classes = self._batch.open(), self._decisions.classes
            question = self._batch.question
            return {
                "question": None if question is None else question.name,
                "purpose": None if question is None else question.origin,
                "left": len(left),
                "classes": classes,
                "by_class": self._decisions.counts(),
                "skipped": self._decisions.skips(),
                "guessed": self._guesses.counts(left, len(classes)),
                "stopping": self._stopping,
                **pace(self._decisions.entries(), time.time()),
            }

    def _item(self, image: int) -> dict[str, Any]:
        value = self._decisions.value(image)
        return {"id": image, "value": value, **self._guesses.facts(image)}

    def _problem(self, tab: str, image: int, before: str | None, after: str | None) -> str | None:
        """Return why a decision is not possible; None if it is."""
        value = self._decisions.value(image)
        if value == after:  # sent twice, such as after a lost connection
            return None
        if value is None and not self._batch.asks_for(image):
            return "This image is not among those to label"
        if value != before:
            return "Somebody else has labeled this image meanwhile"
        holder = self._leases.holder(image)
        # A tab of the same person may have it, as after a new start.
        if value is None and holder is not None and self._names[holder] != self._names[tab]:
            return f"{self._names[holder] or 'Somebody else'} has this image"
        return self._decisions.problem(image, after)
