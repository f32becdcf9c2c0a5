"""What has happened in a run: its events, and the rules by which one may follow another."""

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import torch
from torch import Tensor

from al_lightning.run.pool import Pool
from al_lightning.run.questions import Origin, Question
from al_lightning.utils.errors import UsageError

SCHEMA = 1
Event = dict[str, Any]
Reason = Literal["budget", "pool_empty", "stopped"]

_KEYS: dict[str, tuple[str, ...]] = {
    "start": ("schema", "config", "config_hash", "versions", "hardware", "classes", "data"),
    "question": ("round", "origin", "ids", "scores", "predicted", "confidence"),
    "labels": ("round", "ids", "labels", "origin"),
    "round": ("round", "labels_bought", "metrics", "per_class", "seconds", "steps"),
    "end": ("reason",),
}
_ORIGINS = ("initial", "query", "validation")
_REASONS = ("budget", "pool_empty", "stopped")


class History:
    """The events of a run, each checked against those before it.

    Checking and remembering an event takes time by its own size, however long the history is.
    """

    def __init__(self) -> None:
        self._events: list[Event] = []
        self._rounds: list[Event] = []
        self._bought: list[Event] = []  # labels events
        self._labeled: set[int] = set()
        self._skipped: set[int] = set()
        self._current_round: int | None = None
        self._pool: Pool | None = None  # as it is now; None if it was not read since

    @property
    def events(self) -> Sequence[Event]:
        """All events, oldest first."""
        return tuple(self._events)

    @property
    def start(self) -> Event | None:
        """The start event; None before the run has begun."""
        return self._events[0] if self._events else None

    @property
    def rounds(self) -> list[Event]:
        """The events of finished rounds, oldest first."""
        return list(self._rounds)

    @property
    def finished(self) -> bool:
        """Whether the run has ended."""
        return bool(self._events) and self._events[-1]["event"] == "end"

    @property
    def pool(self) -> Pool:
        """The pool as it is now."""
        if self._pool is None:
            self._pool = _pool_after(self._pool_size, self._bought)
        return self._pool

    @property
    def current_round(self) -> int | None:
        """The last round that labels were bought for; None where there are none yet."""
        return self._current_round

    @property
    def open_question(self) -> Question | None:
        """The question that an annotator has not answered yet; None where there is none."""
        if not self._events or self._events[-1]["event"] != "question":
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
        return replace(question, earlier=tuple(earlier))

    def curve(self, metric: str = "accuracy") -> tuple[list[int], list[float]]:
        """Return a learning curve: the labels bought, and a metric on the test images, round by round.

        Args:
            metric: A name among the ``metrics`` of a round, such as "accuracy" or "macro_f1".

        Raises:
            UsageError: If the rounds have no such metric; names those that there are.
        """
        known = {name for event in self._rounds for name in event["metrics"]}
        if self._rounds and metric not in known:
            raise UsageError(
                f"The rounds have no metric {metric!r}, but {', '.join(sorted(known)) or 'none'}"
            )
        points = [event for event in self._rounds if metric in event["metrics"]]
        return (
            [event["labels_bought"] for event in points],
            [event["metrics"][metric] for event in points],
        )

    def answers(self, round_index: int, origin: Origin) -> int:
        """Return how many answers were written down for one purpose of a round."""
        return sum(event["round"] == round_index for event in self.labels(origin))

    def pool_in(self, round_index: int) -> Pool:
        """Return the pool with the labels of a round and of those before it.

        Skipped images are always missing, because they cannot be queried.
        """
        known = [event for event in self._bought if event["round"] <= round_index]
        return replace(_pool_after(self._pool_size, known), skipped_ids=self.pool.skipped_ids)

    def labels(self, origin: Origin) -> list[Event]:
        """Return the labels events of one origin, oldest first."""
        return [event for event in self._bought if event["origin"] == origin]

    @property
    def _pool_size(self) -> int:
        """The number of training images."""
        return int(self._events[0]["data"]["train"]) if self._events else 0

    def _remember(self, event: Event) -> None:
        self._events.append(event)
        if event["event"] == "round":
            self._rounds.append(event)
        elif event["event"] == "labels":
            self._bought.append(event)
            self._labeled.update(event["ids"])
            self._skipped.update(event.get("skipped", ()))
            if event["ids"]:
                self._current_round = event["round"]
        self._pool = None

    # The rules

    def _problem(self, event: Any) -> str | None:
        """Say why an event cannot come next; None if it can."""
        try:
            return self._contradiction(event)
        except (
            KeyError,
            TypeError,
            AttributeError,
            ValueError,
            RuntimeError,
            OverflowError,
        ) as error:
            return f"a value is not what it must be ({type(error).__name__}: {error})"

    def _contradiction(self, event: Any) -> str | None:
        if not isinstance(event, dict) or event.get("event") not in _KEYS:
            return f"not an event of {', '.join(_KEYS)}"
        kind = event["event"]
        if missing := [key for key in _KEYS[kind] if key not in event]:
            return f"the {kind} event lacks {', '.join(missing)}"
        if self.finished:
            return "something follows the end event"
        if self._events and self._events[-1]["event"] == "question" and kind != "labels":
            return "a question must be answered before anything else happens"
        if (kind == "start") != (not self._events):
            return "the start event must come first, and only there"
        checks = {
            "start": self._start_problem,
            "question": self._question_problem,
            "labels": self._labels_problem,
            "round": self._round_problem,
            "end": self._end_problem,
        }
        return checks[kind](event)

    def _start_problem(self, event: Event) -> str | None:
        if event["schema"] != SCHEMA:
            return f"schema {event['schema']!r}, but this version of al_lightning reads {SCHEMA}"
        if not _is_index(event["data"]["train"], 2**62) or not isinstance(event["classes"], list):
            return "data.train must be a number of images, and classes a list"
        return None

    def _end_problem(self, event: Event) -> str | None:
        if not self._rounds or self._current_round != self._rounds[-1]["round"]:
            return "the end must follow a round: the last labels were not trained on"
        return None if event["reason"] in _REASONS else f"unknown reason {event['reason']!r}"

    def _question_problem(self, event: Event) -> str | None:
        count = len(event["ids"])
        for name in ("scores", "predicted", "confidence"):
            if event[name] is not None and len(event[name]) != count:
                return f"{count} ids, but {len(event[name])} {name}"
        for name in ("scores", "confidence"):
            if any(type(value) is not float for value in event[name] or ()):
                return f"{name} must be numbers"
        return (
            self._place_problem(event)
            or self._classes_problem(event["predicted"] or ())
            or self._ids_problem(event["ids"])
        )

    def _labels_problem(self, event: Event) -> str | None:
        if problem := self._place_problem(event):
            return problem
        ids, labels, skipped = event["ids"], event["labels"], event.get("skipped", [])
        asked = self._events[-1] if self._events[-1]["event"] == "question" else event
        if (asked["round"], asked["origin"]) != (event["round"], event["origin"]):
            return "these labels are not the answer to the question before them"
        if not ids and not skipped:
            return "no label"
        if len(ids) != len(labels):
            return f"ids and labels must pair up, not {len(ids)} and {len(labels)}"
        return self._classes_problem(labels) or self._ids_problem([*ids, *skipped])

    def _place_problem(self, event: Event) -> str | None:
        """Say why a question or labels cannot stand here."""
        if event["origin"] not in _ORIGINS:
            return f"unknown origin {event['origin']!r}"
        expected = len(self._rounds)
        if event["round"] != expected:
            return f"labels of round {event['round']!r}, where round {expected} is next"
        if (event["origin"] == "query") != (expected > 0):
            return f"labels of origin {event['origin']!r} in round {expected}"
        return None

    def _classes_problem(self, labels: Collection[Any]) -> str | None:
        classes = len(self._events[0]["classes"])
        if any(not _is_index(label, classes) for label in labels):
            return f"a label is not a whole number from 0 to {classes - 1}"
        return None

    def _ids_problem(self, ids: Sequence[Any]) -> str | None:
        """Say why images cannot be queried, labeled or skipped."""
        if any(not _is_index(i, self._pool_size) for i in ids):
            return "an id is not one of the training set"
        wrong = {
            "Given more than once": sorted(i for i, times in Counter(ids).items() if times > 1),
            "Already labeled": [i for i in ids if i in self._labeled],
            "Skipped before": [i for i in ids if i in self._skipped],
        }
        return next((f"{what}: ids {found}" for what, found in wrong.items() if found), None)

    def _round_problem(self, event: Event) -> str | None:
        expected = len(self._rounds)
        if event["round"] != expected:
            return f"round {event['round']!r}, where round {expected} is next"
        if self._current_round != expected:
            return f"round {expected} has no labels of its own"
        if event["labels_bought"] != len(self._labeled):
            return (
                f"labels_bought is {event['labels_bought']!r}, but {len(self._labeled)} were "
                "written down"
            )
        return None


def _is_index(value: Any, count: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < count


def _pool_after(size: int, bought: Sequence[Mapping[str, Any]]) -> Pool:
    """Return the pool after some labels events, which were checked."""

    def values(key: str, *, validation: bool) -> Tensor:
        some = [e[key] for e in bought if (e["origin"] == "validation") == validation]
        return torch.tensor([value for part in some for value in part], dtype=torch.int64)

    skipped = [value for event in bought for value in event.get("skipped", ())]
    return Pool(
        size,
        labeled_ids=values("ids", validation=False),
        labels=values("labels", validation=False),
        validation_ids=values("ids", validation=True),
        validation_labels=values("labels", validation=True),
        skipped_ids=torch.tensor(skipped, dtype=torch.int64),
    )


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
    )


def _tensor(values: Sequence[Any] | None, dtype: torch.dtype) -> Tensor | None:
    return None if values is None else torch.tensor(values, dtype=dtype)
