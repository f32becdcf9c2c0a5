"""Kill runs at random instants, go on with them, and compare them with undisturbed ones.

    OMP_NUM_THREADS=1 python benchmarks/kill_test.py --runs 100 --kills 3
    OMP_NUM_THREADS=1 python benchmarks/kill_test.py --runs 20 --kills 3 --person
    OMP_NUM_THREADS=1 python benchmarks/kill_test.py --runs 20 --kills 3 --devices 2

Every run has a seed of its own. It is made once without a disturbance; then again in another folder,
SIGKILLed up to so many times at instants drawn from the length of the undisturbed run, and gone on with
by the same command. Both journals must hold the same, but for seconds, memory, times of day and their
digests, and the predictions of all rounds must be the same bytes. With ``--person``, a program fills in
the sheets (``oracle=csv``) as a person would, between the runs.

Python and torch are imported once; each start is a fork, so that an instant falls into a run, and not
into imports.
"""

import argparse
import json
import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from forked import QUICK, start, wait
from journals import comparable
from sheets import open_sheets, write_rows

from al_lightning import Journal
from al_lightning.data import Digits

_BUDGET = ("budget.initial=20", "budget.query=10", "budget.total=50", "cache=false")
_PERSON = ("oracle=csv", "model=cnn")  # for a person, a pretrained network would be taken


@dataclass
class Tally:
    """What was found.

    Attributes:
        outcomes: How the killed runs ended.
        kills: How many kills met a living process.
        events: How many events the journal had at each kill.
        lost: Labels that a journal held, or a person had written, and that are not in the end.
        twice: Labels that were asked for although they were there.
    """

    outcomes: Counter[str] = field(default_factory=Counter)
    kills: int = 0
    events: Counter[int] = field(default_factory=Counter)
    lost: int = 0
    twice: int = 0


def journal_of(folder: Path) -> Journal | None:
    """Return the run's journal, if it has begun."""
    paths = list(folder.glob("outputs/**/journal.jsonl"))
    return Journal(paths[0]) if paths else None


def predictions_of(journal: Journal) -> dict[str, bytes]:
    """Return the files of a run's predictions, by name; a round that is done has two."""
    folder, rounds = journal.path.parent, [event["round"] for event in journal.rounds]
    files = [f"predictions/round_{index:02d}.npz" for index in rounds]
    files += [f"agreement/round_{index:02d}.npy" for index in rounds]
    return {name: (folder / name).read_bytes() for name in files}


def labels_in(journal: Journal | None) -> dict[int, int]:
    """Return the labels that a journal holds, by id."""
    if journal is None:
        return {}
    pool = journal.pool
    return dict(zip(pool.labeled_ids.tolist(), pool.labels.tolist(), strict=True))


def fill_in(
    folder: Path, classes: list[str], truth: list[int], tally: Tally, left: int = 1
) -> dict[int, int]:
    """Fill in all but the last rows of every empty sheet, as a person would; return the labels."""
    journal, written = journal_of(folder), {}
    known = labels_in(journal)
    for sheet, rows in open_sheets(folder / "outputs"):
        tally.twice += sum(int(row["id"]) in known for row in rows)
        for row in rows[: len(rows) - left] or rows:
            label = truth[int(row["id"])]
            row["label"], written[int(row["id"])] = classes[label], label
        write_rows(sheet, rows)
    return written


def play(
    folder: Path,
    arguments: list[str],
    delays: list[float | None],
    person: Callable[[], dict[int, int]],
    tally: Tally,
) -> Journal:
    """Start a run until it is finished; kill each start after its delay, where it has one."""
    folder.mkdir()
    seen: dict[int, int] = {}
    for _ in range(200):
        process = start(folder, arguments)
        if (delay := delays.pop() if delays else None) is not None:
            time.sleep(delay)
            os.kill(process, signal.SIGKILL)
        code = wait(process)
        journal = journal_of(folder)
        seen |= labels_in(journal)
        if code == -signal.SIGKILL:
            tally.kills += 1
            tally.events[0 if journal is None else len(journal.events)] += 1
        elif code != 0 and "is in use by" in (folder / "log.txt").read_text():
            (folder / "log.txt").write_text("")
            time.sleep(1.0)  # ranks notice within a second that their launcher is gone
        elif code != 0:
            raise RuntimeError(f"exit {code}: {(folder / 'log.txt').read_text()[-2000:]}")
        if journal is not None and journal.finished:
            tally.lost += sum(labels_in(journal).get(i) != label for i, label in seen.items())
            labeled = [i for e in journal.events if e["event"] == "labels" for i in e["ids"]]
            tally.twice += len(labeled) - len(set(labeled))
            return journal
        seen |= person()
    raise RuntimeError(f"no end of it: {folder}")


def main() -> None:
    """Make the runs, and count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--kills", type=int, default=3, help="of each run, at most")
    parser.add_argument("--first-seed", type=int, default=0)
    parser.add_argument("--person", action="store_true")
    parser.add_argument("--devices", type=int, default=1, help="ranks on the CPU")
    options = parser.parse_args()
    data = Digits().load()
    truth, classes = data.train.labels.tolist(), list(data.classes)
    tally, undisturbed = Tally(), Tally()
    began = time.monotonic()
    for seed in range(options.first_seed, options.first_seed + options.runs):
        arguments = [*QUICK, *_BUDGET, f"seed={seed}", *(_PERSON if options.person else ())]
        if options.devices > 1:
            arguments += [f"trainer.devices={options.devices}", "trainer.accelerator=cpu"]
        draw = random.Random(seed)
        with tempfile.TemporaryDirectory() as name:
            whole, cut = Path(name) / "whole", Path(name) / "cut"
            clock = time.monotonic()
            person = partial(fill_in, whole, classes, truth, undisturbed)
            expected = play(whole, arguments, [], person, undisturbed)
            starts = 1 + sum(event["event"] == "question" for event in expected.events)
            length = (time.monotonic() - clock) / starts
            kills = draw.randint(1, options.kills)
            delays: list[float | None] = [draw.uniform(0, length) for _ in range(kills)]
            delays += [None] * (starts - 1)  # a run that a person answers is started often
            draw.shuffle(delays)
            person = partial(fill_in, cut, classes, truth, tally)
            journal = play(cut, arguments, delays, person, tally)
            same = comparable(journal.events) == comparable(expected.events)
            same &= predictions_of(journal) == predictions_of(expected)
            tally.outcomes["identical" if same else f"DIFFERENT (seed {seed})"] += 1
        print(f"seed {seed}: {dict(tally.outcomes)}, {tally.kills} kills", flush=True)
    print(f"\n{options.runs} runs in {time.monotonic() - began:.0f} s: {dict(tally.outcomes)}")
    print(
        f"{tally.kills} kills; journals at a kill had (events: kills)",
        dict(sorted(tally.events.items())),
    )
    print(f"labels lost: {tally.lost}; labels asked for twice: {tally.twice}")
    print(json.dumps({"undisturbed lost": undisturbed.lost, "twice": undisturbed.twice}))


if __name__ == "__main__":
    main()
