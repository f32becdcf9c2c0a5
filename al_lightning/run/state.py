"""The state of a run after its events so far, updated event by event."""

from collections.abc import Callable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor

from al_lightning.run.keys import CHANGES_WEIGHTS, is_below
from al_lightning.run.pool import Pool

Event = dict[str, Any]


@dataclass
class RunState:
    """What the events of a run add up to. Taking an event costs time by its own size.

    Attributes:
        start: The start event; None before the run has begun.
        rounds: The round events, oldest first.
        answers: The labels events, oldest first.
        label_of: The class of each labeled image, corrections included.
        skipped: Images that an annotator could not label.
        asked: The event of the open question; None if there is none.
        ended: Whether the last event that counts is the end event.
        due: The number of the last round that has labels, corrections or a setting of its own to train
            on; None before the first label.
        config: The recorded configuration, with the settings that were changed since.
    """

    start: Event | None = None
    rounds: list[Event] = field(default_factory=list)
    answers: list[Event] = field(default_factory=list)
    label_of: dict[int, int] = field(default_factory=dict)
    skipped: set[int] = field(default_factory=set)
    asked: Event | None = None
    ended: bool = False
    due: int | None = None
    config: dict[str, Any] = field(default_factory=dict)
    _changes: list[Event] = field(default_factory=list)  # labels and corrections, in their order
    _before: list[int] = field(
        default_factory=list
    )  # how many of them came before each round event
    _pool: Pool | None = None  # as it is now; None if it was not asked for since

    @property
    def size(self) -> int:
        """The number of training images."""
        return int(self.start["data"]["train"]) if self.start else 0

    @property
    def is_project(self) -> bool:
        """Whether labels and settings may change: the run is a person's project."""
        return bool(self.start and self.start.get("project"))

    @property
    def pool(self) -> Pool:
        """The pool as it is now."""
        if self._pool is None:
            self._pool = _pool_after(self.size, self._changes)
        return self._pool

    def pool_in(self, index: int) -> Pool:
        """Return the pool that a round trains on; what was skipped at any time is missing from it."""
        if index >= len(self.rounds):
            return self.pool
        known = self._changes[: self._before[index]]
        return replace(_pool_after(self.size, known), skipped_ids=self.pool.skipped_ids)

    def take(self, event: Event) -> None:
        """Take an event that was checked."""
        handlers: dict[str, Callable[[Event], None]] = {
            "start": self._take_start,
            "question": self._take_question,
            "labels": self._take_labels,
            "round": self._take_round,
            "correction": self._take_correction,
            "setting": self._take_setting,
            "end": lambda _event: None,
        }
        handlers[event["event"]](event)
        self.ended = event["event"] == "end"
        self._pool = None

    def _take_start(self, event: Event) -> None:
        self.start = event
        recorded = event["config"]  # what a report or a run needs of it is checked there
        self.config = deepcopy(recorded) if isinstance(recorded, dict) else {}

    def _take_question(self, event: Event) -> None:
        self.asked = event

    def _take_labels(self, event: Event) -> None:
        self.asked = None
        self.answers.append(event)
        self._changes.append(event)
        self.label_of.update(zip(event["ids"], event["labels"], strict=True))
        self.skipped.update(event.get("skipped", ()))
        if event["ids"]:
            self.due = event["round"]

    def _take_round(self, event: Event) -> None:
        self.rounds.append(event)
        self._before.append(len(self._changes))

    def _take_correction(self, event: Event) -> None:
        self._changes.append(event)
        self.label_of.update(zip(event["ids"], event["to"], strict=True))
        self._require_fit()

    def _take_setting(self, event: Event) -> None:
        *folders, name = event["key"].split(".")
        place = self.config
        for folder in folders:
            if not isinstance(place.get(folder), dict):
                place[folder] = {}
            place = place[folder]
        place[name] = event["to"]
        if is_below(event["key"], CHANGES_WEIGHTS):
            self._require_fit()

    def _require_fit(self) -> None:
        """Let the next round be due, also without labels of its own."""
        if self.due is not None:
            self.due = max(self.due, len(self.rounds))


def _pool_after(size: int, changes: Sequence[Mapping[str, Any]]) -> Pool:
    """Return the pool after some labels and corrections, which were checked."""
    answers = [event for event in changes if event["event"] == "labels"]

    def values(key: str, *, validation: bool) -> Tensor:
        some = [e[key] for e in answers if (e["origin"] == "validation") == validation]
        return torch.tensor([value for part in some for value in part], dtype=torch.int64)

    skipped = [value for event in answers for value in event.get("skipped", ())]
    still_open = answers[-1].get("open", ()) if answers else ()
    pool = Pool(
        size,
        labeled_ids=values("ids", validation=False),
        labels=values("labels", validation=False),
        validation_ids=values("ids", validation=True),
        validation_labels=values("labels", validation=True),
        skipped_ids=torch.tensor(skipped, dtype=torch.int64),
        open_ids=torch.tensor(still_open, dtype=torch.int64),
    )
    corrected: dict[int, int] = {}
    for event in changes:
        if event["event"] == "correction":
            corrected |= dict(zip(event["ids"], event["to"], strict=True))
    return pool.correct(corrected) if corrected else pool
