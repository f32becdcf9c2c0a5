"""How many labels an accuracy takes on Fashion-MNIST, by the default recipe; run it by hand.

    python benchmarks/label_efficiency.py --data DATA --out FOLDER [--seeds 3] [key=value ...]

Two sweeps of the product's own: 500 + 9 x 500 labels, and 2,500 + 3 x 2,500. Stopped, the same command
goes on. Keeps the test accuracies at 1,000, 5,000 and 10,000 labels, and the labels that a macro-F1 of
.91 took (first crossing in the first sweep, linear between rounds; None where it was not reached), seed
by seed, in benchmarks/results/label_efficiency.json; docs/recipe.md shows them.
"""

import argparse
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from raw import record

from al_lightning.report.statistics.efficiency import labels_to_reach
from al_lightning.run.journal import Journal

_ROOT = Path(__file__).resolve().parents[1]
_BUDGETS = {"fine": (500, 500, 5000), "coarse": (2500, 2500, 10000)}
_SHOWN = (1000, 5000, 10000)
_WANTED_F1 = 0.91

Curve = Sequence[Mapping[str, Any]]


def sweep(budget: str, arguments: argparse.Namespace, overrides: Sequence[str]) -> None:
    """Run, or go on with, all runs of one budget."""
    initial, query, total = _BUDGETS[budget]
    subprocess.run(
        [
            *(sys.executable, "-m", "al_lightning", "-m", "dataset=fashion_mnist"),
            *(f"strategy={','.join(arguments.strategies)}", "threads=1", "report=false"),
            f"seed={','.join(map(str, range(arguments.seeds)))}",
            *(f"budget.initial={initial}", f"budget.query={query}", f"budget.total={total}"),
            *("hydra/launcher=joblib", f"hydra.launcher.n_jobs={arguments.jobs}"),
            *(f"data_root={arguments.data}", f"output_root={arguments.out / budget}", *overrides),
        ],
        env={**os.environ, "PYTHONPATH": str(_ROOT)},
        check=True,
    )


def curves(folder: Path, strategy: str) -> list[Curve]:
    """Return the rounds of all finished runs of a strategy, by seed."""
    journals = map(Journal, sorted(folder.rglob(f"{strategy}/*/journal.jsonl")))
    return [journal.rounds for journal in journals if journal.finished]


def figures(folder: Path, strategy: str) -> dict[str, Any]:
    """Return what the runs of a strategy reached."""
    fine, coarse = (curves(folder / budget, strategy) for budget in _BUDGETS)
    accuracies = {
        str(labels): reached(fine if labels <= _BUDGETS["fine"][2] else coarse, labels)
        for labels in _SHOWN
    }
    return {
        "strategy": strategy,
        "accuracy": accuracies,
        "wanted_f1": _WANTED_F1,
        "labels_for_it": [*map(needed, fine)],
        "fit_seconds": [sum(event["seconds"]["fit"] for event in curve) for curve in fine],
    }


def reached(runs: Sequence[Curve], labels: int) -> list[float]:
    """Return the test accuracies with so many labels."""
    return [
        round(event["metrics"]["accuracy"], 4)
        for curve in runs
        for event in curve
        if event["labels_bought"] == labels
    ]


def needed(curve: Curve) -> float | None:
    """Return the labels at which a curve first reached the wanted macro-F1."""
    labels = [event["labels_bought"] for event in curve]
    scores = [event["metrics"]["macro_f1"] for event in curve]
    crossing = labels_to_reach(labels, scores, _WANTED_F1)
    return None if crossing.kind == "never" else round(crossing.labels)


def main() -> None:
    """Run what is missing; print and keep the figures."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", default=os.environ.get("AL_LIGHTNING_DATA", "data"))
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--strategies", nargs="+", default=["random", "margin"])
    parser.add_argument("--show", action="store_true", help="only what is there already")
    arguments, overrides = parser.parse_known_args()
    arguments.out = arguments.out.absolute()
    if not arguments.show:
        for budget in _BUDGETS:
            sweep(budget, arguments, overrides)
    table = [figures(arguments.out, strategy) for strategy in arguments.strategies]
    for row in table:
        print(json.dumps(row))
    record("label_efficiency", table)


if __name__ == "__main__":
    main()
