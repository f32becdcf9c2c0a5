"""The command line for tests: as a user starts it, in a fork, or in this process.

The latter two save the seconds that importing torch takes.
"""

import json
import os
import signal
import subprocess
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import al_lightning.cli.app as command_line
from al_lightning.callbacks import tensorboard
from al_lightning.callbacks.figures import Picture
from al_lightning.cli import configuration
from al_lightning.run.journal import Journal
from tests.forks import Fork

CONF = configuration.CONF
QUICK = (
    *("budget.initial=20", "budget.query=10", "budget.total=40", "recipe.min_steps=8"),
    *("recipe.epochs=1", "model.filters=[[4],[4]]", "model.dense=[16]", "threads=1"),
)
_MAIN = "tests.command_line:main_in_fork"
_FIGURES = ("confusion_figure", "contact_sheet", "class_histogram")


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "al_lightning", *arguments]


def call(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(*arguments), cwd=folder, capture_output=True, text=True, check=False
    )


def fork(
    folder: Path, *arguments: str, output: int | None = None
) -> "subprocess.CompletedProcess[str]":
    """The command line in a process of its own that has imported everything."""
    return Fork(_MAIN, folder=folder, argv=arguments, output=output).wait()


def stop_after(folder: Path, lines: int, number: signal.Signals, *arguments: str) -> int:
    """Send a command a signal once it has written so many lines of journals; return its status."""
    return Fork(_MAIN, lines, number, folder=folder, argv=arguments).wait().returncode


def main_in_fork(lines: int = 0, number: int = 0) -> None:
    append = Journal._append

    def append_and_stop(journal: Journal, event: dict[str, Any]) -> None:
        nonlocal lines
        append(journal, event)
        lines -= 1
        if lines == 0:
            os.kill(os.getpid(), number)

    setattr(Journal, "_append", append_and_stop)  # noqa: B010 - mypy forbids the assignment
    for name in _FIGURES:
        setattr(tensorboard, name, blank)
    command_line.main()


def blank(*arguments: Any) -> Picture:
    """Stand for a figure: drawing and packing them takes a third of a small run."""
    return np.zeros((1, 1, 3), dtype=np.uint8)


@dataclass
class Outcome:
    returncode: int
    stdout: str
    stderr: str


class Here:
    """Runs the command line in this process, in a folder of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capfd = monkeypatch, capfd
        for name in _FIGURES:
            monkeypatch.setattr(tensorboard, name, blank)

    def __call__(self, folder: Path, *arguments: str) -> Outcome:
        self._monkeypatch.chdir(folder)
        self._monkeypatch.setattr(sys, "argv", ["al_lightning", *arguments])
        code = 0
        try:
            command_line.main()
        except SystemExit as exit_:
            code = int(exit_.code or 0)
        except Exception:
            traceback.print_exc()
            code = 1
        return Outcome(code, *self._capfd.readouterr())


def only_journal(folder: Path) -> Path:
    (path,) = folder.glob("outputs/**/journal.jsonl")
    return path


def comparable(path: Path) -> list[dict[str, Any]]:
    events = [json.loads(line) for line in path.read_text().splitlines()]
    for event in events:
        event.pop("seconds", None)
        event.pop("peak_rss_bytes", None)
        event.pop("at", None)
        event.pop("digest")  # it covers the seconds
    return events
