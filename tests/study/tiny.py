"""A study of seconds, and journals of runs that were never made."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from al_lightning import Journal
from study import workers
from study.__main__ import main
from study.part import Part, PlannedRun
from tests.helpers import round_event, start_event

PART = Part(
    name="t",
    title="a few digits",
    question="Does it work?",
    overrides=(
        *("dataset=digits", "recipe.min_steps=30", "recipe.epochs=1", "budget.initial=10"),
        *("budget.query=[10,20]", "budget.total=60", "model.filters=[[4],[4]]"),
    ),
    strategies=("random", "passive"),
)
#: Runs that end when they are told to.
ENDLESS = replace(
    PART,
    overrides=(*PART.overrides, "recipe.max_steps=null", "recipe.min_steps=1000000"),
    strategies=("random",),
)


def write_journal(
    root: Path, run: PlannedRun, rounds: int = 2, finished: bool = True, **changes: Any
) -> bytes:
    """Write the journal of a run: 1.875 seconds a round, accuracies .5; return its bytes."""
    path = run.journal(root)
    path.unlink(missing_ok=True)
    journal = Journal(path)
    journal.begin(start_event(**{"overrides": [*run.overrides], **changes}))
    for index in range(rounds):
        ids = torch.tensor([2 * index, 2 * index + 1])
        journal.record_labels(index, ids, ids % 3, "query" if index else "initial")
        journal.record_round(round_event(index, 2 * index + 2))
    if finished:
        journal.end("budget")
    return path.read_bytes()


def run_endless() -> None:
    workers._NICE = 0  # else other tests would go first
    sys.exit(main(["--jobs", "2"], [*ENDLESS.runs(range(1))]))
