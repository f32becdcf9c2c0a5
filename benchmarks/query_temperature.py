"""What the temperature of `uherding` is worth: ours, the authors', and none; run it by hand.

    python benchmarks/query_temperature.py --output FOLDER [--seeds 5]

CIFAR-10 (from AL_LIGHTNING_DATA) with the frozen efficientnet_lite0, 10 to 1,000 labels; the coverage
is the mean over 2,000 images, one thread. The temperature is that of out-of-fold predictions, as the
product has it; or that of 1 to 20 with the least calibration error on 30 % of the labels, of a
classifier that trains on the others (Bae et al. 2025); or 1. Runs of a seed differ in nothing else.
Prints the mean accuracy by budget, the medians of the temperatures, and the difference from the
authors' in the area under the curve, paired by seed, with the 95 % interval of Student's t. Finished
runs are kept. Figures go to benchmarks/results/query_temperature.json.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

from raw import record

from al_lightning.report.statistics.paired import mean_interval
from al_lightning.run.curve import area_under_budget_curve
from al_lightning.run.journal import Journal

METHODS = ("authors", "out of fold", "none")
_METHOD = "AL_LIGHTNING_TEMPERATURE"  # of a run
_TRAINED = 0.7  # of the labels, by the authors
_BUDGET = ("budget.initial=10", "budget.query=[10,30,50,100,300,500]", "budget.total=1000")


def main() -> None:
    """Make the runs that are missing, print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=5)
    given = parser.parse_args()
    runs: dict[str, list[list[dict[str, Any]]]] = {method: [] for method in METHODS}
    for seed in range(given.seeds):
        for method in METHODS:
            runs[method].append(run(given.output, method, seed))
    table = {method: row(runs[method], runs["authors"]) for method in METHODS}
    print(json.dumps(table, indent=1))
    record("query_temperature", {"seeds": given.seeds, "methods": table})


def run(output: Path, method: str, seed: int) -> list[dict[str, Any]]:
    """Make a run, unless it is finished; return its rounds."""
    folder = output / method.replace(" ", "_") / f"{seed}"
    command = [
        *(sys.executable, __file__, "dataset=cifar10", "model=efficientnet_lite0_linear"),
        *("strategy=uherding", "strategy.exact_up_to=2000", "strategy.references=2000"),
        *(f"seed={seed}", "threads=1", *_BUDGET, f"hydra.run.dir='{folder}'"),
        f"output_root={output}",
    ]
    subprocess.run(command, check=True, capture_output=True, env=os.environ | {_METHOD: method})
    return Journal(folder / "journal.jsonl").rounds


def row(runs: list[list[dict[str, Any]]], base: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """Return the means of some runs by budget, and the paired difference from others."""
    budgets = [event["labels_bought"] for event in runs[0]]
    temperatures = [
        statistics.median(rounds[k]["query_temperature"] for rounds in runs)
        for k in range(len(budgets) - 1)  # the last round makes no query
    ]
    differences = [area(one) - area(other) for one, other in zip(runs, base, strict=True)]
    mean, *interval = mean_interval(differences)
    return {
        "accuracy": {
            str(budget): statistics.fmean(rounds[k]["metrics"]["accuracy"] for rounds in runs)
            for k, budget in enumerate(budgets)
        },
        "temperature": dict(zip(map(str, budgets), temperatures, strict=False)),
        "aubc": statistics.fmean(map(area, runs)),
        "difference": mean,
        "interval": interval,
    }


def area(rounds: list[dict[str, Any]]) -> float:
    """Return the area under the curve of accuracy over labels."""
    budgets = [event["labels_bought"] for event in rounds]
    return (
        area_under_budget_curve(budgets, [event["metrics"]["accuracy"] for event in rounds]) or 0.0
    )


def run_with(method: str) -> None:
    """Run the product's own command with another temperature."""
    from al_lightning.cli.app import main as command  # noqa: PLC0415
    from al_lightning.loop import loop  # noqa: PLC0415
    from al_lightning.training.temperature import temperature_of  # noqa: PLC0415

    found = {"authors": authors, "none": lambda *_: 1.0, "out of fold": temperature_of}[method]
    with patch.object(loop, "temperature_of", found):
        command()


def authors(learner: Any, fitted: Any) -> float:
    """Return the temperature of least calibration error on labels that a second classifier has not."""
    import torch  # noqa: PLC0415

    from al_lightning.models.metrics import ExpectedCalibrationError  # noqa: PLC0415
    from al_lightning.run.pool import Pool  # noqa: PLC0415
    from al_lightning.training.calibration import tempered, to_logits  # noqa: PLC0415
    from al_lightning.utils.randomness import derive_generator  # noqa: PLC0415

    pool = fitted.pool
    generator = derive_generator(learner.seed, "authors", fitted.index)
    order = torch.randperm(len(pool.labeled_ids), generator=generator)
    trained, held = order[: int(_TRAINED * len(order))], order[int(_TRAINED * len(order)) :]
    part = Pool(pool.size, pool.labeled_ids[trained], pool.labels[trained])
    logits = to_logits(learner.fit_apart(fitted.index, part).probabilities(pool.labeled_ids[held]))
    learner.datamodule.begin_round(pool, 0)

    def error(temperature: float) -> float:
        metric = ExpectedCalibrationError()
        metric.update(tempered(logits, temperature), pool.labels[held])
        return float(metric.compute())

    return min((float(k) for k in range(1, 21)), key=error)


if __name__ == "__main__":
    if _METHOD in os.environ:
        run_with(os.environ.pop(_METHOD))
    else:
        main()
