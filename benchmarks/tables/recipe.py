"""Tables on recipes: docs/recipe.md and docs/models.md."""

import statistics
from collections.abc import Sequence
from typing import Any

from benchmarks.tables.cells import Rows, read, share, signed

_MUON = {"half": True, "optimizer": "muon"}
_BY_HAND: dict[str, dict[str, Any]] = {
    "AdamW, all steps": {"half": False},
    "AdamW, half of the steps (the next rows too)": {"half": True},
    "**Muon for the filters, learning rate .05** (the next rows too)": _MUON,
    "filters' learning rate .1": {**_MUON, "filters_lr": 0.1},
    "filters' momentum .9": {**_MUON, "filters_momentum": 0.9},
    "weight decay .1 on the filters": {**_MUON, "filters_decay": 0.1},
    "AdamW's learning rate 2e-3": {**_MUON, "lr": 0.002},
    "AdamW's learning rate 5e-3": {**_MUON, "lr": 0.005},
    "weight decay .3": {**_MUON, "weight_decay": 0.3},
    "weight decay on weights alone": {**_MUON, "decay": "weights"},
    "no label smoothing": {**_MUON, "label_smoothing": 0.0},
    "linear schedule": {**_MUON, "schedule": "linear"},
    "alternating flip": {**_MUON, "flip": "alternating"},
    "batch norm's momentum .3": {**_MUON, "norm_momentum": 0.3},
    "first layer whitened by unlabeled patches": {**_MUON, "whitened": True},
    "warm start: shrink .4, perturb .1 (seconds of both fits)": {**_MUON, "warm": True},
    "Muon for the hidden dense layer too": {"half": True, "optimizer": "muon_dense"},
    "Nesterov SGD, .05, instead of Muon and AdamW": {
        "half": True,
        "optimizer": "nesterov",
        "lr": 0.05,
        "weight_decay": 0.0005,
    },
}
_NOW = {"optimizer": "muon", "batch_size": 64, "epochs": 32, "min_steps": 750}
_CHANGED = ("padding", "filters", "label_smoothing", "shift", "cutout")
_PADDED = "`model.padding=1 model.filters=[[32,32],[64,64],[128,128]]`"
_LENGTH: dict[str, dict[str, Any]] = {
    "**the default recipe**": {},
    "batches of 32": {"batch_size": 32},
    "batches of 128": {"batch_size": 128},
    "at least 1,500 steps": {"min_steps": 1500},
    "64 epochs": {"epochs": 64},
    "`model.padding=1`": {"padding": 1},
    _PADDED: {"padding": 1, "filters": [[32, 32], [64, 64], [128, 128]]},
}
_SETS = {"cifar10": "CIFAR-10", "fashion_mnist": "Fashion-MNIST"}
_SMOOTHING = {
    "accuracy": "accuracy",
    "aubc": "its AUBC",
    "nll": "NLL",
    "ece": "ECE",
    "ece_temperature": "ECE after a temperature",
}
_DIGITS: dict[str, dict[str, Any]] = {
    "AdamW, 400 steps, smoothing .1 (before)": {"optimizer": "adamw", "min_steps": 400},
    "Muon, 200 steps, smoothing .1": {"optimizer": "muon", "min_steps": 200},
    "**Muon, 200 steps, no smoothing**": {
        "optimizer": "muon",
        "min_steps": 200,
        "label_smoothing": 0.0,
    },
}


def recipe_by_hand() -> Rows:
    """What shortens a fit, by ``benchmarks/recipe_by_hand.py``."""
    results = {_key(each["fit"]): each for each in read("recipe_by_hand")}
    rows = [["changed", "1,000 labels", "NLL", "5,000 labels", "NLL", "seconds"]]
    for name, change in _BY_HAND.items():
        found = [results.get(_key({"labels": n, "seed": 1000, **change})) for n in (1000, 5000)]
        scores = [share(each[key]) if each else "" for each in found for key in ("accuracy", "nll")]
        seconds = ", ".join(str(round(each["cpu_seconds"])) for each in found if each)
        rows.append([name, *scores, seconds])
    return rows


def recipe_now() -> Rows:
    """The recipe of before against today's, by ``benchmarks/tune_recipe.py``."""
    results = read("tune_recipe")
    rows = [
        [
            "labels",
            "before: AdamW, 1,500 steps at least",
            "now: Muon, 750 steps at least",
            "steps",
            "Muon, 16 epochs",
        ]
    ]
    for labels in (1000, 5000, 10_000):
        epoch = -(-labels // 64)
        before, now = max(1500, 32 * epoch), max(750, 32 * epoch)
        steps = f"{before:,}, both" if before == now else f"{before:,} -> {now:,}"
        shorter = "the same" if now == max(750, 16 * epoch) else _seeds(results["now"], labels, 16)
        old, new = (_seeds(results[key], labels, 32) for key in ("681acea", "now"))
        rows.append([f"{labels:,}", old, new, steps, shorter])
    return rows


def recipe_length() -> Rows:
    """Batches, epochs and network of the default recipe, by ``benchmarks/tune_recipe.py``."""
    fits = read("tune_recipe")["changes"]
    rows = [["changed", "1,000 labels", "seconds", "5,000 labels", "seconds"]]
    for name, change in _LENGTH.items():
        wanted = {**dict.fromkeys(_CHANGED), **_NOW, **change}
        same = [fit for fit in fits if all(fit.get(key) == value for key, value in wanted.items())]
        cells = []
        for labels in (1000, 5000):
            found = sorted((f for f in same if f["labels"] == labels), key=lambda f: f["seed"])
            seconds = [fit["seconds"] for fit in found]
            cells += [
                " ".join(share(fit["accuracy"]) for fit in found),
                f"{statistics.median(seconds):.0f}" if seconds else "",
            ]
        rows.append([name, *cells])
    return rows


def linear_recipe() -> Rows:
    """The recipe of a frozen network, by ``benchmarks/tune_linear.py``: some minutes."""
    found = read("tune_linear")
    budgets = list(next(iter(found.values()))[0]["accuracy"])
    titles = [f"{_SETS[dataset]}, {int(n):,} labels" for dataset in found for n in budgets]
    rows = [["recipe", *titles]]
    for same in zip(*found.values(), strict=True):
        cells = [share(each["accuracy"][n]) for each in same for n in budgets]
        rows.append([_changed(same[0]["change"]), *cells])
    return rows


def _changed(change: dict[str, Any]) -> str:
    """Return what a recipe for a linear head has of its own, in words."""
    if not change:
        return "**lr .003, weight decay 5, 15 epochs, at least 150 steps**"
    return ", ".join(f"{key.replace('_', ' ')} {value:g}" for key, value in change.items())


def recipe_digits() -> Rows:
    """Recipes for small data sets, by ``benchmarks/tune_recipe.py --dataset digits``."""
    fits = read("tune_recipe")["digits"]
    rows = [["recipe", "50 labels", "150", "300", "NLL", "ECE"]]
    for name, change in _DIGITS.items():
        wanted = {"label_smoothing": None, **change}
        found = [
            [
                fit
                for fit in fits
                if fit["labels"] == labels and all(fit.get(k) == v for k, v in wanted.items())
            ]
            for labels in (50, 150, 300)
        ]
        means = {
            key: [statistics.fmean(fit[key] for fit in same) for same in found]
            for key in ("accuracy", "nll", "ece")
        }
        cells = [", ".join(share(value, 2) for value in means[key]) for key in ("nll", "ece")]
        rows.append([name, *map(share, means["accuracy"]), *cells])
    return rows


def label_smoothing() -> Rows:
    """Smoothing of .1 against none, by ``benchmarks/label_smoothing.py``."""
    rows = [["strategy", "seeds", *_SMOOTHING.values()]]
    found: dict[str, dict[str, Any]] = {}
    for each in read("label_smoothing"):
        found.setdefault(each["strategy"], {})[each["measure"]] = each
    for strategy, measures in found.items():
        cells = [
            f"{signed(m['difference'])} [{signed(m['interval'][0])}, {signed(m['interval'][1])}] "
            f"({share(m['with'])} -> {share(m['without'])})"
            for m in (measures[name] for name in _SMOOTHING)
        ]
        rows.append([strategy, str(next(iter(measures.values()))["seeds"]), *cells])
    return rows


def label_efficiency() -> Rows:
    """What the default recipe reaches, by ``benchmarks/label_efficiency.py``: two hours."""
    results = read("label_efficiency")
    titles = [f"{int(labels):,} labels" for labels in results[0]["accuracy"]]
    rows = [["strategy", *titles, f"labels for macro-F1 {share(results[0]['wanted_f1'], 2)}"]]
    for each in results:
        cells = [
            f"{share(statistics.fmean(found))} ± {share(statistics.stdev(found))}"
            for found in each["accuracy"].values()
        ]
        labels = [f"{n:,}" if n else "not by 5,000" for n in each["labels_for_it"]]
        rows.append([each["strategy"], *cells, ", ".join(labels)])
    return rows


def fixmatch() -> Rows:
    """Learning from the unlabeled pool, by ``benchmarks/fixmatch.py``: an hour."""
    rows = [["labels", "recipe", "steps", "seconds of the fit", "accuracy", "points more"]]
    for name, each in read("fixmatch").items():
        labels, recipe = name.split(" labels, ")
        accuracy = share(statistics.fmean(each["accuracy"]))
        low, high = each["gain_95"]
        gain = "" if recipe == "supervised" else f"{each['gain']:+.1f} [{low:+.1f}, {high:+.1f}]"
        seconds = f"{each['seconds']:.0f}"
        rows.append([f"{int(labels):,}", recipe, str(each["steps"]), seconds, accuracy, gain])
    return rows


def _key(fit: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(fit.items()))


def _seeds(fits: Sequence[dict[str, Any]], labels: int, epochs: int) -> str:
    """Return the accuracy of seeds 1000 to 1002, "-" where one was not run."""
    found = {fit["seed"]: fit for fit in fits if (fit["labels"], fit["epochs"]) == (labels, epochs)}
    return " ".join(share(found[s]["accuracy"]) if s in found else "-" for s in (1000, 1001, 1002))


TABLES = (
    recipe_by_hand,
    recipe_now,
    recipe_length,
    recipe_digits,
    label_smoothing,
    label_efficiency,
    fixmatch,
    linear_recipe,
)
