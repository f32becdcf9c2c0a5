"""What people have decided on the page: an append-only file, on the disk before the page says so."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from al_lightning.utils.append_file import AppendOnlyFile
from al_lightning.utils.errors import UsageError

Kind = Literal["label", "skip", "undo", "confirm", "class"]
KINDS: tuple[Kind, ...] = get_args(Kind)
_RECENT = 300.0  # seconds
_LEAST = 1 / 6  # minutes: the first labels tell little about the pace
_NAMED = ("label", "confirm", "class")


@dataclass(frozen=True)
class Entry:
    """What a person has decided about an image.

    >>> from al_lightning.oracles.page.page_log import Entry
    >>> Entry(4, "label", "cat", by="Ada", at=12.5).as_dict()
    {'id': 4, 'kind': 'label', 'class': 'cat', 'by': 'Ada', 'at': 12.5}

    Attributes:
        id: Dataset id of the image; -1 for a new class.
        kind: "label"; "skip" where it cannot be labeled; "undo" takes the last entry of it back;
            "confirm" says that its label is right; "class" is a new class.
        name: The class; empty for a skip or an undo.
        by: Name of the person; may be empty.
        at: Time, in seconds since 1970.
    """

    id: int
    kind: Kind
    name: str
    by: str
    at: float

    def as_dict(self) -> dict[str, Any]:
        """Return the entry as it is written."""
        named = {"class": self.name} if self.kind in _NAMED else {}
        return {"id": self.id, "kind": self.kind, **named, "by": self.by, "at": self.at}


class PageLog:
    """A file of entries, one JSON object a line; each is synced to the disk before it counts.

    Opening it replays the file; a line that a crash has torn is dropped, as it was never confirmed.

    Args:
        path: The file; it is made at the first entry.

    Raises:
        UsageError: If the file is damaged; names file and line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = AppendOnlyFile(path)
        self.entries = list(self._replay())

    def append(self, entries: Sequence[Entry]) -> None:
        """Write entries, all of them or none.

        Args:
            entries: In their order.

        Raises:
            OSError: If the disk refuses; then none of them counts.
            UsageError: If somebody has changed the file meanwhile; names it.
        """
        lines = b"".join(json.dumps(e.as_dict()).encode() + b"\n" for e in entries)
        self._file.append(lines)
        self.entries += entries

    def _replay(self) -> Iterator[Entry]:
        *lines, _torn = self._file.read().split(b"\n")
        for number, line in enumerate(lines, start=1):
            try:
                yield _entry(json.loads(line))
            except (ValueError, KeyError, TypeError, RecursionError) as error:
                if not b"".join(lines[number - 1 :]).strip(b"\0 "):  # what a power loss may leave
                    break
                raise UsageError(
                    f"{self.path}, line {number} is damaged ({error}): restore the file from a copy, "
                    "or remove this line; the labels of the journal stay as they are"
                ) from error
            self._file.size += len(line) + 1


def _entry(line: Any) -> Entry:
    """Return the entry of a line."""
    image, kind, at = line["id"], line["kind"], line["at"]
    name, by = line.get("class", ""), line["by"]
    if type(image) is not int or kind not in KINDS:
        raise ValueError(f"an entry needs an id, and a kind: {', '.join(KINDS)}")
    if not (isinstance(name, str) and isinstance(by, str) and (kind in _NAMED) == bool(name)):
        raise ValueError("class and by must be names")
    return Entry(image, kind, name, by, float(at))


def pace(entries: Sequence[Entry], now: float) -> dict[str, Any]:
    """Return the labels and skips a minute of the last five minutes, and the number of each person.

    Args:
        entries: Oldest first.
        now: In seconds since 1970.
    """
    given = [entry for entry in entries if entry.kind in ("label", "skip")]
    recent = [entry for entry in given if now - entry.at <= _RECENT]
    minutes = max((now - recent[0].at) / 60, _LEAST) if recent else 1.0
    people = Counter(entry.by for entry in given)
    return {"per_minute": round(len(recent) / minutes, 1), "people": dict(people)}
