"""Label smoothing of .1 against none, by strategies, on validation labels; run it by hand.

    python benchmarks/label_smoothing.py --output FOLDER [--seeds 5]

Fashion-MNIST (from AL_LIGHTNING_DATA), the default recipe, 500 + 2 x 500 labels and 5,000 for
validation, margin, entropy and badge, one thread. Prints the means at the last round without and with
smoothing, and the difference (without minus with), paired by seed, with the 95 % interval of Student's
t: accuracy, its area under the curve, NLL, and the calibration error before and after a temperature
that is fitted on other validation labels. Seeds that lack a run are left out; finished runs are kept.
Figures go to benchmarks/results/label_smoothing.json.
"""

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
from raw import record

from al_lightning.report.statistics.paired import mean_interval
from al_lightning.run.curve import area_under_budget_curve
from al_lightning.run.journal import Journal

STRATEGIES, SMOOTHINGS = ("margin", "entropy", "badge"), ("0.0", "0.1")
_BUDGET = ("budget.validation=5000", "budget.total=6500")


def main() -> None:
    """Make the runs that are missing, print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--report", action="store_true", help="make no runs, show what there is")
    given = parser.parse_args()
    seeds = range(given.seeds)
    if not given.report:
        command = [
            *(sys.executable, "-m", "al_lightning", "-m", "dataset=fashion_mnist", "threads=1"),
            *(f"seed={','.join(map(str, seeds))}", f"strategy={','.join(STRATEGIES)}"),
            *(f"recipe.label_smoothing={','.join(SMOOTHINGS)}", *_BUDGET, "report=false"),
            f"output_root={given.output}",
        ]
        subprocess.run(command, check=True)
    found = {
        (strategy, smoothing): by_seed(given.output, strategy, smoothing)
        for strategy in STRATEGIES
        for smoothing in SMOOTHINGS
    }
    table = [row for strategy in STRATEGIES for row in rows(strategy, found)]
    for row in table:
        print(json.dumps(row))
    record("label_smoothing", table)


def by_seed(output: Path, strategy: str, smoothing: str) -> dict[int, dict[str, float]]:
    """Return the measures of each finished run, by seed."""
    pattern = f"fashion_mnist/cnn/{strategy}/seed=*label_smoothing={smoothing}*/journal.jsonl"
    found = {}
    for path in sorted(output.glob(pattern)):
        journal = Journal(path)
        if journal.finished:
            found[journal.config["seed"]] = measures(journal.rounds)
    return found


def measures(rounds: list[dict[str, Any]]) -> dict[str, float]:
    """Return what the validation labels say of a run."""
    last, curve = rounds[-1], [event["validation"]["accuracy"] for event in rounds]
    labels = [event["labels_bought"] for event in rounds]
    return {
        "accuracy": curve[-1],
        "aubc": area_under_budget_curve(labels, curve),
        "nll": last["validation"]["nll"],
        "ece": last["validation"]["ece"],
        "ece_temperature": last["calibration"]["ece_after"],
    }


def rows(
    strategy: str, found: dict[tuple[str, str], dict[int, dict[str, float]]]
) -> list[dict[str, Any]]:
    """Return a row for each measure of a strategy."""
    without, smoothed = (found[strategy, smoothing] for smoothing in SMOOTHINGS)
    seeds = sorted(without.keys() & smoothed.keys())
    names = list(without[seeds[0]]) if seeds else []
    return [
        {"strategy": strategy, "measure": name, "seeds": len(seeds)}
        | _compared([without[s][name] for s in seeds], [smoothed[s][name] for s in seeds])
        for name in names
    ]


def _compared(without: list[float], smoothed: list[float]) -> dict[str, Any]:
    differences = [a - b for a, b in zip(without, smoothed, strict=True)]
    mean, *interval = np.array(mean_interval(differences), float).round(4).tolist()  # of one, NaN
    return {
        "without": round(statistics.mean(without), 4),
        "with": round(statistics.mean(smoothed), 4),
        "difference": mean,
        "interval": interval,
    }


if __name__ == "__main__":
    main()
