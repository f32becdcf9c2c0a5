"""How many labels an accuracy takes on Fashion-MNIST, by the default recipe; run it by hand.

    python benchmarks/label_efficiency.py --data DATA --out FOLDER [--seeds 3] [key=value ...]

Two sweeps of the product's own: 500 + 9 x 500 labels, and 2,500 + 3 x 2,500. Stopped, the same command
goes on. Prints the test accuracy at 1,000, 5,000 and 10,000 labels, and the labels that a macro-F1 of
.91 took (first crossing in the first sweep, linear between rounds).
"""

import argparse
import os
import statistics
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

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
    """Return the rounds of all finished runs of a strategy."""
    journals = map(Journal, sorted(folder.rglob(f"{strategy}/*/journal.jsonl")))
    return [journal.rounds for journal in journals if journal.finished]


def row(folder: Path, strategy: str) -> list[str]:
    """Return the cells of a strategy."""
    cells = [strategy]
    fine, coarse = (curves(folder / budget, strategy) for budget in _BUDGETS)
    for labels in _SHOWN:
        runs = fine if labels <= _BUDGETS["fine"][2] else coarse
        reached = [
            event["metrics"]["accuracy"]
            for curve in runs
            for event in curve
            if event["labels_bought"] == labels
        ]
        spread = f" ± {statistics.stdev(reached):.4f}" if len(reached) > 1 else ""
        cells.append(f"{statistics.mean(reached):.4f}{spread} ({len(reached)})" if reached else "-")
    return [*cells, ", ".join(map(needed, fine))]


def needed(curve: Curve) -> str:
    """Return the labels at which a curve first reached the wanted macro-F1."""
    labels = [event["labels_bought"] for event in curve]
    scores = [event["metrics"]["macro_f1"] for event in curve]
    crossing = labels_to_reach(labels, scores, _WANTED_F1)
    never = crossing.kind == "never"
    return f"not by {crossing.labels:,.0f}" if never else f"{crossing.labels:,.0f}"


def main() -> None:
    """Run what is missing; print the table."""
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
    titles = [*(f"{labels:,} labels" for labels in _SHOWN), f"labels for macro-F1 {_WANTED_F1}"]
    print(f"| strategy | {' | '.join(titles)} |\n|{' --- |' * (len(titles) + 1)}")
    for strategy in arguments.strategies:
        print(f"| {' | '.join(row(arguments.out, strategy))} |")


if __name__ == "__main__":
    main()
