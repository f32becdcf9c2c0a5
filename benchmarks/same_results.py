"""Record the journals of fixed commands, and compare them with those of another tree; run it by hand.

    python benchmarks/same_results.py record before            # in the tree as it was
    python benchmarks/same_results.py record after             # in the tree as it is
    python benchmarks/same_results.py compare before after

A change of structure must not change a result by a bit: journals must be equal in queries, labels and
metrics. Recorded are every strategy on the digits, a person's three rounds by sheets, a sweep with
joblib, Fashion-MNIST with the plain recipe, and a frozen pretrained network. A command whose data or
extra is absent fails, and is named.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sheets import open_sheets, write_rows

_ROOT = Path(__file__).resolve().parents[1]
_FIXED = ("threads=1", "progress=false")
_DIGITS = ("dataset=digits", "recipe.min_steps=60", "recipe.epochs=4", *_FIXED)
_ROUNDS = ("budget.initial=40", "budget.query=20", "budget.total=100")
_JOBLIB = ("hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
_PERSON = ("oracle=csv", "budget.initial=30", "budget.query=20", "budget.total=90", "model=cnn")
_STARTS = 12  # of a run that a person answers: more than its questions
#: What is equal in two journals of one run, whatever the machine's speed.
_COMPARED = ("round", "ids", "labels", "origin", "skipped", "labels_bought", "metrics", "per_class")


def commands() -> dict[str, list[str]]:
    """Return the command lines, by the folder that each runs in."""
    names = {path.stem for path in (_ROOT / "conf" / "strategy").glob("*.yaml")}
    strategies = sorted(names - {"auto"})
    digits = {f"digits_{s}": [*_DIGITS, *_ROUNDS, f"strategy={s}"] for s in strategies}
    digits["digits_passive"] = [*_DIGITS, "experiment=passive"]
    return {
        **digits,
        "person": [*_DIGITS, *_PERSON],
        "sweep": ["-m", *_DIGITS, *_ROUNDS, "strategy=random,margin", "seed=0,1", *_JOBLIB],
        "linear": [
            *("dataset=digits", "model=efficientnet_lite0_linear", "model.image_size=64"),
            *(*_ROUNDS, *_FIXED),
        ],
        "fashion_mnist": [
            *("dataset=fashion_mnist", "strategy=margin", "recipe=plain", "budget.total=1500"),
            *_FIXED,
        ],
    }


def record(folder: Path, only: list[str]) -> list[str]:
    """Run the commands, each in a folder of its own; return the names of those that failed."""
    failed = []
    for name, arguments in commands().items():
        if only and name not in only:
            continue
        place = folder / name
        place.mkdir(parents=True)
        for _ in range(_STARTS if name == "person" else 1):
            code = _run(place, arguments)
            if name == "person":
                _fill_in(place)
        if code != 0:
            failed.append(name)
        print(f"{name}: {'failed, see log.txt' if code else 'done'}", flush=True)
    return failed


def _run(place: Path, arguments: list[str]) -> int:
    with (place / "log.txt").open("a") as log:
        return subprocess.run(
            [sys.executable, "-m", "al_lightning", *arguments],
            cwd=place,
            env={**os.environ, "PYTHONPATH": str(_ROOT)},
            stdout=log,
            stderr=log,
            check=False,
        ).returncode


def _fill_in(place: Path) -> None:
    """Fill in every empty sheet; the class of an image follows from its id."""
    for sheet, rows in open_sheets(place / "outputs"):
        for row in rows:
            row["label"] = str(int(row["id"]) % 10)
        write_rows(sheet, rows)


def compared(folder: Path) -> dict[str, list[dict[str, Any]]]:
    """Return what counts of every journal below a folder, by the name of its command and its run."""
    return {name: list(_events(path)) for name, path in sorted(_journals(folder))}


def _journals(folder: Path) -> Iterator[tuple[str, Path]]:
    for path in folder.rglob("journal.jsonl"):
        command = path.relative_to(folder).parts[0]
        start = json.loads(path.read_text(encoding="utf-8").splitlines()[0])
        names, seed = start["config"]["names"], start["config"]["seed"]
        yield f"{command}/{names['strategy']}/seed={seed}", path


def _events(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        event = json.loads(line)
        if event["event"] in ("labels", "round", "question", "end"):
            yield {key: event[key] for key in ("event", *_COMPARED) if key in event}


def compare(before: Path, after: Path) -> int:
    """Print which journals differ, and where first; return how many do or are missing."""
    old, new = compared(before), compared(after)
    wrong = 0
    for name in sorted(old.keys() | new.keys()):
        if name not in old or name not in new:
            print(f"{name}: only {'before' if name in old else 'after'}")
        elif old[name] != new[name]:
            pairs = zip(old[name], new[name], strict=False)
            first = next((i for i, (a, b) in enumerate(pairs) if a != b), len(new[name]))
            print(f"{name}: differs from event {first} on")
        else:
            continue
        wrong += 1
    print(f"{len(old)} journals before, {len(new)} after: {wrong} differ or are missing")
    return wrong


def main() -> None:
    """Record or compare."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("what", choices=("record", "compare"))
    parser.add_argument("folders", type=Path, nargs="+")
    parser.add_argument("--only", nargs="*", default=[])
    options = parser.parse_args()
    if options.what == "record":
        sys.exit(bool(record(options.folders[0], options.only)))
    sys.exit(bool(compare(*options.folders)))


if __name__ == "__main__":
    main()
