"""The append-only record of a run, and its replay.

Everything else in a run's folder follows from the journal. It has one JSON object per line, appended
and synced to disk, never rewritten. A line implies that all earlier work is done. It holds a digest of
itself and of all lines before it, so that a changed, moved or missing line is detected.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import Tensor

from al_lightning.run.class_change import ClassChange
from al_lightning.run.history import History
from al_lightning.run.image_change import ImageChange
from al_lightning.run.question_parts import QuestionParts
from al_lightning.run.questions import Origin, Question
from al_lightning.run.rules import SCHEMA, Reason
from al_lightning.run.state import Event
from al_lightning.utils.append_file import AppendOnlyFile
from al_lightning.utils.clock import utc_now
from al_lightning.utils.errors import DamagedJournalError, JournalError
from al_lightning.utils.files import require_file
from al_lightning.utils.nested import leaves
from al_lightning.utils.ranks import from_rank_zero

_LARGEST = 2**29  # bytes; 10,000 rounds of 100 labels take some 50 MB


class Journal(History):
    """A run's history, stored in one file.

    Opening a journal replays the file. An incomplete last line after a crash is dropped; any other
    damage is refused.

    Args:
        path: The file; it and its folder are created at the first event.

    Raises:
        JournalError: If the file is damaged, or is no journal; names file, line and error.

    Example:
        >>> from tempfile import TemporaryDirectory
        >>> from al_lightning import Journal
        >>> with TemporaryDirectory() as folder:
        ...     journal = Journal(f"{folder}/journal.jsonl")
        ...     journal.rounds, journal.finished  # of a run that has not begun
        ([], False)
    """

    def __init__(self, path: Path | str) -> None:
        super().__init__()
        self.path = Path(path)
        self._file = AppendOnlyFile(self.path, error=JournalError)
        self._digest = ""  # of all lines
        self._replay(from_rank_zero(self._read))

    def __repr__(self) -> str:
        """Return where it is, and how far its run has come."""
        state = "finished" if self.finished else "not finished" if self.start else "not begun"
        labels = self.pool.labels_bought
        return f"Journal({str(self.path)!r}: {len(self.rounds)} rounds, {labels} labels, {state})"

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
        self._append({"event": "question", **asked, **optional, **question.parts.as_event()})

    def record_labels(
        self,
        round_index: int,
        ids: Tensor,
        labels: Tensor,
        origin: Origin,
        skipped: Tensor | None = None,
        by: str | Sequence[str] | None = None,
        still_open: Tensor | None = None,
        parts: QuestionParts | None = None,
        at: str | None = None,
        closed: str | None = None,
    ) -> None:
        """Write down labels that were bought.

        Args:
            round_index: The first round that has them.
            ids: (M,) int64.
            labels: (M,) int64.
            origin: What they were bought as; "imported" for labels from elsewhere, which a project
                takes at any time.
            skipped: Images that an annotator could not label, (S,) int64.
            by: Name of the person who gave the labels, or of each label's; "" if it is not known. The
                event then has the time, too. None for labels that no person gave.
            still_open: Images that the annotator is still labeling, (O,) int64.
            parts: The strategy that asked for each image, if several share a query.
            at: When persons gave the labels, in UTC; None for now.
            closed: Why there are none, where they are wanted no more: "budget".
        """
        event: Event = {"ids": ids.tolist(), "labels": labels.tolist(), "origin": origin}
        event |= {} if closed is None else {"closed": closed}
        if skipped is not None and len(skipped):
            event["skipped"] = skipped.tolist()
        if by is not None:
            event |= {**({"by": by} if by else {}), "at": at or utc_now()}
        if still_open is not None and len(still_open):
            event["open"] = still_open.tolist()
        event |= {} if parts is None else parts.as_event()
        self._append({"event": "labels", "round": round_index, **event})

    def close_question(self, question: Question) -> None:
        """Write down that the open question has no answer.

        Its images have gone, or have a label from elsewhere; or, where some are left to be labeled, the
        budget is less than it was. What annotators still have of earlier questions stays with them.
        """
        nothing, still_open = question.ids[:0], self.pool.open_ids
        closed = "budget" if len(question.left_ids) else None
        asked = question.round, nothing, nothing, question.origin
        self.record_labels(*asked, still_open=still_open, closed=closed)

    def record_correction(
        self,
        ids: Tensor,
        labels: Tensor,
        by: str | Sequence[str],
        *,
        answered: bool = False,
        at: str | None = None,
    ) -> None:
        """Write down that labeled images have another class than was written down before.

        Possible only in a project, and at any time in it. The next fit trains on the new classes.

        Args:
            ids: (M,) int64.
            labels: The right classes, (M,) int64.
            by: Name of the person or the source of the corrections, or of each.
            answered: Whether they come with an answer to a question.
            at: When they were given, in UTC; None for now.

        Raises:
            JournalError: If an image is not labeled, or has this class already; names the ids.
        """
        before = [self._state.label_of.get(i, -1) for i in ids.tolist()]
        event: Event = {"ids": ids.tolist(), "from": before, "to": labels.tolist(), "by": by}
        event |= {"answered": True} if answered else {}
        self._append({"event": "correction", **event, "at": at or utc_now()})

    def record_setting(self, key: str, value: Any) -> None:
        """Write down that the project continues with another value of a key of its configuration.

        Args:
            key: Dotted, such as "budget.total".
            value: The new value, a plain one; None if the key is gone.

        Raises:
            JournalError: If this is no project, or the key has this value already.
        """
        before = dict(leaves(self.config)).get(key)
        self._append({"event": "setting", "key": key, "from": before, "to": value})

    def record_classes(self, change: ClassChange) -> None:
        """Write down that classes of a project were added, renamed or merged.

        Labels before it are read in the new classes from here on. The next round is due.

        Raises:
            JournalError: If this is no project, or the classes cannot be changed like this.
        """
        event = {
            "added": [*change.added],
            "renamed": {**change.renamed},
            "merged": {**change.merged},
        }
        self._append({"event": "classes", **event})

    def record_images(self, change: ImageChange) -> None:
        """Write down which images of a project have come, gone, come back or changed.

        Raises:
            JournalError: If this is no project, or it contradicts the images so far.
        """
        self._append({"event": "images", **asdict(change)})

    def record_round(self, result: Mapping[str, Any]) -> None:
        """Write down a round that is fitted, tested and scored."""
        self._append({"event": "round", **result})

    def end(self, reason: Reason) -> None:
        """Write down that the run is over."""
        self._append({"event": "end", "reason": reason})

    def _append(self, event: Event) -> None:
        """Write an event down on rank zero; all ranks remember what was written."""
        self._remember(from_rank_zero(lambda: self._write(event)))

    def _write(self, event: Event) -> Event:
        # Checked as a replay would: what is written can be read again. JSON turns tuples into lists.
        event = json.loads(json.dumps(event, allow_nan=False))
        digest = _digest(self._digest, event)
        line = json.dumps({**event, "digest": digest}).encode() + b"\n"
        if problem := self.problem_with(event):
            raise JournalError(
                f"This cannot be recorded: {problem}. Nothing was written; {self.path} is intact"
            )
        self._file.append(line)
        self._digest = digest
        return event

    def _read(self) -> bytes:
        if self.path.exists():
            self._require_file()
        return self._file.read()

    def _replay(self, content: bytes) -> None:
        *lines, _torn = content.split(b"\n")  # what has no line end was torn, and never counted
        for number, line in enumerate(lines, start=1):
            try:
                event = _DECODER.decode(line.decode())
                digest = event.pop("digest", None) if isinstance(event, dict) else None
                expected = _digest(self._digest, event)
            except (ValueError, RecursionError) as error:
                raise self._damage(number, f"not JSON: {error}") from error
            if problem := self.problem_with(event):
                raise self._damage(number, problem)
            if digest != expected:
                raise self._damage(number, "it was changed or moved: its digest differs")
            self._digest = digest
            self._remember(event)
            self._file.size += len(line) + 1

    def _require_file(self) -> None:
        """Refuse to read what is no journal."""
        if self.path.is_dir():
            raise JournalError(
                f"{self.path} is a folder: name the journal in it, such as "
                f"{self.path / 'journal.jsonl'}"
            )
        try:
            require_file(self.path, _LARGEST)
        except OSError as error:
            raise JournalError(f"{self.path} is no journal: {error}") from error

    def _damage(self, line_number: int, problem: str) -> DamagedJournalError:
        return DamagedJournalError(
            f"{self.path}, line {line_number}: {problem}. The journal was damaged or edited; restore "
            "it from a copy, or remove it to start a new run"
        )


def _digest(before: str, event: Event) -> str:
    """Return a digest of an event and, by their own digest, of all events before it."""
    text = before + json.dumps(event)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _refuse_constant(name: str) -> None:
    raise ValueError(f"{name} is not a number")


_DECODER = json.JSONDecoder(parse_constant=_refuse_constant)
