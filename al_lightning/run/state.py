"""The state of a run after its events so far, updated event by event."""

from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any

from al_lightning.run.class_change import ClassChange
from al_lightning.run.keys import CHANGES_WEIGHTS, is_below
from al_lightning.run.label_log import LabelLog
from al_lightning.run.pool import Pool
from al_lightning.run.questions import IMPORTED

Event = dict[str, Any]


@dataclass
class RunState:
    """What the events of a run add up to. Taking an event costs time by its own size.

    Attributes:
        start: The start event; None before the run has begun.
        rounds: The round events, oldest first.
        answers: The labels events, oldest first, in the classes of today.
        classes_of: The names of the classes in each round, by label.
        config_of: The configuration in each round.
        label_of: The class of each labeled image, corrections included.
        answered: The class that the last answer gave each labeled image: an annotator who says so once
            more corrects nothing, whoever has corrected it since.
        skipped: Images that an annotator could not label.
        asked: The event of the open question; None if there is none.
        ended: Whether the last event that counts is the end event.
        due: The number of the last round that has labels, or changes of a project, to train on; None
            before the first label.
        causes: What has made that round due, if labels of its own have not: the kinds of events.
        config: The recorded configuration, with the settings that were changed since.
        classes: The names of the classes, by label, with their changes since.
        aliases: What classes are called now, by names that they had before.
        size: The number of training images.
        arrivals: Of each time that some came: the number before and after, and the configuration then.
        test: The number of test images.
        absent: Images whose files have gone.
        to_review: Labeled images whose content has changed since they were labeled, or were confirmed.
        manifest: How many bytes of the manifest of images count; None where there is none.
        manifest_sha256: Of these bytes.
    """

    start: Event | None = None
    rounds: list[Event] = field(default_factory=list)
    answers: list[Event] = field(default_factory=list)
    classes_of: list[list[str]] = field(default_factory=list)
    config_of: list[dict[str, Any]] = field(default_factory=list)
    label_of: dict[int, int] = field(default_factory=dict)
    answered: dict[int, int] = field(default_factory=dict)
    skipped: set[int] = field(default_factory=set)
    asked: Event | None = None
    ended: bool = False
    due: int | None = None
    causes: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    classes: list[str] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    size: int = 0
    arrivals: list[tuple[int, int, dict[str, Any]]] = field(default_factory=list)
    test: int = 0
    absent: set[int] = field(default_factory=set)
    to_review: set[int] = field(default_factory=set)
    manifest: int | None = None
    manifest_sha256: str = ""
    _log: LabelLog = field(default_factory=LabelLog)
    _before: list[int] = field(default_factory=list)  # its entries before each round event
    _pool: Pool | None = None  # as it is now; None if it was not asked for since

    @property
    def is_project(self) -> bool:
        """Whether labels and settings may change: the run is a person's project."""
        return bool(self.start and self.start.get("project"))

    @property
    def pool(self) -> Pool:
        """The pool as it is now."""
        if self._pool is None:
            self._pool = self._log.pool(self.size)
        return self._pool

    def pool_in(self, index: int) -> Pool:
        """Return the pool that a round trains on; what was skipped at any time is missing from it."""
        if index >= len(self.rounds):
            return self.pool
        then = self._log.pool(self.size, self._before[index])
        return replace(then, skipped_ids=self.pool.skipped_ids)

    def take(self, event: Event) -> None:
        """Take an event that was checked."""
        handlers: dict[str, Callable[[Event], None]] = {
            "start": self._take_start,
            "question": self._take_question,
            "labels": self._take_labels,
            "round": self._take_round,
            "correction": self._take_correction,
            "setting": self._take_setting,
            "classes": self._take_classes,
            "images": self._take_images,
            "end": lambda _event: None,
        }
        handlers[event["event"]](event)
        self.ended = event["event"] == "end"
        self._pool = None

    def _take_start(self, event: Event) -> None:
        self.start = event
        recorded = event["config"]  # what a report or a run needs of it is checked there
        self.config = deepcopy(recorded) if isinstance(recorded, dict) else {}
        self.classes = [str(name) for name in event["classes"]]
        data = event["data"]
        self.size, self.test = data["train"], data.get("test", 0)
        self.manifest = data.get("manifest")
        self.manifest_sha256 = data.get("manifest_sha256", "")

    def _take_question(self, event: Event) -> None:
        self.asked = event

    def _take_labels(self, event: Event) -> None:
        self.answers.append(event)
        labels = dict(zip(event["ids"], event["labels"], strict=True))
        skipped = event.get("skipped", ())
        kept = None if event["origin"] == IMPORTED else event.get("open", ())
        self._log.add(labels, origin=event["origin"], skipped=skipped, still_open=kept)
        self.label_of |= labels
        self.answered |= labels
        self.skipped.update(skipped)
        self.skipped.difference_update(labels)
        asked = self.asked["ids"] if self.asked else ()
        if event["origin"] != IMPORTED or all(i in self.label_of for i in asked):
            self.asked = None
        if labels:
            self.due = event["round"]

    def _take_round(self, event: Event) -> None:
        self.rounds.append(event)
        self.classes_of.append(self.classes)
        self.config_of.append(self.config)
        self._before.append(len(self._log))
        self.causes = []

    def _take_correction(self, event: Event) -> None:
        labels = dict(zip(event["ids"], event["to"], strict=True))
        self._log.add(labels)
        self.label_of |= labels
        self.answered |= labels if event.get("answered") else {}
        self.to_review -= labels.keys()
        if event["from"] != event["to"]:
            self._require_fit("corrections")

    def _take_setting(self, event: Event) -> None:
        *folders, name = event["key"].split(".")
        place = self.config = deepcopy(self.config)  # earlier rounds keep theirs
        for folder in folders:
            if not isinstance(place.get(folder), dict):
                place[folder] = {}
            place = place[folder]
        place[name] = event["to"]
        if is_below(event["key"], CHANGES_WEIGHTS):
            self._require_fit("settings")

    def _take_classes(self, event: Event) -> None:
        change = ClassChange.of(event)
        before, self.classes = self.classes, change.after(self.classes)
        self.aliases = change.aliases(before, self.aliases)
        labels = change.new_labels(before)
        self._log.merge(labels)
        self.label_of = {i: labels[label] for i, label in self.label_of.items()}
        self.answered = {i: labels[label] for i, label in self.answered.items()}
        self.answers = [{**e, "labels": [labels[i] for i in e["labels"]]} for e in self.answers]
        if self.asked is not None and self.asked["predicted"] is not None:
            predicted = [labels[label] for label in self.asked["predicted"]]
            self.asked = {**self.asked, "predicted": predicted}
        self._require_fit("classes")

    def _take_images(self, event: Event) -> None:
        if event["size"] > self.size:
            self.arrivals.append((self.size, event["size"], self.config))
        self.size = event["size"]
        self.test, self.manifest = event["test"], event["manifest"]
        self.manifest_sha256 = event["manifest_sha256"]
        self._log.set_aside(event["gone"], event["back"])
        self.absent = self.absent.union(event["gone"]).difference(event["back"])
        self.to_review |= self.label_of.keys() & set(event["changed"])
        if self.label_of.keys() & {*event["gone"], *event["back"], *event["changed"]}:
            self._require_fit("images")

    def _require_fit(self, cause: str) -> None:
        """Let the next round be due, also without labels of its own."""
        if self.due is not None:
            self.due = max(self.due, len(self.rounds))
            self.causes += [] if cause in self.causes else [cause]
