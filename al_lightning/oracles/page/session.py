"""The state of a page: the open question, who has which image, and what was said.

Two threads use it. The loop waits in :meth:`Session.wait`; the server's requests read and change it. A
lock keeps them apart, and no request waits for a fit.

How a batch and the next fit overlap: with ``retrain_every=k``, a question of n images is answered in
part as soon as k labels are new and at most n - k images are left. The journal records these labels,
and which images the page still has ("open"). Then the next round is fitted on the labels, and selects
from the images that are neither labeled nor open, while people label the rest. Those labels come with
the answer to the next question, as late ones. So a fit and a selection depend on the events before them
alone, never on the time at which a label was given; and a process that is killed at any point finds the
same question in the journal, and the labels since then in the page's own file.
"""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from threading import Condition
from typing import Any

import torch
from torch import Tensor

from al_lightning.oracles.page.decisions import Decisions, Refused
from al_lightning.oracles.page.leases import Leases
from al_lightning.oracles.page.page_log import pace
from al_lightning.oracles.page.review import suspects
from al_lightning.run.class_change import ClassChange
from al_lightning.run.pool import Pool
from al_lightning.run.questions import Answer, Question


class Session:
    """What happens on a page; safe to use from several threads.

    Args:
        decisions: What was said.
        retrain_every: The number of new labels that start the next fit before the batch ends; None
            fits after the batch.
        on_change: Called after every change, in the thread that has made it.
    """

    def __init__(
        self,
        decisions: Decisions,
        retrain_every: int | None = None,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._said = decisions
        self._every = retrain_every
        self._on_change = on_change
        self._changed = Condition()
        self._leases = Leases(time.monotonic)
        self._queue: list[int] = []
        self._question: Question | None = None
        self._guesses: dict[int, tuple[int, float]] = {}
        self._parts: dict[int, str] = {}  # the strategies that chose images, where several did
        self._names: dict[str, str] = {}  # of people, by tab
        self._stopping = False

    # The loop's thread.

    def record(self, pool: Pool) -> Answer | None:
        """Take over what the run has recorded; return the corrections and classes that it lacks."""
        with self._changed:
            self._said.record(pool)
            if self._question is None:  # the rest of a batch, after a restart
                self._queue = pool.open_ids.tolist()
            labels, added = self._said.corrections(), tuple(self._said.new_classes)
            if not labels and not added:
                return None
            ids, classes = _tensor([*labels]), _tensor([*labels.values()])
            by = self._said.names([*labels])
            return Answer(
                _tensor([]),
                _tensor([]),
                late_ids=ids,
                late_labels=classes,
                by=by,
                new_classes=added,
            )

    def change_classes(self, change: ClassChange) -> None:
        """Take over a change of the run's classes."""
        with self._changed:
            labels = change.new_labels(self._said.run_classes)
            self._guesses = {i: (labels[label], p) for i, (label, p) in self._guesses.items()}
            self._said.change_classes(change)
        self._on_change()

    def show(self, question: Question) -> None:
        """Let people label the images of a question."""
        with self._changed:
            asked = question.ids.tolist()
            self._question = question
            # Earlier guesses are in the classes of their time.
            for one in [] if self._said.aliases else question.earlier:
                self._guesses = _guesses(one) | self._guesses
            self._guesses |= _guesses(question)
            for one in (*question.earlier, question):
                self._parts |= zip(one.ids.tolist(), one.parts.names, strict=False)
            self._queue = [*(i for i in self._open() if i not in asked), *asked]
        self._on_change()

    def wait(self, question: Question) -> Answer | None:
        """Show a question, and wait until it is answered; None where a person stops the run."""
        self.show(question)
        with self._changed:
            while not (self._stopping or self._is_answered(question)):
                self._changed.wait()
            answer = None if self._stopping else self._answer(question)
            self._on_change()
            return answer

    def _is_answered(self, question: Question) -> bool:
        left, size = len(self._open()), len(question.ids)
        if left == 0:
            return True
        if self._every is None or question.origin != "query":
            return False
        return len(self._said.new()[0]) >= self._every and left <= size - self._every

    def _answer(self, question: Question) -> Answer:
        asked = question.ids.tolist()
        earlier = {i for one in question.earlier for i in one.ids.tolist()}
        labels, skipped = self._said.new()
        ids = [i for i in asked if i in labels]
        late = [i for i in labels if i in earlier and i not in asked]
        late_skipped = [i for i in skipped if i in earlier and i not in asked]
        now_skipped = [i for i in asked if i in skipped]
        self._said.hand_over({i: labels[i] for i in (*ids, *late)}, [*now_skipped, *late_skipped])
        return Answer(
            _tensor(ids),
            _tensor([labels[i] for i in ids]),
            _tensor(now_skipped),
            _tensor(late),
            _tensor([labels[i] for i in late]),
            _tensor(late_skipped),
            _tensor(self._open()),
            by=self._said.names([*labels]),
            new_classes=tuple(self._said.new_classes),
        )

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
            wanted = self._open()
            if predicted is not None:
                sure = {i: g[1] for i, g in self._guesses.items() if g[0] == predicted}
                wanted = sorted((i for i in wanted if i in sure), key=lambda i: -sure[i])
            return [self._item(i) for i in self._leases.take(tab, wanted, count)]

    def say(self, tab: str, by: str, said: Sequence[tuple[int, str | None, str | None]]) -> None:
        """Write down what a person says; on the disk when this returns.

        Args:
            tab: Where it was said.
            by: The person's name.
            said: Ids, each with what the page showed before (a class, "" for skipped, None for open),
                and what it shall be.

        Raises:
            Refused: If it is not possible, as where another person was faster; nothing is written.
            OSError: If the disk refuses; nothing is written.
        """
        with self._changed:
            self._leases.touch(tab)
            for image, before, after in said:
                self._check(tab, image, before, after)
            if self._said.say([(image, after) for image, _, after in said], by):
                self._queue += [i for i, _, after in said if after is None and i not in self._queue]
                self._changed.notify_all()
        self._on_change()

    def add_class(self, name: str, by: str) -> str:
        """Add a class; on the disk when this returns its name.

        Raises:
            Refused: If there is such a class, or it is no name of one.
            OSError: If the disk refuses.
        """
        with self._changed:
            name = self._said.add_class(name, by)
        self._on_change()
        return name

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

    def history(self) -> list[dict[str, Any]]:
        """Return what was said, the newest first."""
        with self._changed:
            return [{**self._item(said["id"]), **said} for said in self._said.history()]

    def suspects(self, reviewed: Mapping[int, tuple[int, float]]) -> list[dict[str, Any]]:
        """Return the labels that are worth a second look, the most suspicious first.

        Args:
            reviewed: What a review says of labels: classes and their probabilities, by id.
        """
        with self._changed:
            guesses = {**self._guesses, **reviewed}
            labels = {i: self._said.label(i) for i in guesses}
            given = {i: label for i, label in labels.items() if label is not None}
            return [
                {
                    **self._item(found.id),
                    "guess": found.guess,
                    "confidence": found.confidence,
                    "neighbours": [[c, ids] for c, ids in found.neighbours.items()],
                }
                for found in suspects(given, guesses)
            ]

    def numbers(self) -> dict[str, Any]:
        """Return what the page shows of the state of labeling."""
        with self._changed:
            left = self._open()
            guessed = Counter(self._guesses[i][0] for i in left if i in self._guesses)
            return {
                "question": None if self._question is None else self._question.name,
                "purpose": None if self._question is None else self._question.origin,
                "left": len(left),
                "classes": self._said.classes,
                "by_class": self._said.counts(),
                "skipped": self._said.skips(),
                "guessed": [guessed[label] for label in range(len(self._said.classes))],
                "stopping": self._stopping,
                **pace(self._said.entries(), time.time()),
            }

    def _open(self) -> list[int]:
        return [i for i in self._queue if not self._said.is_decided(i)]

    def _item(self, image: int) -> dict[str, Any]:
        guess = self._guesses.get(image)
        return {
            "id": image,
            "value": self._said.value(image),
            "guess": None if guess is None else guess[0],
            "confidence": None if guess is None else round(guess[1], 4),
            "part": self._parts.get(image, ""),
        }

    def _check(self, tab: str, image: int, before: str | None, after: str | None) -> None:
        value = self._said.value(image)
        if value == after:  # said twice, such as after a lost connection
            return
        if value is None and image not in self._queue:
            raise Refused("This image is not among those to label")
        if value != before:
            raise Refused("Somebody else has labeled this image meanwhile")
        holder = self._leases.holder(image)
        if value is None and holder not in (None, tab):
            name = self._names.get(holder or "") or "Somebody else"
            raise Refused(f"{name} has this image")


def _guesses(question: Question) -> dict[int, tuple[int, float]]:
    """Return what the model takes the images of a question for."""
    if question.predicted is None or question.confidence is None:
        return {}
    guesses = zip(question.predicted.tolist(), question.confidence.tolist(), strict=True)
    return dict(zip(question.ids.tolist(), guesses, strict=True))


def _tensor(ids: list[int]) -> Tensor:
    return torch.tensor(ids, dtype=torch.int64)
