"""What out-of-fold predictions are worth: wrong labels found, confidences calibrated; run it by hand.

    python benchmarks/out_of_fold.py review --data DATA --out FOLDER [--seeds 3] [digits ...]
    python benchmarks/out_of_fold.py calibration --data DATA --out FOLDER [--seeds 3] [digits ...]

Each run is one of the product's own; stopped, the same command goes on. `review` plants wrong labels
(`oracle=noisy`, 10 %), and counts how many of the first 50 and 100 that `al_lightning.review` lists are
wrong. `calibration` buys validation labels beside those that a strategy chooses. It fits temperatures
on the former, and on out-of-fold predictions of the latter, and measures the calibration error on the
test images, which neither has seen. Results go to benchmarks/results/<task>.json.
"""

import argparse
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from raw import record, recorded

from al_lightning.inference.calibrating import run_folds
from al_lightning.inference.last_weights import read_journal
from al_lightning.inference.recorded_run import RecordedRun, load_recorded
from al_lightning.inference.review import doubtful_labels
from al_lightning.run.round_predictions import load_predictions
from al_lightning.training.calibration import calibration_error, fit_temperature, tempered

_FIRST = (50, 100)
_LINEAR = ("dataset=cifar10", "model=efficientnet_lite0_linear", "model.image_size=96")
_SETTINGS: dict[str, tuple[str, ...]] = {
    "digits": ("dataset=digits", "budget.initial=100", "budget.query=100", "budget.total=300"),
    "fashion_mnist": (
        *(
            "dataset=fashion_mnist",
            "recipe.min_steps=250",
            "budget.initial=300",
            "budget.query=300",
            "budget.total=600",
        ),
    ),
    "cifar10_linear": (*(*_LINEAR, "budget.initial=500", "budget.query=500", "budget.total=2000"),),
}
_VALIDATION = {"digits": 100, "fashion_mnist": 200, "cifar10_linear": 200}


def run(task: str, name: str, strategy: str, seed: int, options: argparse.Namespace) -> RecordedRun:
    """Make a run, or go on with it; return it with its images."""
    folder = options.out / task / f"{name}-{strategy}-{seed}"
    extra = ["oracle=noisy"]
    if task == "calibration":
        total = int(_SETTINGS[name][-1].partition("=")[2]) + _VALIDATION[name]
        extra = [f"budget.validation={_VALIDATION[name]}", f"budget.total={total}"]
    command = [
        *(sys.executable, "-m", "al_lightning", *_SETTINGS[name], *extra, f"strategy={strategy}"),
        *(f"seed={seed}", "threads=1", "progress=false", f"data_root={options.data}"),
        *(f"output_root={options.out}", f"hydra.run.dir={folder}"),
    ]
    with (options.out / "log.txt").open("a") as log:
        subprocess.run(command, check=True, stdout=log, stderr=log)
    return load_recorded(read_journal(folder), place=None if name == "digits" else options.data)


def reviewed(recorded: RecordedRun) -> dict[str, Any]:
    """Return how many of the first doubtful labels are wrong."""
    (recorded.journal.path.parent / "out_of_fold.npz").unlink(missing_ok=True)  # its time counts
    begin = time.perf_counter()
    found = run_folds(recorded)
    seconds = time.perf_counter() - begin
    wrong = found.labels != recorded.learner.data.train.labels[found.ids]
    doubtful = doubtful_labels(found).rows
    return {
        "labels": len(found.labels),
        "wrong": int(wrong.sum()),
        "doubtful": len(doubtful),
        "wrong_among_doubtful": int(wrong[doubtful].sum()),
        **{f"wrong_in_first_{count}": int(wrong[doubtful[:count]].sum()) for count in _FIRST},
        "seconds": round(seconds, 1),
    }


def calibrated(recorded: RecordedRun) -> dict[str, Any]:
    """Return the calibration error on the test images, by where the temperature comes from."""
    last = recorded.journal.rounds[-1]
    folder = recorded.journal.path.parent / "predictions"
    found = load_predictions(folder / f"round_{last['round']:02d}.npz")
    labels = recorded.learner.data.test.labels[found.ids]
    logits, folds = found.log_probabilities, run_folds(recorded)
    temperatures = {
        "none": 1.0,
        "validation": last["calibration"]["temperature"],
        "out_of_fold": folds.calibration().temperature,
        "test": fit_temperature(
            logits, labels
        ),  # the best there is, from the test labels themselves
    }
    errors = {k: calibration_error(tempered(logits, t), labels) for k, t in temperatures.items()}
    return {
        "labels": len(folds.labels),
        "accuracy": last["metrics"]["accuracy"],
        "temperature": {name: round(value, 4) for name, value in temperatures.items()},
        "ece_on_test": {name: round(value, 4) for name, value in errors.items()},
        "validation": last["calibration"],
    }


def show(rows: Sequence[Mapping[str, Any]]) -> None:
    """Print the mean of each figure over the seeds."""
    for name, strategy in dict.fromkeys((row["setting"], row["strategy"]) for row in rows):
        same = [r for r in rows if (r["setting"], r["strategy"]) == (name, strategy)]
        flat = [{**r, **{f"ece_{k}": v for k, v in r.get("ece_on_test", {}).items()}} for r in same]
        keys = [key for key, value in flat[0].items() if isinstance(value, int | float)]
        means = {key: round(statistics.mean(row[key] for row in flat), 4) for key in keys}
        print(name, strategy, means)


def main() -> None:
    """Run, measure, print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("task", choices=("review", "calibration"))
    parser.add_argument("settings", nargs="*", default=[*_SETTINGS])
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--strategies", nargs="+", default=["margin", "random"])
    options = parser.parse_args()
    options.out = options.out.absolute()
    options.out.mkdir(parents=True, exist_ok=True)
    measure = reviewed if options.task == "review" else calibrated
    rows = recorded(options.task) or []
    for name in options.settings:
        for strategy in options.strategies:
            for seed in range(options.seeds):
                place = {"setting": name, "strategy": strategy, "seed": seed}
                rows = [row for row in rows if {key: row[key] for key in place} != place]
                rows.append({**place, **measure(run(options.task, name, strategy, seed, options))})
                record(options.task, rows)
    show(rows)


if __name__ == "__main__":
    main()
