"""What the journal of a run says, read without the packages that the run needs."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from al_lightning.run.keys import NOT_IN_FOLDER, is_below, key_of
from study.part import PlannedRun


@dataclass(frozen=True)
class Record:
    """A journal in brief.

    Attributes:
        finished: Whether the run has ended.
        seconds: That its rounds took, without starting and without embedding.
        accuracy: On the test images, of the last round; None before the first.
        overrides: As the run was given them.
        config: As it was composed.
    """

    finished: bool
    seconds: float
    accuracy: float | None
    overrides: tuple[str, ...]
    config: Mapping[str, Any]

    def is_of(self, run: PlannedRun) -> bool:
        """Return whether the run was given the overrides that are planned for it."""
        return _deciding(self.overrides) == _deciding(run.overrides)


def read_record(journal: Path) -> Record | None:
    """Read a journal; None where there is none yet, or none that can be read.

    A run with a journal that cannot be read is not finished: when it is started, it says why.
    """
    try:
        *lines, _torn = journal.read_bytes().split(b"\n")
        start, rounds, last = json.loads(lines[0]), _rounds(lines), json.loads(lines[-1])
        return Record(
            finished=last["event"] == "end",
            seconds=sum(sum(event["seconds"].values()) for event in rounds),
            accuracy=rounds[-1]["metrics"]["accuracy"] if rounds else None,
            overrides=tuple(start["overrides"]),
            config=start["config"],
        )
    except (OSError, LookupError, ValueError, TypeError, AttributeError):
        return None


def _rounds(lines: list[bytes]) -> list[dict[str, Any]]:
    return [json.loads(line) for line in lines if line.startswith(b'{"event": "round"')]


def _deciding(overrides: tuple[str, ...]) -> frozenset[str]:
    """Return the overrides that a result may depend on."""
    return frozenset(o for o in overrides if not is_below(key_of(o), NOT_IN_FOLDER))
