"""Questions, answers, and the oracles that give them."""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar, Literal

import torch
from torch import Tensor

from al_lightning.run.class_change import ClassChange
from al_lightning.run.live import LiveBoard
from al_lightning.run.pool import HELD_OUT, Pool
from al_lightning.run.question_parts import QuestionParts
from al_lightning.utils.clock import utc_now

Origin = Literal["initial", "query", "validation", "test", "imported"]
IMPORTED: Origin = "imported"  #: of labels that come from elsewhere, without a question
_NAME = re.compile(rf"round_\d\d+(_({'|'.join(HELD_OUT)}))?(_again_\d+)?")


def _nothing() -> Tensor:
    return torch.empty(0, dtype=torch.int64)


@dataclass(frozen=True)
class Question:
    """The queried images, and the classifier's predictions.

    >>> import torch
    >>> from al_lightning import Question
    >>> Question(round=1, origin="query", ids=torch.tensor([30, 4])).name
    'round_01'

    Attributes:
        round: The first round that will train on the labels.
        origin: Purpose of the labels.
        ids: Dataset ids, (M,) int64, highest rank first.
        attempt: Number of questions of this round and origin that were answered before; above 0 if
            none of their images could be labeled.
        scores: The strategy's scores, (M,) float32; None without a strategy.
        predicted: The predicted classes, (M,) int64; None if there is no classifier yet.
        confidence: Probabilities of the predicted classes, (M,) float32; None without a classifier.
        parts: The strategy that asked for each image, if several share the query.
        earlier: The questions that were answered before this one, oldest first, if answers take time;
            images that were open may have been labeled since.
        settled_ids: Those of its images that need no label any more: they have one from elsewhere, or
            their files have gone, (S,) int64.
    """

    round: int
    origin: Origin
    ids: Tensor
    attempt: int = 0
    scores: Tensor | None = None
    predicted: Tensor | None = None
    confidence: Tensor | None = None
    earlier: tuple["Question", ...] = ()
    parts: QuestionParts = field(default_factory=QuestionParts)
    settled_ids: Tensor = field(default_factory=_nothing)

    @property
    def left_ids(self) -> Tensor:
        """Its images that need a label, (M,) int64, in their order."""
        return self.ids[~torch.isin(self.ids, self.settled_ids)]

    def parts_of(self, ids: Tensor) -> QuestionParts:
        """Return which strategies asked for some images of this question and earlier ones, (M,)."""
        asked = [q for q in (*self.earlier, self) if any(q.parts.names)]
        names = tuple(name for q in asked for name in q.parts.names)
        uniform = tuple(dict.fromkeys(name for q in asked for name in q.parts.uniform))
        positions = [i for q in asked for i in q.ids.tolist()]
        return QuestionParts(names, uniform).among(positions, ids.tolist())

    @property
    def name(self) -> str:
        """The stem of this question's files; no two questions of a run share it."""
        parts = [f"round_{self.round:02d}"]
        parts += [self.origin] if self.origin in HELD_OUT else []
        parts += [f"again_{self.attempt}"] if self.attempt else []
        return "_".join(parts)


def is_question_name(stem: str) -> bool:
    """Return whether a file has the :attr:`Question.name` of some question, without its ending.

    >>> [is_question_name(stem) for stem in ("round_03_test_again_1", "round_03 - Copy")]
    [True, False]
    """
    return _NAME.fullmatch(stem) is not None


@dataclass(frozen=True)
class Answer:
    """The classes of queried images.

    Images of the question that are neither labeled nor skipped stay in the pool, and may be queried
    again.

    >>> import torch
    >>> from al_lightning import Answer
    >>> answer = Answer(ids=torch.tensor([30]), labels=torch.tensor([2]), skipped=torch.tensor([4]))
    >>> len(answer.ids), len(answer.skipped)
    (1, 1)

    Attributes:
        ids: The labeled images, (M,) int64.
        labels: Their classes, (M,) int64.
        skipped: Images that cannot be labeled, (S,) int64; they leave the pool, and cost no label.
        late_ids: Images of earlier questions that have a label now, (L,) int64; may include images
            that were labeled before.
        late_labels: Their classes, (L,) int64.
        late_skipped: Images of earlier questions that cannot be labeled, (K,) int64.
        open_ids: Images of this or an earlier question that the annotator is still labeling, (O,)
            int64. Their labels come with a later answer; until then, they are not queried again.
        by: Name of the annotator, or of each image's annotator by its id; "" where it is not known.
        new_classes: Names of classes that a project lacks; labels beyond its classes are these.
        emptied_ids: Images that may have a label, and whose entry is empty now, (E,) int64: what is
            labeled stays so, with a warning.
        is_newer: Whether each label is known to be newer than what the run has recorded of its image.
            Otherwise, one that repeats the last answer corrects nothing.
        at: When the annotator's labels were taken, in UTC; what is given after it is not among them.
    """

    ids: Tensor
    labels: Tensor
    skipped: Tensor = field(default_factory=_nothing)
    late_ids: Tensor = field(default_factory=_nothing)
    late_labels: Tensor = field(default_factory=_nothing)
    late_skipped: Tensor = field(default_factory=_nothing)
    open_ids: Tensor = field(default_factory=_nothing)
    by: str | Mapping[int, str] = ""
    new_classes: tuple[str, ...] = ()
    emptied_ids: Tensor = field(default_factory=_nothing)
    is_newer: bool = False
    at: str = field(default_factory=utc_now)

    def new_labels(self, pool: Pool) -> tuple[Tensor, Tensor, Tensor]:
        """Return the labels and skips that a pool lacks: labeled ids, their classes, skipped ids.

        A pool may have labels of this question already, which came from elsewhere meanwhile. What was
        skipped in an earlier question may have got a label since.
        """
        free = pool.unlabeled_ids
        asked, skipped = torch.isin(self.ids, free), torch.isin(self.skipped, free)
        now = torch.cat([self.ids, self.skipped])
        skips = pool.skipped_ids[~torch.isin(pool.skipped_ids, pool.absent_ids)]
        new = torch.isin(self.late_ids, torch.cat([free, skips])) & ~torch.isin(self.late_ids, now)
        now = torch.cat([now, self.late_ids[new]])
        late = torch.isin(self.late_skipped, free) & ~torch.isin(self.late_skipped, now)
        return (
            torch.cat([self.ids[asked], self.late_ids[new]]),
            torch.cat([self.labels[asked], self.late_labels[new]]),
            torch.cat([self.skipped[skipped], self.late_skipped[late]]),
        )

    def still_open(self, pool: Pool) -> Tensor:
        """Return the images that stay with the annotator: those that are not labeled or skipped."""
        done = torch.cat([self.ids, self.skipped, self.late_ids, self.late_skipped])
        free = torch.isin(self.open_ids, pool.unlabeled_ids) & ~torch.isin(self.open_ids, done)
        return self.open_ids[free]

    def annotators(self, ids: Iterable[int]) -> str | list[str]:
        """Return who gave the labels of these images: one name, or one for each image."""
        if isinstance(self.by, str):
            return self.by
        names = [self.by.get(i, "") for i in ids]
        return names if len(set(names)) > 1 else "".join(names[:1])

    def corrections(self, pool: Pool, answered: Mapping[int, int]) -> dict[int, int]:
        """Return the images that a pool has with another class than they are given now: id to class.

        Args:
            pool: Before the answer.
            answered: The classes that the last answer gave. Where this one repeats it, as a sheet that
                was read before does, somebody else has corrected the label since, and it stays.
        """
        known = pool.label_of
        ids, labels = (
            torch.cat(pair).tolist()
            for pair in ((self.late_ids, self.ids), (self.late_labels, self.labels))
        )
        given = zip(ids, labels, strict=True)
        return {
            i: label
            for i, label in given
            if known.get(i, label) != label and (self.is_newer or answered.get(i) != label)
        }


class Oracle(ABC):
    """Answers questions, at once or later. Subclasses implement :meth:`answer`.

    After a kill, a run passes a question again if its journal does not have the answer.

    >>> import torch
    >>> from al_lightning import Answer, Oracle, Question
    >>> class Patient(Oracle):
    ...     labels = {30: 2}
    ...     def answer(self, question):
    ...         done = [i for i in question.ids.tolist() if i in self.labels]
    ...         if not done:
    ...             return None  # the run ends here, and asks again when it is started again
    ...         return Answer(torch.tensor(done), torch.tensor([self.labels[i] for i in done]))
    >>> Patient().answer(Question(1, "query", torch.tensor([30, 4]))).labels
    tensor([2])
    """

    answers_at_once: ClassVar[bool] = False
    """Whether every question is answered when it is asked, and never by None. Otherwise it is written
    into the journal first, so that it stays the same until its answer has come."""

    keeps_sheets: ClassVar[bool] = False
    """Whether it writes and reads the sheet of each question in the run's folder."""

    answers_here: bool = False
    """Whether :meth:`answer` takes as long as annotators do, and returns all of their answer. The run
    then selects the next images before it calls it, where these do not depend on labels."""

    live: LiveBoard | None = None
    """Where the run shows this oracle what it does at the moment; None if the oracle does not look."""

    @abstractmethod
    def answer(self, question: Question) -> Answer | None:
        """Answer a question.

        If an oracle takes time, it is called with the same question at every start of the run until it
        returns an answer. The first call presents the question to the annotator.

        Returns:
            The answer; None if there is no answer yet, which ends the run for now.

        Raises:
            UsageError: If the annotator's input is not valid; none of it is used.
        """

    def present(self, question: Question) -> None:  # noqa: B027 - most oracles show it when asked
        """Show a question to annotators as soon as it is known, while its round is tested and recorded.

        The run asks it afterwards, by :meth:`answer`. A run that ends or is killed in between may not
        ask it.
        """

    def corrections(self, pool: Pool) -> Answer | None:  # noqa: ARG002
        """Return what annotators have changed since the run recorded it, apart from a question.

        Called before every step of a run. A project records new classes and corrections, and the next
        fit uses them.

        Args:
            pool: The pool, as the run has recorded it.

        Returns:
            An answer of ``late_ids``, ``late_labels``, ``late_skipped``, ``emptied_ids`` and
            ``new_classes``; None if nothing has changed. Skips of images without a label are taken
            with the next answer.
        """
        return None

    def close(self) -> None:  # noqa: B027 - most oracles hold nothing
        """Release what the oracle holds, such as a server; called whenever a run ends or stops."""

    def on_classes(self, change: ClassChange) -> None:  # noqa: B027 - most oracles know no names
        """Called when the classes of a project have changed; later answers are of the new ones."""

    def instructions(self, question: Question) -> str:
        """Return what the annotator has to do, as a message."""
        return (
            f"{len(question.left_ids)} images need a label ({question.name}, "
            f"{type(self).__name__}). Run the same command again when they have one."
        )


class SimulatedOracle(Oracle):
    """Answers at once. Subclasses implement :meth:`annotate`.

    >>> import torch
    >>> from al_lightning import Question, SimulatedOracle
    >>> class Parity(SimulatedOracle):
    ...     def annotate(self, ids):
    ...         return ids % 2
    >>> Parity().answer(Question(1, "query", torch.tensor([30, 5]))).labels
    tensor([0, 1])
    """

    answers_at_once = True

    @abstractmethod
    def annotate(self, ids: Tensor) -> Tensor:
        """Return the classes, (M,) int64, of these dataset ids, (M,) int64, in their order."""

    def answer(self, question: Question) -> Answer:
        """Return the classes of all queried images."""
        return Answer(question.ids, self.annotate(question.ids))
