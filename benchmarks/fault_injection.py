"""Let every file operation of a run go wrong, one by one, and go on by the same command.

    OMP_NUM_THREADS=1 python benchmarks/fault_injection.py --jobs 2
    OMP_NUM_THREADS=1 python benchmarks/fault_injection.py --oracles csv --ignore tensorboard --every 5

A small run is made once, undisturbed, and what changes files below its output root is counted. Then,
for each of these operations and each kind of fault (``faults.py``), the run is made in another folder,
meets the fault at that operation, and is gone on with by the same command. It must hold:

- a fault ends the command with a message, not with a traceback;
- no label that was in the journal, or that a person had written, is lost, and none is asked for twice;
- no stale weights: where a run says that it is finished, its checkpoint is that of the last round,
  or is refused by ``load_trained``;
- in the end the journal, the queries, the predictions, the configuration and the weights are those of
  the undisturbed run.

With ``oracle=csv`` a program fills in the sheets as a person would. Linux only.
"""

import argparse
import json
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from faults import KINDS, Faults, Kind, Operations
from forked import QUICK, start, wait
from kill_test import Tally, comparable, fill_in, journal_of, labels_in

from al_lightning import Journal, UsageError, load_trained
from al_lightning.data import Digits

_BUDGET = ("budget.initial=10", "budget.query=5", "budget.total=15")
_STARTS = 20  # after which a run that does not end is given up


@dataclass(frozen=True)
class Point:
    """One fault of one run."""

    oracle: str
    kind: Kind
    at: int
    operation: str


@dataclass
class Player:
    """Makes runs in a folder, and answers as a person would.

    Attributes:
        truth: The label of every image.
        classes: Their names.
        ignored: Folders in which nothing goes wrong, by name.
        operations: Counts those of the run.
    """

    truth: list[int]
    classes: list[str]
    ignored: list[str]
    operations: Operations = field(default_factory=Operations)

    def play(self, folder: Path, oracle: str, point: Point | None = None) -> list[str]:
        """Start a run until it is finished; return what was wrong."""
        self.operations.clear()
        wrong: list[str] = []
        tally, seen = Tally(), dict[int, int]()
        for _ in range(_STARTS):
            before = self.met(point)
            code = self._start(folder, oracle, point)
            journal = journal_of(folder)
            seen |= labels_in(journal)
            if not before and self.met(point):
                wrong += _after_the_fault(folder, code)
                continue  # by the same command, also where the run has ended: weights may be missing
            if code != 0:
                wrong.append(f"exit {code} without a fault: {_said(folder)}")
            if journal is not None and journal.finished and code == 0:
                break
            if code == 0:
                person = partial(fill_in, folder, self.classes, self.truth, tally)
                seen |= person() if oracle == "csv" else {}
        else:
            wrong.append(f"no end of it: {_said(folder)}")
        labels = labels_in(journal_of(folder))
        wrong += [f"label of {i} lost" for i, label in seen.items() if labels.get(i) != label]
        return wrong + [f"{tally.twice} asked for twice"] * bool(tally.twice)

    def met(self, point: Point | None) -> bool:
        """Return whether the fault has come."""
        return point is not None and len(self.operations.names) > point.at

    def _start(self, folder: Path, oracle: str, point: Point | None) -> int:
        if self.met(point):
            point = None
        kind, at = (None, None) if point is None else (point.kind, point.at)
        faults = Faults(folder / "outputs", self.operations, kind, at, self.ignored)
        arguments = [*QUICK, *_BUDGET, f"oracle={oracle}", "model=cnn"]
        (folder / "log.txt").unlink(missing_ok=True)
        return wait(start(folder, arguments, before=faults.install))


def _said(folder: Path) -> str:
    return (folder / "log.txt").read_text()[-1500:]


def _after_the_fault(folder: Path, code: int) -> Iterator[str]:
    if "Traceback" in _said(folder):
        yield f"a traceback: {_said(folder)}"
    journal = journal_of(folder)
    if code == 0 and journal is not None and journal.finished:
        try:
            load_trained(journal.path.parent)
        except UsageError:
            return
        if not _is_of_last_round(journal):
            yield "stale weights are taken"


def _is_of_last_round(journal: Journal) -> bool:
    saved = _weights(journal.path.parent)["al_lightning"]
    return bool(saved["identity"] == EXPECTED[journal.events[0]["config"]["oracle"]["_target_"]])


EXPECTED: dict[str, str] = {}  # the identity of the last checkpoint, by oracle


def _weights(folder: Path) -> dict[str, Any]:
    content: dict[str, Any] = torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
    return content


def outcome(folder: Path) -> dict[str, Any]:
    """Return what must be the same however a run came to it."""
    journal = journal_of(folder)
    if journal is None:
        return {}
    run = journal.path.parent
    weights = _weights(run)
    folders = (".hydra", "queries", "predictions", "agreement")
    files = [path for name in folders for path in run.glob(f"{name}/*")]
    return {
        "journal": comparable(journal),
        "identity": weights["al_lightning"]["identity"],
        "weights": {name: value.tolist() for name, value in weights["state_dict"].items()},
        "files": {f"{p.parent.name}/{p.name}": _content(p, folder) for p in files},
        "left behind": sorted(str(p.relative_to(run)) for p in run.rglob("*.partial")),
    }


def _content(path: Path, folder: Path) -> bytes:
    return path.read_bytes().replace(bytes(folder), b"")


def differences(found: dict[str, Any], expected: dict[str, Any]) -> list[str]:
    """Return what differs from the undisturbed run."""
    names = [name for name in expected if found.get(name) != expected[name] and name != "files"]
    files, wanted = found.get("files", {}), expected["files"]
    names += [n for n in sorted({*files, *wanted}) if files.get(n) != wanted.get(n)]
    return [f"{name} differs" for name in names]


def examine(player: Player, expected: dict[str, Any], point: Point) -> list[str]:
    """Make a run that meets a fault; return what was wrong."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name).resolve()
        try:
            wrong = player.play(folder, point.oracle, point)
            return wrong + differences(outcome(folder), expected)
        except Exception as error:
            return [f"{type(error).__name__}: {error}"]


def work(player: Player, expected: dict[str, dict[str, Any]], points: list[Point]) -> int:
    """Examine points in a fork, which prints what it found; return its process id."""
    child = os.fork()
    if child:
        return child
    player.operations = Operations()
    for point in points:
        wrong = examine(player, expected[point.oracle], point)
        facts = [point.oracle, point.kind, point.at, point.operation, wrong]
        os.write(RESULTS[1], json.dumps(facts).encode() + b"\n")
    os._exit(0)


RESULTS = os.pipe()


def main() -> None:
    """Find all points, examine them, and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--oracles", default="dataset,csv")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--every", type=int, default=1, help="operation: 5 takes a fifth of them")
    parser.add_argument("--first", type=int, default=0, help="operation")
    parser.add_argument("--ignore", default="", help="folders, such as tensorboard")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    data = Digits().load()
    ignored = [name for name in options.ignore.split(",") if name]
    player = Player(data.train.labels.tolist(), list(data.classes), ignored)
    expected, points = {}, list[Point]()
    for oracle in options.oracles.split(","):
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name).resolve()
            if wrong := player.play(folder, oracle):
                sys.exit(f"The undisturbed run: {wrong}")
            expected[oracle] = outcome(folder)
        target = expected[oracle]["journal"][0]["config"]["oracle"]["_target_"]
        EXPECTED[target] = expected[oracle]["identity"]
        names = player.operations.names
        print(f"oracle={oracle}: {len(names)} operations: {dict(Counter(names))}", flush=True)
        points += [
            Point(oracle, kind, at, names[at])
            for kind in KINDS
            if kind in options.kinds.split(",")
            for at in range(options.first, len(names), options.every)
            if kind != "torn" or names[at] == "w"
        ]
    began = time.monotonic()
    for job in range(options.jobs):
        work(player, expected, points[job :: options.jobs])
    counts, bad = Counter[str](), 0
    with os.fdopen(RESULTS[0]) as results:
        for _ in points:
            oracle, kind, at, operation, wrong = json.loads(results.readline())
            counts[f"{oracle} {kind}"] += 1
            bad += bool(wrong)
            if wrong:
                print(f"WRONG oracle={oracle} {kind} at {at} ({operation}): {wrong}", flush=True)
    print(f"{len(points)} faults in {time.monotonic() - began:.0f} s: {dict(counts)}, {bad} wrong")


if __name__ == "__main__":
    main()
