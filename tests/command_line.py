"""The command line for tests: in a process of its own, or in this one, which saves torch's import."""

import json
import signal
import subprocess
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import al_lightning.cli.app as command_line
from al_lightning.cli import configuration

CONF = configuration.CONF
QUICK = (
    *("budget.initial=20", "budget.query=10", "budget.total=40", "recipe.min_steps=8"),
    *("recipe.epochs=1", "model.filters=[[4],[4]]", "model.dense=[16]", "threads=1"),
)


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "al_lightning", *arguments]


def call(folder: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        command(*arguments), cwd=folder, capture_output=True, text=True, check=False
    )


_STOPPED = """
import os, runpy, sys
from al_lightning.run.journal import Journal

lines, number = (int(sys.argv.pop(1)) for _ in range(2))
append = Journal._append

def append_and_stop(journal, event):
    global lines
    append(journal, event)
    lines -= 1
    if lines == 0:
        os.kill(os.getpid(), number)

Journal._append = append_and_stop
runpy.run_module("al_lightning", run_name="__main__", alter_sys=True)
"""


def stop_after(folder: Path, lines: int, number: signal.Signals, *arguments: str) -> int:
    """Send a command a signal once it has written so many lines of journals; return its status."""
    command_ = [sys.executable, "-c", _STOPPED, str(lines), str(int(number)), *arguments]
    return subprocess.run(command_, cwd=folder, capture_output=True, check=False).returncode


@dataclass
class Outcome:
    returncode: int
    stdout: str
    stderr: str


class Here:
    """Runs the command line in this process, in a folder of its own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capfd = monkeypatch, capfd

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
