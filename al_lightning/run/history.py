"""What has happened in a run: its events, and what follows from them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor

from al_lightning.run.curve import rounds_of_curve
from al_lightning.run.pool import Pool
from al_lightning.run.question_parts import QuestionParts
from al_lightning.run.questions import IMPORTED, Origin, Question
from al_lightning.run.rules import problem
from al_lightning.run.state import Event, RunState
from al_lightning.utils.errors import UsageError
from al_lightning.utils.nested import leaves


class History:
    """The events of a run, each checked against those before it.

    Checking and remembering an event takes time by its own size, however long the history is.
    """

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._state = RunState()

    @property
    def events(self) -> Sequence[Event]:
        """All events, oldest first."""
        return tuple(self._events)

    @property
    def start(self) -> Event | None:
        """The start event; None before the run has begun."""
        return self._state.start

    @property
    def is_project(self) -> bool:
        """Whether labels and settings may change: the run is a person's project."""
        return self._state.is_project

    @property
    def config(self) -> Mapping[str, Any]:
        """The recorded configuration, with the settings that were changed since."""
        return self._state.config

    @property
    def classes(self) -> Sequence[str]:
        """The names of the classes, by label, with the changes since the start."""
        return tuple(self._state.classes)

    def classes_in(self, round_index: int) -> Sequence[str]:
        """Return the names of the classes in a round that is finished, by label."""
        return tuple(self._state.classes_of[round_index])

    def values_of(self, key: str) -> list[Any]:
        """Return the values that a key of the configuration has had, oldest first; None without it."""
        changes = [e["from"] for e in self._events if e["event"] == "setting" and e["key"] == key]
        return [*changes, dict(leaves(self.config)).get(key)]

    def config_in(self, round_index: int) -> Mapping[str, Any]:
        """Return the configuration of a round; of a round that is not finished, that of now."""
        of_rounds = self._state.config_of
        return of_rounds[round_index] if round_index < len(of_rounds) else self.config

    @property
    def aliases(self) -> Mapping[str, str]:
        """What classes are called now, by names that they had before."""
        return self._state.aliases

    @property
    def skip_marks(self) -> Sequence[str]:
        """What marks skipped images in sheets, or has marked them before."""
        return [str(mark) for mark in self.values_of("oracle.skip_mark") if mark is not None]

    @property
    def arrivals(self) -> Sequence[tuple[int, int, Mapping[str, Any]]]:
        """Of each time that images came: their number before and after, and the configuration then."""
        return tuple(self._state.arrivals)

    @property
    def test_images(self) -> int:
        """The number of test images."""
        return self._state.test

    @property
    def manifest_size(self) -> int | None:
        """How many bytes of a project's manifest of images count; None where it has none."""
        return self._state.manifest

    @property
    def manifest_sha256(self) -> str:
        """Digest of the bytes of a project's manifest of images that count."""
        return self._state.manifest_sha256

    def given_labels(self, now: int) -> int:
        """Return how many labels came with the images, where others came without, at the start.

        Files of a project may get labels later, such as by moving them into the folder of a class: that
        makes no first labels of them.

        Args:
            now: How many come with the images of today: holds before the start, and of other data sets.
        """
        return int((self.start or {}).get("data", {}).get("given", now))

    @property
    def to_review(self) -> frozenset[int]:
        """Labeled images whose content has changed since they were labeled or confirmed."""
        return frozenset(self._state.to_review)

    @property
    def causes(self) -> Sequence[str]:
        """What has made the current round due, other than labels of its own; empty if nothing."""
        return tuple(self._state.causes)

    @property
    def rounds(self) -> list[Event]:
        """The events of finished rounds, oldest first."""
        return list(self._state.rounds)

    @property
    def finished(self) -> bool:
        """Whether the run has ended."""
        return self._state.ended

    @property
    def pool(self) -> Pool:
        """The pool as it is now."""
        return self._state.pool

    @property
    def current_round(self) -> int | None:
        """The last round with labels or changes of its own; None before the first label."""
        return self._state.due

    @property
    def open_question(self) -> Question | None:
        """The question that an annotator has not answered yet; None if there is none."""
        if self._state.asked is None:
            return None
        asked: list[Question] = []
        attempts: Counter[tuple[Any, Any]] = Counter()
        for event in self._events:
            place = event.get("round"), event.get("origin")
            if event["event"] == "labels":
                attempts[place] += 1
            elif event["event"] == "question":
                asked.append(_question(event, attempts[place]))
        *earlier, question = asked
        now = _question(self._state.asked, question.attempt)  # in the classes of today
        known, gone = self._state.label_of, self._state.absent
        settled = [i for i in now.ids.tolist() if i in known or i in gone]
        return replace(now, earlier=tuple(earlier), settled_ids=torch.tensor(settled).long())

    def curve(self, metric: str = "accuracy") -> tuple[list[int], list[float]]:
        """Return a learning curve: the number of labels, and a metric on the test images, per round.

        Args:
            metric: A name among the ``metrics`` of a round, such as "accuracy" or "macro_f1".

        Raises:
            UsageError: If the rounds have no such metric; names those that there are.
        """
        rounds = self._state.rounds
        known = {name for event in rounds for name in event["metrics"]}
        if rounds and metric not in known:
            raise UsageError(
                f"The rounds have no metric {metric!r}, but {', '.join(sorted(known)) or 'none'}"
            )
        points = [event for event in rounds_of_curve(rounds) if metric in event["metrics"]]
        return (
            [event["labels_bought"] for event in points],
            [event["metrics"][metric] for event in points],
        )

    def answers(self, round_index: int, origin: Origin) -> int:
        """Return how many answers were recorded for one purpose of a round."""
        return sum(event["round"] == round_index for event in self.labels(origin))

    def pool_in(self, round_index: int) -> Pool:
        """Return the pool that a round trains on: all labels and corrections before its round event.

        Images that were skipped at any time are missing from it: they cannot be queried.
        """
        return self._state.pool_in(round_index)

    def labels(self, origin: Origin) -> list[Event]:
        """Return the labels events of one origin, oldest first, in the classes of today."""
        return [event for event in self._state.answers if event["origin"] == origin]

    @property
    def uniform_ids(self) -> Tensor:
        """Labeled images of those parts of queries that sample the pool uniformly, (M,) int64.

        Each part was drawn from the pool as it was then, before the other parts of its query.
        """
        found = [
            i
            for event in self._state.answers
            for i, name in zip(event["ids"], event.get("parts", ()), strict=False)
            if name in event.get("uniform", ())
        ]
        return torch.tensor(found, dtype=torch.int64)

    @property
    def label_of(self) -> Mapping[int, int]:
        """The class of each labeled image, corrections included."""
        return self._state.label_of

    @property
    def answered(self) -> Mapping[int, int]:
        """The class that the last answer gave each labeled image, whoever has corrected it since."""
        return self._state.answered

    def labeled_elsewhere(self) -> set[int]:
        """Return the images whose labels were imported, or came by another oracle than that of now."""
        key = "oracle._target_"
        now = oracle = dict(leaves(self.config)).get(key)
        found: set[int] = set()
        for event in reversed(self._events):
            if event["event"] == "setting" and event["key"] == key:
                oracle = event["from"]
            elif event["event"] == "labels" and (oracle != now or event["origin"] == IMPORTED):
                found.update(event["ids"])
        return found

    def corrections(self) -> list[Event]:
        """Return the correction events, oldest first."""
        return [event for event in self._events if event["event"] == "correction"]

    def _remember(self, event: Event) -> None:
        self._events.append(event)
        self._state.take(event)

    def problem_with(self, event: Any) -> str | None:
        """Return the reason why an event cannot come next; None if it can."""
        return problem(self._state, event)


def _question(event: Event, attempt: int) -> Question:
    """Return what a question event asks."""
    return Question(
        event["round"],
        event["origin"],
        torch.tensor(event["ids"], dtype=torch.int64),
        attempt,
        _tensor(event["scores"], torch.float32),
        _tensor(event["predicted"], torch.int64),
        _tensor(event["confidence"], torch.float32),
        parts=QuestionParts.of(event),
    )


def _tensor(values: Sequence[Any] | None, dtype: torch.dtype) -> Tensor | None:
    return None if values is None else torch.tensor(values, dtype=dtype)
