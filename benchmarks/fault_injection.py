"""Let every file operation of a run go wrong, one by one, and go on by the same command.

    OMP_NUM_THREADS=1 python benchmarks/fault_injection.py --jobs 2
    OMP_NUM_THREADS=1 python benchmarks/fault_injection.py --oracles csv --ignore tensorboard --every 5

A small run is made once, undisturbed, and what changes files below its output root is counted. Then
each of these operations meets each kind of fault (``faults.py``), and the run is gone on with by the
same command. It must hold:

- a fault ends the command with a message, not with a traceback;
- no label that was in the journal, or that a person had written, is lost, and none is asked for twice;
- no stale weights: where a run says that it is finished, its checkpoint is that of the last round,
  or is refused by ``load_trained``;
- in the end the journal, the queries, the predictions, the configuration and the weights are those of
  the undisturbed run.

With ``oracle=csv`` a program fills in the sheets as a person would. Linux only.

All points take minutes, because nothing is done twice. A kill, and a write that is torn by one, leave
what was on the disk: it is copied before each operation of the undisturbed run (``disk_states.py``),
and only what follows is run. EIO and ENOSPC are met by the start that makes the operation, from what
this start found on the disk. What a fault leaves is gone on from once: equal disks go on equally.
ENOSPC at an operation that takes no room is met by the next that does. Figures are not drawn.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import sklearn.datasets
from disk_states import DiskStates, copy, digest
from faults import KINDS, OPERATIONS, TAKES_ROOM, Faults, Kind, Operations
from forked import QUICK, start, wait, warm_up
from kill_test import Tally, fill_in, journal_of, labels_in
from outcomes import WHOLE, differences, outcome, weights_of

from al_lightning import Journal, UsageError, load_trained
from al_lightning.data import Digits

_BUDGET = ("budget.initial=10", "budget.query=5", "budget.total=14")
_STARTS = 20  # after which a run that does not end is given up
_LETTERS = {letter: name for name, letter in OPERATIONS.items()}


@dataclass(frozen=True)
class Point:
    """One fault of one run.

    Attributes:
        begin: The disk that the command finds which meets the fault; of a kill, what it leaves.
        at: The operation of that command, from 0; None of a kill, which has been.
        seen: The labels that were given before.
        name: Of the operation.
    """

    oracle: str
    kind: Kind
    begin: Path
    at: int | None
    seen: dict[int, int]
    name: str


@dataclass
class Player:
    """Makes runs in a folder, and answers as a person would.

    Attributes:
        truth: The label of every image.
        classes: Their names.
        ignored: Folders in which nothing goes wrong, by name.
        good: Has a file for every disk, by its digest, from which a run has gone on as it must.
        operations: Counts those of a command.
    """

    truth: list[int]
    classes: list[str]
    ignored: list[str]
    good: Path
    operations: Operations = field(default_factory=Operations)

    def record(self, folder: Path, oracle: str, place: Path) -> list[Point]:
        """Make the undisturbed run; return all points of it."""
        points: list[Point] = []
        seen, tally = dict[int, int](), Tally()
        for number in range(_STARTS):
            begin = place / f"{number}" / "begin"
            begin.mkdir(parents=True)
            if (folder / "outputs").exists():
                copy(folder / "outputs", begin / "outputs")
            states = DiskStates(folder / "outputs", place / f"{number}")
            faults = self._faults(folder, watch=states.keep)
            if code := self._start(folder, oracle, faults):
                raise RuntimeError(f"exit {code} without a fault: {_said(folder)}")
            for at, letter in enumerate(self.operations.names):
                name = f"{_LETTERS[letter]} {at} of start {number}"
                points += self._points(oracle, dict(seen), place / f"{number}", at, letter, name)
            journal = journal_of(folder)
            seen |= labels_in(journal)
            if journal is not None and journal.finished:
                return points
            seen |= self._answer(folder, journal, tally)
        raise RuntimeError(f"no end of it: {_said(folder)}")

    def _points(
        self, oracle: str, seen: dict[int, int], place: Path, at: int, letter: str, name: str
    ) -> Iterator[Point]:
        for kind in KINDS:
            if kind == "kill" or (kind == "torn" and letter == OPERATIONS["write"]):
                yield Point(oracle, kind, place / f"{at}" / kind, None, seen, name)
            elif kind == "EIO" or (kind == "ENOSPC" and _LETTERS[letter] in TAKES_ROOM):
                yield Point(oracle, kind, place / "begin", at, seen, name)

    def examine(self, point: Point, expected: dict[str, Any]) -> list[str]:
        """Let a point happen, and go on; return what was wrong."""
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name).resolve()
            if (point.begin / "outputs").exists():
                copy(point.begin / "outputs", folder / "outputs")
            wrong = [] if point.at is None else self._meet(folder, point)
            state = self.good / digest(folder / "outputs")
            if not state.exists():
                later = self._go_on(folder, point, expected)
                if not later:
                    state.touch()
                wrong += later
            return wrong

    def _meet(self, folder: Path, point: Point) -> list[str]:
        """Make the command that meets a fault."""
        code = self._start(folder, point.oracle, self._faults(folder, kind=point.kind, at=point.at))
        if len(self.operations.names) <= (point.at or 0):
            return ["the fault was not met"]
        return [*_after_the_fault(folder, code)]

    def _go_on(self, folder: Path, point: Point, expected: dict[str, Any]) -> list[str]:
        """Repeat the command until the run is finished, at least once; return what was wrong."""
        seen, tally = point.seen | labels_in(journal_of(folder)), Tally()
        for _ in range(_STARTS):
            code = self._start(folder, point.oracle, self._faults(folder))
            journal = journal_of(folder)
            if code != 0:
                return [f"exit {code} without a fault: {_said(folder)}"]
            seen |= labels_in(journal)
            if journal is not None and journal.finished:
                break
            seen |= self._answer(folder, journal, tally)
        else:
            return [f"no end of it: {_said(folder)}"]
        labels = labels_in(journal_of(folder))
        lost = [f"label of {i} lost" for i, label in seen.items() if labels.get(i) != label]
        twice = [f"{tally.twice} asked for twice"] * bool(tally.twice)
        return [*lost, *twice, *differences(outcome(folder), expected)]

    def _answer(self, folder: Path, journal: Journal | None, tally: Tally) -> dict[int, int]:
        """Fill in the sheet, but for one row of the first."""
        left = int(journal is None or not journal.rounds)
        return fill_in(folder, self.classes, self.truth, tally, left)

    def _faults(self, folder: Path, **what: Any) -> Faults:
        return Faults(folder / "outputs", self.operations, ignored=self.ignored, **what)

    def _start(self, folder: Path, oracle: str, faults: Faults) -> int:
        self.operations.clear()
        (folder / "log.txt").unlink(missing_ok=True)
        return wait(start(folder, _arguments(oracle), before=faults.install))


def _arguments(oracle: str) -> list[str]:
    return [*QUICK, *_BUDGET, f"oracle={oracle}", "model=cnn"]


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


EXPECTED: list[str] = []  # the identity of the last checkpoint of the undisturbed run


def _is_of_last_round(journal: Journal) -> bool:
    saved = weights_of(journal.path.parent)["al_lightning"]
    return bool(saved["identity"] == EXPECTED[-1])


def main() -> None:
    """Find all points, examine them, and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--oracles", default="dataset,csv")
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--every", type=int, default=1, help="point: 5 takes a fifth of them")
    parser.add_argument("--ignore", default="", help="folders, such as tensorboard")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    sklearn.datasets.load_digits = cache(sklearn.datasets.load_digits)
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    warm_up(_arguments("dataset"))
    data = Digits().load()
    ignored = [name for name in options.ignore.split(",") if name]
    wrong = 0
    for oracle in options.oracles.split(","):
        with tempfile.TemporaryDirectory() as name:
            place = Path(name).resolve()
            for folder in ("whole", "good"):
                (place / folder).mkdir()
            WHOLE[:] = [place / "whole"]
            player = Player(data.train.labels.tolist(), [*data.classes], ignored, place / "good")
            points = player.record(place / "whole", oracle, place)
            names = Counter(point.name.split()[0] for point in points if point.kind == "kill")
            print(f"oracle={oracle}: {names.total()} operations: {dict(names)}", flush=True)
            expected = outcome(place / "whole")
            points = [point for point in points if point.kind in options.kinds.split(",")]
            points = sorted(points, key=lambda point: KINDS.index(point.kind))[:: options.every]
            wrong += _examine_all(player, points, expected, options.jobs)
    sys.exit(bool(wrong))


def _examine_all(player: Player, points: list[Point], expected: dict[str, Any], jobs: int) -> int:
    """Examine points side by side, and print what was found; return how many are wrong."""
    began, counts, bad = time.monotonic(), Counter[str](), 0
    EXPECTED.append(expected["identity"])
    with get_context("fork").Pool(jobs, _begin, (player, expected)) as pool:
        for point, wrong in pool.imap_unordered(_examined, points):
            counts[point.kind] += 1
            bad += bool(wrong)
            if wrong:
                print(
                    f"WRONG oracle={point.oracle} {point.kind} at {point.name}: {wrong}", flush=True
                )
            if counts.total() % 100 == 0:
                print(f"{counts.total()} of {len(points)} points, {bad} wrong", flush=True)
    print(
        f"{len(points)} faults in {time.monotonic() - began:.0f} s, {len([*player.good.iterdir()])} "
        f"different disks were gone on from: {dict(counts)}, {bad} wrong",
        flush=True,
    )
    return bad


def _begin(player: Player, expected: dict[str, Any]) -> None:
    """Prepare a process of the pool."""
    player.operations = Operations()
    SHARED.append((player, expected))


SHARED: list[tuple[Player, dict[str, Any]]] = []  # in a process of the pool


def _examined(point: Point) -> tuple[Point, list[str]]:
    player, expected = SHARED[-1]
    try:
        return point, player.examine(point, expected)
    except Exception as error:
        return point, [f"{type(error).__name__}: {error}"]


if __name__ == "__main__":
    main()
