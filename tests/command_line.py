"""The command line for tests: in a process of its own, or in this one, which saves torch's import."""

import json
import subprocess
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

import al_lightning.__main__ as command_line

CONF = Path(command_line._CONF)
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
        event.pop("digest")  # it covers the seconds
    return events
