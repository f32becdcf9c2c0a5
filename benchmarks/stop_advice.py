r"""How good the advice on stopping was, on finished runs; run it by hand.

    python -m al_lightning -m dataset=digits recipe=small recipe.min_steps=150 budget.initial=20 \
        budget.query=20 budget.validation=100 budget.total=360 strategy=margin,random,badge,entropy \
        seed=0,1,2,3,4,5 threads=1 report=false output_root=digits
    mkdir cifar10 && tar xJf study/journals/a.tar.xz -C cifar10
    python benchmarks/stop_advice.py digits=.95 cifar10=.8

Each argument is a folder of runs, and a target accuracy. A run is read round by round, as if it had
only come so far. Printed is a line for each rule to stop by: in how many runs it said so, with which
share of the labels, and how much test accuracy was lost against the whole budget. Then how often the
bands held the truth: of the accuracy, with up to twice the labels, on the images that the curve was
fitted to and on the test images; and of the labels to the target, between the round that reached it and
the one before. Last, the kappa of the last rounds of two seeds of a strategy. Everything goes to
benchmarks/results/stop_advice.json.
"""

import argparse
import math
from collections.abc import Callable, Mapping
from itertools import combinations
from pathlib import Path
from statistics import mean
from typing import Any

from raw import record

from al_lightning.run.advice.advice import Advice, advise
from al_lightning.run.advice.agreement import agreement_of
from al_lightning.run.advice.learning_curve import fit_learning_curve
from al_lightning.run.advice.of_run import agreements_in
from al_lightning.run.advice.pool_predictions import load_pool_predictions, predictions_file
from al_lightning.run.advice.settings import AdviceSettings
from al_lightning.run.journal import Journal

_WORTH = 0.01  # accuracy that twice the labels must promise


def _kappa(least: float) -> Callable[[Advice], bool]:
    return lambda advice: advice.mean_kappa is not None and advice.mean_kappa >= least


def _little_to_gain(advice: Advice) -> bool:
    if advice.forecast is None or advice.accuracy is None:
        return False
    return advice.forecast.accuracy[1] <= advice.accuracy.value + _WORTH


RULES: Mapping[str, Callable[[Advice], bool]] = {
    **{f"mean kappa >= {least}": _kappa(least) for least in (0.99, 0.98, 0.95, 0.9)},
    f"twice the labels bring at most {_WORTH}": _little_to_gain,
    "the target is reached": lambda advice: advice.reached,
}


def examine(journal: Journal, target: float) -> dict[str, Any]:
    """Return when each rule said stop in a run, and which bands held the truth."""
    rounds, start = journal.rounds, journal.start or {}
    settings, tested = AdviceSettings(target=target), start["data"]["test"]
    agreements = agreements_in(journal.path.parent, rounds)
    key = "validation" if "validation" in rounds[0] else "metrics"
    measured = [event[key]["accuracy"] for event in rounds]
    scores = [event["metrics"]["accuracy"] for event in rounds]
    pools = [journal.pool_in(event["round"]) for event in rounds]
    trained = [len(pool.labeled_ids) for pool in pools]
    images = len(pools[-1].validation_ids) if key == "validation" else tested
    first = next((i for i, score in enumerate(scores) if score >= target), None)
    stops: dict[str, int] = {}
    bands: dict[str, list[bool]] = {"fitted": [], "test": [], "labels": []}
    widths, ends = [], []
    for i in range(len(rounds)):
        advice = advise(
            settings, rounds[: i + 1], trained[: i + 1], agreements[: i + 1], pools[i], tested
        )
        for name, says_stop in RULES.items():
            if says_stop(advice):
                stops.setdefault(name, i)
        curve = fit_learning_curve(trained[: i + 1], measured[: i + 1], images)
        if curve is None:
            continue
        later = [j for j in range(i + 1, len(rounds)) if trained[j] <= 2 * trained[i]]
        if later:
            low, high = curve.accuracy_at(trained[later[-1]])
            bands["fitted"].append(low <= measured[later[-1]] <= high)
            bands["test"].append(low <= scores[later[-1]] <= high)
            widths.append(high - low)
        if measured[i] < target and first is not None and first > i:
            low, high = curve.labels_to(target)
            bands["labels"].append(low <= trained[first] and high >= trained[first - 1])
            ends.append(math.isfinite(high))
    return {
        "strategy": journal.config["names"]["strategy"],
        "seed": journal.config["seed"],
        "measured_on": key,
        "labels": trained,
        "accuracies": scores,
        "kappas": [None if each is None else each.kappa for each in agreements],
        "stops": {
            name: {"share": trained[i] / trained[-1], "lost": scores[-1] - scores[i]}
            for name, i in stops.items()
        },
        "bands": bands,
        "widths": widths,
        "bounded": ends,
    }


def between_seeds(journals: list[Journal]) -> list[float]:
    """Return how far the last rounds of two seeds of a strategy agree; none without files."""
    found: dict[str, list[Path]] = {}
    for journal in journals:
        path = predictions_file(journal.path.parent, journal.rounds[-1]["round"])
        if path.exists():
            found.setdefault(journal.config["names"]["strategy"], []).append(path)
    pairs = [pair for paths in found.values() for pair in combinations(paths, 2)]
    agreements = [agreement_of(*map(load_pool_predictions, pair)) for pair in pairs]
    return [each.kappa for each in agreements if each is not None]


def summary(runs: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the figures that are printed, over all runs of a data set."""
    rules = {}
    for name in RULES:
        found = [run["stops"][name] for run in runs if name in run["stops"]]
        rules[name] = {
            "runs": len(found),
            **({"share": mean(f["share"] for f in found)} if found else {}),
            **({"lost": mean(f["lost"] for f in found)} if found else {}),
            **({"most_lost": max(f["lost"] for f in found)} if found else {}),
        }
    bands = {
        name: [held for run in runs for held in run["bands"][name]]
        for name in ("fitted", "test", "labels")
    }
    held = {name: {"bands": len(v), "held": mean(v) if v else None} for name, v in bands.items()}
    widths = [width for run in runs for width in run["widths"]]
    bounded = [end for run in runs for end in run["bounded"]]
    return {
        "runs": len(runs),
        "rules": rules,
        "bands": held,
        "mean_width": mean(widths) if widths else None,
        "bounded": mean(bounded) if bounded else None,
    }


def main() -> None:
    """Examine all runs, print a table, and write everything down."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("folders", nargs="+", metavar="FOLDER=TARGET")
    arguments = parser.parse_args()
    results = {}
    for given in arguments.folders:
        folder, _, target = given.rpartition("=")
        paths = sorted(Path(folder).rglob("journal.jsonl"))
        journals = [journal for journal in map(Journal, paths) if len(journal.rounds) > 1]
        journals = [journal for journal in journals if journal.finished]
        runs = [examine(journal, float(target)) for journal in journals]
        kappas = between_seeds(journals)
        found = {**summary(runs), "kappa_between_seeds": mean(kappas) if kappas else None}
        results[Path(folder).name] = {"target": float(target), "summary": found, "runs": runs}
        print(f"\n{Path(folder).name}: {found['runs']} runs")
        print("| said stop | runs | share of labels | accuracy lost | at most |\n|" + " --- |" * 5)
        for name, rule in found["rules"].items():
            figures = [rule.get(key) for key in ("share", "lost", "most_lost")]
            cells = ["-" if value is None else f"{value:.3f}" for value in figures]
            print(f"| {name} | {rule['runs']} | {' | '.join(cells)} |")
        print({k: v for k, v in found.items() if k not in ("rules", "runs")})
    record("stop_advice", results)


if __name__ == "__main__":
    main()
