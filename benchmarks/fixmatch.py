"""What learning from the unlabeled pool brings, at equal and at four times the seconds; run it by hand.

    python benchmarks/fixmatch.py --output FOLDER [--seeds 3]

Fashion-MNIST (from AL_LIGHTNING_DATA), 250 and 1,000 labels at random, the CNN with model.padding=1,
one fit each, one thread: the default recipe, and recipe=fixmatch with batches of 32 and three unlabeled
images per labeled one, in as many steps as take about as long, and in four times as many. The same
seeds have the same labels. Differences are paired by seed, with the 95 % interval of Student's t. Runs
that are finished are not made again. Figures go to benchmarks/results/fixmatch.json.
"""

import argparse
import json
import statistics
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from raw import record

from al_lightning.report.statistics.paired import mean_interval
from al_lightning.run.journal import Journal

LABELS = (250, 1_000)
_SHORT = ("recipe=fixmatch", "recipe.batch_size=32", "recipe.ratio=3", "recipe.epochs=1")
RECIPES = {
    "supervised": (),
    "fixmatch, equal seconds": (*_SHORT, "recipe.min_steps=300"),
    "fixmatch, 4 x": (*_SHORT, "recipe.min_steps=1200"),
    "freematch, 4 x": (*_SHORT, "recipe.min_steps=1200", "recipe.adaptive=true"),
}


def main() -> None:
    """Make the runs by turns, print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    runs: dict[tuple[int, str], list[dict[str, Any]]] = {}
    for seed, labels, name in product(range(given.seeds), LABELS, RECIPES):
        runs.setdefault((labels, name), []).append(run(given.output, labels, name, seed))
    table = {
        f"{labels} labels, {name}": row(found, runs[labels, "supervised"])
        for (labels, name), found in sorted(runs.items())
    }
    print(json.dumps(table, indent=2))
    record("fixmatch", table)


def run(output: Path, labels: int, name: str, seed: int) -> dict[str, Any]:
    """Return the only round of a run, which is made if it is not there."""
    folder = output / f"{labels}" / name.replace(" ", "_").replace(",", "") / f"{seed}"
    command = [
        *(sys.executable, "-m", "al_lightning", "dataset=fashion_mnist", "model.padding=1"),
        *("strategy=random", f"seed={seed}", "threads=1", "cache=false"),
        *(f"budget.initial={labels}", f"budget.total={labels}", *RECIPES[name]),
        *(f"hydra.run.dir='{folder}'", f"output_root={output}"),
    ]
    subprocess.run(command, check=True, capture_output=True)
    return Journal(folder / "journal.jsonl").rounds[0]


def row(found: list[dict[str, Any]], supervised: list[dict[str, Any]]) -> dict[str, Any]:
    """Return means, and the difference from the supervised recipe with its interval, in points."""
    accuracies = [event["metrics"]["accuracy"] for event in found]
    gains = [
        100 * (a - event["metrics"]["accuracy"])
        for a, event in zip(accuracies, supervised, strict=True)
    ]
    gain, *interval = np.array(mean_interval(gains), float).round(2).tolist()  # of one, NaN
    return {
        "accuracy": [round(accuracy, 4) for accuracy in accuracies],
        "gain": gain,
        "gain_95": interval,
        "seconds": round(statistics.median(event["seconds"]["fit"] for event in found), 1),
        "steps": found[0]["steps"],
    }


if __name__ == "__main__":
    main()
