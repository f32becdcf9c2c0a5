"""The append-only record of a run, and its replay.

The journal is what a run has: everything else in its folder follows from it. One JSON object a line,
appended and forced to the disk, never rewritten. A line means that all that came before it is done, and
holds a digest of itself and of all lines before it, so that no line can change, move or go unnoticed.
"""

import hashlib
import json
import os
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import torch
from torch import Tensor

from al_lightning.errors import JournalError
from al_lightning.files import sync_folder
from al_lightning.oracle import Origin, Question
from al_lightning.pool import Pool

SCHEMA = 1
Event = dict[str, Any]
Reason = Literal["budget", "pool_empty"]

_KEYS: dict[str, tuple[str, ...]] = {
    "start": ("schema", "config", "config_hash", "versions", "hardware", "classes", "data"),
    "question": ("round", "origin", "ids", "scores", "predicted", "confidence"),
    "labels": ("round", "ids", "labels", "origin"),
    "round": ("round", "labels_bought", "metrics", "per_class", "seconds", "steps"),
    "end": ("reason",),
}
_ORIGINS = ("initial", "query", "validation")
_REASONS = ("budget", "pool_empty")


class Journal:
    """A run's record, kept in one file.

    Opening a journal replays what the file holds. A last line that was torn by a crash is dropped;
    any other damage is refused.

    Args:
        path: The file; it and its folder are made at the first event.

    Raises:
        JournalError: If the file is damaged; names file, line and what is wrong.
    """

    def __init__(self, path: Path | str) -> None:
        self.path = Path(path)
        self._events: list[Event] = []
        self._pool = Pool(0)
        self._digest = ""  # of all lines
        self._size = 0  # bytes of intact lines; what follows them is a torn line
        self._length = 0  # bytes of the file as this journal left or found it
        if self.path.exists():
            self._replay(self.path.read_bytes())

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
        return [event for event in self._events if event["event"] == "round"]

    @property
    def finished(self) -> bool:
        """Whether the run has ended."""
        return bool(self._events) and self._events[-1]["event"] == "end"

    @property
    def pool(self) -> Pool:
        """The pool as it is now."""
        return self._pool

    @property
    def current_round(self) -> int | None:
        """The last round that labels were bought for; None where there are none yet."""
        bought = [e["round"] for e in self._events if e["event"] == "labels" and e["ids"]]
        return bought[-1] if bought else None

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

    def answers(self, round_index: int, origin: Origin) -> int:
        """Return how many answers were written down for one purpose of a round."""
        return sum(event["round"] == round_index for event in self.labels(origin))

    def pool_in(self, round_index: int) -> Pool:
        """Return the pool with the labels of a round and of those before it.

        What was skipped is missing whenever that was: it cannot be asked for.
        """
        pool = Pool(self._pool.size)
        for event in self._events:
            if event["event"] == "labels" and event["round"] <= round_index:
                pool = _reveal(pool, event)
        return replace(pool, skipped_ids=self._pool.skipped_ids)

    def labels(self, origin: Origin) -> list[Event]:
        """Return the labels events of one origin, oldest first."""
        return [e for e in self._events if e["event"] == "labels" and e["origin"] == origin]

    def begin(self, start: Mapping[str, Any]) -> None:
        """Write the start event.

        Args:
            start: ``config``, ``config_hash``, ``versions``, ``hardware``, ``classes``, and ``data``
                with at least ``train``, the number of training images.
        """
        self._append({"event": "start", "schema": SCHEMA, **start})

    def record_question(self, question: Question) -> None:
        """Write down what an annotator is asked, where the answer takes time."""
        optional = {
            name: None if values is None else values.tolist()
            for name, values in (
                ("scores", question.scores),
                ("predicted", question.predicted),
                ("confidence", question.confidence),
            )
        }
        asked = {"round": question.round, "origin": question.origin, "ids": question.ids.tolist()}
        self._append({"event": "question", **asked, **optional})

    def record_labels(
        self,
        round_index: int,
        ids: Tensor,
        labels: Tensor,
        origin: Origin,
        skipped: Tensor | None = None,
    ) -> None:
        """Write down labels that were bought.

        Args:
            round_index: The first round that has them.
            ids: (M,) int64.
            labels: (M,) int64.
            origin: What they were bought as.
            skipped: Images that an annotator could not label, (S,) int64.
        """
        event: Event = {"ids": ids.tolist(), "labels": labels.tolist(), "origin": origin}
        if skipped is not None and len(skipped):
            event["skipped"] = skipped.tolist()
        self._append({"event": "labels", "round": round_index, **event})

    def record_round(self, result: Mapping[str, Any]) -> None:
        """Write down a round that is fitted, tested and scored."""
        self._append({"event": "round", **result})

    def end(self, reason: Reason) -> None:
        """Write down that the run is over."""
        self._append({"event": "end", "reason": reason})

    def _append(self, event: Event) -> None:
        # Checked as a replay would: what is written can be read again. JSON turns tuples into lists.
        event = json.loads(json.dumps(event, allow_nan=False))
        digest = _digest(self._digest, event)
        line = json.dumps({**event, "digest": digest}).encode() + b"\n"
        if problem := self._problem(event):
            raise JournalError(
                f"This cannot be written down: {problem}. Nothing was written; {self.path} is intact"
            )
        new = not self.path.exists()
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.open("r+b" if not new else "xb") as file:
            if file.seek(0, os.SEEK_END) != self._length:
                raise JournalError(
                    f"{self.path} was changed by somebody else, probably by another process that runs "
                    "in the same folder. Let only one of them run; nothing was written"
                )
            file.truncate(self._size)
            file.seek(self._size)
            file.write(line)
            file.flush()
            os.fsync(file.fileno())
        if new:
            sync_folder(self.path.parent)
        self._size += len(line)
        self._length = self._size
        self._digest = digest
        self._remember(event)

    def _replay(self, content: bytes) -> None:
        *lines, _torn = content.split(b"\n")  # what has no line end was torn, and never counted
        for number, line in enumerate(lines, start=1):
            try:
                event = json.loads(line, parse_constant=_refuse_constant)
            except (ValueError, RecursionError) as error:
                raise self._damage(number, f"not JSON: {error}") from error
            digest = event.pop("digest", None) if isinstance(event, dict) else None
            if problem := self._problem(event):
                raise self._damage(number, problem)
            if digest != _digest(self._digest, event):
                raise self._damage(
                    number, "not as it was written, or not where: its digest differs"
                )
            self._digest = digest
            self._remember(event)
            self._size += len(line) + 1
        self._length = len(content)

    def _remember(self, event: Event) -> None:
        self._events.append(event)
        if event["event"] == "start":
            self._pool = Pool(event["data"]["train"])
        elif event["event"] == "labels":
            self._pool = _reveal(self._pool, event)

    def _damage(self, line_number: int, problem: str) -> JournalError:
        return JournalError(
            f"{self.path}, line {line_number}: {problem}. The journal was damaged or edited; restore "
            "it from a copy, or start anew with overwrite=true"
        )

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
        if not self.rounds or self.current_round != self.rounds[-1]["round"]:
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
        skipped = event.get("skipped", [])
        asked = self._events[-1] if self._events[-1]["event"] == "question" else event
        if (asked["round"], asked["origin"]) != (event["round"], event["origin"]):
            return "these labels are not the answer to the question before them"
        if not event["ids"] and not skipped:
            return "no label"
        return self._classes_problem(event["labels"]) or self._ids_problem(
            [*event["ids"], *skipped], event
        )

    def _place_problem(self, event: Event) -> str | None:
        """Say why a question or labels cannot stand here."""
        if event["origin"] not in _ORIGINS:
            return f"unknown origin {event['origin']!r}"
        expected = len(self.rounds)
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

    def _ids_problem(self, ids: Sequence[Any], labels: Event | None = None) -> str | None:
        """Say why images cannot be asked for or, given the event, cannot be labeled."""
        if any(not _is_index(i, self._events[0]["data"]["train"]) for i in ids):
            return "an id is not one of the training set"
        try:
            if labels is None:
                self._pool.skip(torch.tensor(ids, dtype=torch.int64))  # free, and each once
            else:
                _reveal(self._pool, labels)
        except ValueError as error:
            return str(error)
        return None

    def _round_problem(self, event: Event) -> str | None:
        expected = len(self.rounds)
        if event["round"] != expected:
            return f"round {event['round']!r}, where round {expected} is next"
        if self.current_round != expected:
            return f"round {expected} has no labels of its own"
        bought = self._pool.labels_bought
        if event["labels_bought"] != bought:
            return f"labels_bought is {event['labels_bought']!r}, but {bought} were written down"
        return None


def _digest(before: str, event: Event) -> str:
    """Return a digest of an event and, by their own digest, of all events before it."""
    text = before + json.dumps(event)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


def _is_index(value: Any, count: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value < count


def _reveal(pool: Pool, event: Event) -> Pool:
    """Return the pool after a labels event."""
    pool = pool.reveal(
        torch.tensor(event["ids"], dtype=torch.int64),
        torch.tensor(event["labels"], dtype=torch.int64),
        validation=event["origin"] == "validation",
    )
    return pool.skip(torch.tensor(event.get("skipped", []), dtype=torch.int64))


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
