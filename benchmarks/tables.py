"""Makes tables of docs/ from the raw results in benchmarks/results/.

    python -m benchmarks.tables            # writes what differs, and names the pages
    python -m benchmarks.tables --check    # writes nothing; exits with 1 where a table differs

A table stands between ``<!-- table: NAME -->`` and ``<!-- /table -->``. NAME is a function of this
file, which reads the results that a script has left and returns the rows. A test compares the two.
Where there are no results yet, the table stays as it is, and the command names the script.
"""

import argparse
import json
import math
import re
import statistics
import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
DOCS, RESULTS = ROOT / "docs", ROOT / "benchmarks" / "results"
_MARKED = re.compile(r"(<!-- table: (\w+) -->\n)(.*?)(<!-- /table -->)", re.DOTALL)
Rows = list[list[str]]


def with_tables(text: str) -> str:
    """Return a page with all of its tables made anew.

    Raises:
        KeyError: If a marker names no table.
    """
    return _MARKED.sub(_made, text)


def _made(found: re.Match[str]) -> str:
    try:
        rows = TABLES[found[2]]()
    except FileNotFoundError:
        return found[0]
    return f"{found[1]}\n{_markdown(rows)}\n{found[4]}"


def recipe_by_hand() -> Rows:
    """The sixth pass of docs/recipe.md, by ``benchmarks/recipe_by_hand.py``."""
    results = {_key(each["fit"]): each for each in _read("recipe_by_hand")}
    rows = [["changed", "1,000 labels", "NLL", "5,000 labels", "NLL", "seconds"]]
    for name, change in _SIXTH_PASS.items():
        found = [results.get(_key({"labels": n, "seed": 1000, **change})) for n in (1000, 5000)]
        scores = [
            _share(each[key]) if each else "" for each in found for key in ("accuracy", "nll")
        ]
        seconds = ", ".join(str(round(each["cpu_seconds"])) for each in found if each)
        rows.append([name, *scores, seconds])
    return rows


def recipe_now() -> Rows:
    """The recipe of before against today's, by ``benchmarks/tune_recipe.py``."""
    results = _read("tune_recipe")
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


def round_wait() -> Rows:
    """The wait between rounds of a frozen network, by ``benchmarks/round_wait.py``."""
    found = _read("round_wait")
    rows = [["strategy", "before", "now", "of that fit", "select", "load"]]
    for name in dict.fromkeys(key.partition(",")[0] for key in found):
        now, before = found[f"{name}, now"], found[f"{name}, before"]
        parts = [f"{each['processor']:.2f} s" for each in (before, now)]
        rows.append(
            [name, *parts, f"{now['fit']:.2f} s", f"{now['select']:.2f} s", str(now["load"])]
        )
    return rows


def label_smoothing() -> Rows:
    """Smoothing of .1 against none, by ``benchmarks/label_smoothing.py``."""
    rows = [["strategy", "seeds", *_SMOOTHING.values()]]
    found: dict[str, dict[str, Any]] = {}
    for each in _read("label_smoothing")["results"]:
        found.setdefault(each["strategy"], {})[each["measure"]] = each
    for strategy, measures in found.items():
        cells = [
            f"{_signed(m['difference'])} [{_signed(m['interval'][0])}, {_signed(m['interval'][1])}] "
            f"({_share(m['with'])} -> {_share(m['without'])})"
            for m in (measures[name] for name in _SMOOTHING)
        ]
        rows.append([strategy, str(next(iter(measures.values()))["seeds"]), *cells])
    return rows


def fixmatch() -> Rows:
    """Learning from the unlabeled pool, by ``benchmarks/fixmatch.py``: an hour."""
    rows = [["labels", "recipe", "steps", "seconds of the fit", "accuracy", "points more"]]
    for name, each in _read("fixmatch").items():
        labels, recipe = name.split(" labels, ")
        accuracy = _share(statistics.fmean(each["accuracy"]))
        low, high = each["gain_95"]
        gain = "" if recipe == "supervised" else f"{each['gain']:+.1f} [{low:+.1f}, {high:+.1f}]"
        seconds = f"{each['seconds']:.0f}"
        rows.append([f"{int(labels):,}", recipe, str(each["steps"]), seconds, accuracy, gain])
    return rows


def query_temperature() -> Rows:
    """The temperature of uherding, by ``benchmarks/query_temperature.py``: 15 minutes."""
    methods = _read("query_temperature")["results"]["methods"]
    budgets = [*next(iter(methods.values()))["accuracy"]]
    rows = [["temperature", *(f"{int(b):,} labels" for b in budgets), "area", "difference"]]
    for method, each in methods.items():
        found = each["temperature"]
        cells = [
            _share(accuracy) + (f" (T {found[b]:.2g})" if b in found else "")
            for b, accuracy in each["accuracy"].items()
        ]
        low, high = each["interval"]
        gap = f"{_signed(each['difference'])} [{_signed(low)}, {_signed(high)}]"
        gap = "" if method == "authors" else gap
        rows.append([method, *cells, _share(each["aubc"]), gap])
    return rows


def label_efficiency() -> Rows:
    """What the default recipe reaches, by ``benchmarks/label_efficiency.py``: two hours."""
    results = _read("label_efficiency")["results"]
    titles = [f"{int(labels):,} labels" for labels in results[0]["accuracy"]]
    rows = [["strategy", *titles, f"labels for macro-F1 {_share(results[0]['wanted_f1'], 2)}"]]
    for each in results:
        cells = [
            f"{_share(statistics.fmean(found))} ± {_share(statistics.stdev(found))}"
            for found in each["accuracy"].values()
        ]
        labels = [f"{n:,}" if n else "not by 5,000" for n in each["labels_for_it"]]
        rows.append([each["strategy"], *cells, ", ".join(labels)])
    return rows


def clusters() -> Rows:
    """K-means against that of scikit-learn, by ``benchmarks/clusters.py``."""
    titles = ["clusters", "scikit-learn", "here", "ratio", "squares within", "here"]
    rows = [titles]
    for count, methods in _read("clusters").items():
        theirs, ours = methods["scikit-learn"], methods["here"]
        ratio = theirs["seconds"] / ours["seconds"]
        cells = [f"{each['seconds']:.2f} s" for each in (theirs, ours)]
        within = [_share(each["within"], 4) for each in (theirs, ours)]
        rows.append([count, *cells, f"{ratio:.1f}", *within])
    return rows


def overhead() -> Rows:
    """Where the time of a run goes, by ``benchmarks/overhead.py``: three minutes."""
    runs = _read("overhead")["results"]
    names = list(runs["short"])
    rows = [["seconds", "short run", "share", "default recipe", "share"]]
    totals = {run: sum(seconds.values()) for run, seconds in runs.items()}
    for name in [*names, "total"]:
        cells = []
        for run, total in totals.items():
            spent = total if name == "total" else runs[run].get(name, 0.0)
            cells += [f"{spent:.1f}", f"{100 * spent / total:.1f} %"]
        rows.append([name, *cells])
    return rows


def selection_peers() -> Rows:
    """Selections against those of scikit-activeml, by ``benchmarks/selection_peers.py``."""
    rows = [["selection", "scikit-activeml", "here", "ratio", "extra memory", "here", "same picks"]]
    for part, each in sorted(_read("selection_peers")["results"].items()):
        labeled = f", {each['labeled']:,} labeled" if each["labeled"] else ""
        name = f"{part}, {each['pool']:,} x 512{labeled}, {each['picks']:,} picks"
        seconds = [f"{found:.2f} s" for found in each["seconds"]]
        memory = [f"{found:,} MiB" for found in each["memory_mib"]]
        same = f"{each['same_picks']:,}"
        rows.append([name, *seconds, f"{each['ratio']:,.1f}", *memory, same])
    return rows


def ten_million() -> Rows:
    """Selection from ten million images, by ``benchmarks/ten_million.py``: ten minutes."""
    results = _read("ten_million")
    sizes = [f"{int(size):,} images" for size in next(iter(results.values()))["seconds"]]
    rows = [["strategy", *sizes, "exponent", "memory"]]
    for name, each in results.items():
        seconds = [f"{found:.3g} s" for found in each["seconds"].values()]
        rows.append(
            [f"`{name}`", *seconds, f"{each['exponent']:.2f}", f"{each['anonymous_mib']:,} MiB"]
        )
    return rows


def recipe_digits() -> Rows:
    """Recipes for small data sets, by ``benchmarks/tune_recipe.py --dataset digits``."""
    fits = _read("tune_recipe")["digits"]
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
        cells = [", ".join(_share(value, 2) for value in means[key]) for key in ("nll", "ece")]
        rows.append([name, *map(_share, means["accuracy"]), *cells])
    return rows


def review() -> Rows:
    """Wrong labels that a review finds, by ``benchmarks/out_of_fold.py review``."""
    rows = [
        ["data set", "labels, wrong ones", "doubtful, of these wrong", "wrong among the first 50",
         "first 100"]
    ]  # fmt: skip
    for setting, name in _REVIEWED.items():
        runs = [run for run in _read("review") if run["setting"] == setting]
        mean = {key: _mean(runs, key) for key in runs[0] if key not in ("setting", "strategy")}
        rows.append(
            [
                name,
                f"{mean['labels']:,.0f}, {mean['wrong']:.0f}",
                f"{mean['doubtful']:.0f}, {mean['wrong_among_doubtful']:.0f}",
                f"{mean['wrong_in_first_50']:.0f}",
                f"{mean['wrong_in_first_100']:.0f}",
            ]
        )
    return rows


def calibration() -> Rows:
    """Calibration errors on test images, by ``benchmarks/out_of_fold.py calibration``."""
    columns = ("none", "validation", "out_of_fold", "test")
    rows = [
        [
            "data set",
            "labels, accuracy",
            "without",
            "200 validation labels (digits: 100)",
            "out of fold",
            "the best temperature",
        ]
    ]
    for setting, name in _CALIBRATED.items():
        runs = [run for run in _read("calibration") if run["setting"] == setting]
        errors = [_mean([run["ece_on_test"] for run in runs], column) for column in columns]
        size = f"{runs[0]['labels']:,}, {_share(_mean(runs, 'accuracy'))}"
        rows.append([name, size, *map(_share, errors)])
    return rows


def stop_rules() -> Rows:
    """What advice on stopping would have cost, by ``benchmarks/stop_advice.py``."""
    found = _read("stop_advice")["digits"]["summary"]
    rows = [['said "stop"', "runs", "labels used", "accuracy lost, points", "at most"]]
    for rule, name in _RULES.items():
        each = found["rules"][rule]
        lost = [f"{100 * each[key]:.1f}" for key in ("lost", "most_lost")]
        rows.append(
            [name, f"{each['runs']} of {found['runs']}", f"{100 * each['share']:.0f}%", *lost]
        )
    return rows


def stop_bands() -> Rows:
    """How often bands held the truth, by ``benchmarks/stop_advice.py``."""
    digits, cifar10 = (_read("stop_advice")[name]["summary"] for name in ("digits", "cifar10"))

    def held(summary: dict[str, Any], kind: str) -> str:
        band = summary["bands"][kind]
        return f"{100 * band['held']:.0f}% of {band['bands']}"

    return [
        ["bands of 80% that held the truth",
         "digits, 100 validation labels", "CIFAR-10, 10,000 test images"],
        ["accuracy with up to twice the labels, on the images of the curve",
         held(digits, "fitted"), held(cifar10, "fitted")],
        ["the same, on the test images", held(digits, "test"), "the same images"],
        ["labels to the target", held(digits, "labels"), held(cifar10, "labels")],
        ["mean width of the first, points",
         *(f"{100 * each['mean_width']:.1f}" for each in (digits, cifar10))],
        ["labels to the target with an upper end",
         *(f"{100 * each['bounded']:.0f}%" for each in (digits, cifar10))],
    ]  # fmt: skip


def whole_run() -> Rows:
    """A whole run against hand-written loops and baal's, by ``benchmarks/whole_run.py``: an hour."""
    found = _read("whole_run")["results"]
    rows = [
        ["contender", "seconds, median", "ratio", "CPU seconds", "ratio", "accuracy at 3,000, mean"]
    ]
    first = next(iter(_CONTENDERS))
    for contender, name in _CONTENDERS.items():
        cells = []
        for kind in ("seconds", "cpu"):
            times = found[kind][contender]
            pairs = zip(times, found[kind][first], strict=True)
            ratio = statistics.median(mine / other for mine, other in pairs)
            cells += [f"{statistics.median(times):.1f}", f"{ratio:.2f}".replace("1.00", "1")]
        rows.append([name, *cells, _share(statistics.fmean(found["accuracy"][contender]))])
    return rows


def sweeps() -> Rows:
    """Runs an hour of a sweep, by ``benchmarks/sweeps.py``: ten minutes."""
    found = _read("sweeps")["results"]
    rows = [["sweep of 8 runs", "seconds", "runs per hour", "fits of round 0"]]
    for case, name in _SWEEPS.items():
        seconds = statistics.median(found["seconds"][case])
        hour = 3600 * found["runs"] / seconds
        rows.append([name, f"{seconds:.0f}", f"{hour:.0f}", str(found["fits"][case])])
    return rows


def startup() -> Rows:
    """Seconds of starting, by ``benchmarks/startup.py``: three minutes."""
    found = _read("startup")["results"]
    rows = [["command", "seconds"]]
    for command, name in _STARTS.items():
        rows.append([name, f"{statistics.median(wall for wall, _ in found[command]):.2f}"])
    return rows


def selection_scaling() -> Rows:
    """Selection as the pool grows, by ``benchmarks/selection_scaling.py --write``: two hours."""
    found = {
        name: {int(size): point for size, point in points.items()}
        for name, points in _read("selection_scaling")["results"].items()
    }
    sizes = sorted({size for points in found.values() for size in points})
    titles = [f"{size:,}" for size in sizes]
    rows = [["strategy", *titles, "exponent", "extra memory at the largest", "exponent"]]
    for name, points in found.items():
        have = [size for size in sizes if size in points]
        last = points[have[-1]]
        share = last["extra"] / last["evidence"] if last["evidence"] else 0.0
        rows.append(
            [
                name,
                *(f"{points[s]['seconds']:.3g} s" if s in points else "-" for s in sizes),
                _slope(have[1:], [points[size]["seconds"] for size in have[1:]]),
                f"{last['extra'] / 2**20:.0f} MiB ({share:.2f} x the evidence)",
                _slope(have[1:], [points[size]["extra"] for size in have[1:]]),
            ]
        )
    return rows


def fresh_seeds() -> Rows:
    """Which statements of a report held on fresh seeds, by ``benchmarks/fresh_seeds.py``."""
    rows = [["study", "strategy", "points over random", "fresh seeds", "said", "turned"]]
    for study in _read("fresh_seeds")["results"]:
        for each in study["statements"]:
            first, fresh = (_interval(*each[key]) for key in ("first", "fresh"))
            said = [each["said"], *(["behind the best"] if each["behind"] else [])]
            stated = each["turned"] is not None or each["behind"]
            turned = "yes" if each["turned"] or each["behind_turned"] else "no" if stated else ""
            rows.append([study["name"], each["strategy"], first, fresh, ", ".join(said), turned])
    return rows


def null_test() -> Rows:
    """Claims of a difference between random and random, by ``benchmarks/null_test.py``: an hour."""
    results = _read("null_test")["results"]
    found = results["comparisons"]
    claims = sum(each["claimed"] for each in found)
    means = [abs(each["points"][0]) for each in found]
    return [
        ["comparisons, seeds each", "claims", "of all, %", "mean absolute difference, points"],
        [
            f"{len(found)}, {results['seeds']}",
            str(claims),
            _percent(claims / len(found), len(found)),
            f"{statistics.fmean(means):.2f}",
        ],
    ]


def _interval(mean: float, low: float, high: float) -> str:
    return f"{mean:+.1f} [{low:+.1f}, {high:+.1f}]"


def false_claims() -> Rows:
    """False claims of a report over all planned looks, by ``benchmarks/error_rates.py``."""
    fresh = ("one three times as noisy", "skewed")
    rows = [["strategies", "studies", "worlds", "against random", "the best", "either"]]
    for strategies, each in _read("error_rates")["planned"].items():
        for kind in ("of the constants", "fresh"):
            false = [
                r for world, r in each["false"].items() if (world in fresh) == (kind == "fresh")
            ]
            rates = (max(rate[key] for rate in false) for key in ("against", "best", "either"))
            cells = (_percent(rate, each["draws"]) for rate in rates)
            rows.append([strategies, f"{each['draws']:,}", kind, *cells])
    return rows


def planned_power() -> Rows:
    """True differences that a report finds at each planned look, by ``benchmarks/error_rates.py``."""
    planned = _read("error_rates")["planned"]
    looks = next(iter(planned.values()))["power"]
    rows = [["strategies", *(f"{look} seeds" for look in looks)]]
    for strategies, each in planned.items():
        found = each["power"].values()
        cells = (f"{100 * one['against']:.0f}, {100 * one['best']:.0f}" for one in found)
        rows.append([strategies, *cells])
    return rows


def procedures() -> Rows:
    """Procedures at the level of a single look, by ``benchmarks/error_rates.py``."""
    names = ("holm", "blocks", "smyth", "ours", "best, holm", "best, ours")
    heads = ("Holm", "blocks", "Smyth", "ours", "best: Holm", "best: ours")
    rows = [["seeds", "strategies", "studies", *heads]]
    cells = _read("error_rates")["cells"].values()
    for each in sorted(cells, key=lambda cell: (cell["seeds"], cell["strategies"])):
        false = (100 * max(each["false"][name].values()) for name in names)
        power = (100 * each["power"][name]["equal"] for name in names)
        shown = [f"{rate:.1f} / {found:.0f}" for rate, found in zip(false, power, strict=True)]
        rows.append([str(each["seeds"]), str(each["strategies"]), f"{each['draws']:,}", *shown])
    return rows


def follow_the_advice() -> Rows:
    """False claims of who looks again until something is found, by ``benchmarks/error_rates.py``."""
    results = _read("error_rates")
    rows = [["", "first look, %", "after ten, %"]]
    for name, each in results["before"].items():
        rows.append([name, *(_percent(each[key], each["draws"]) for key in ("first", "after ten"))])
    worst, draws = max(
        (rates["against"], each["draws"])
        for each in results["planned"].values()
        for rates in each["false"].values()
    )
    rows.append(["planned looks, the worst of all worlds", "", _percent(worst, draws)])
    return rows


def _percent(rate: float, draws: int) -> str:
    """Return a rate in per cent with its 95 % interval (Wilson 1927)."""
    z = 1.96
    middle = (rate + z**2 / (2 * draws)) / (1 + z**2 / draws)
    half = z / (1 + z**2 / draws) * math.sqrt(rate * (1 - rate) / draws + z**2 / (4 * draws**2))
    return f"{100 * rate:.1f} [{100 * (middle - half):.1f}, {100 * (middle + half):.1f}]"


def _slope(sizes: Sequence[int], values: Sequence[float]) -> str:
    """Return the slope of log(value) over log(size), by least squares."""
    if len(sizes) < 2:
        return "-"
    floor = max(max(values) * 1e-6, 1e-9)
    logs = ([math.log(x) for x in sizes], [math.log(max(y, floor)) for y in values])
    return f"{statistics.linear_regression(*logs).slope:.2f}"


_CONTENDERS = {
    "al_lightning": "al_lightning",
    "hand_bf16": "hand-written, bf16, channels last",
    "hand_float32": "hand-written, float32",
    "baal": "baal's `ActiveLearningLoop`",
}
_SWEEPS = {
    "serial": "sequential",
    "serial, round 0 in every run": "sequential, `cache=false`",
    "side by side": "parallel",
    "side by side, round 0 in every run": "parallel, `cache=false`",
}
_STARTS = {
    "`--help`": "`--help`",
    "`--cfg job`": "`--cfg job`",
    "tab completion": "tab completion of `strategy=`",
    "`import torch`": "`import torch` and exit, for comparison",
    "`import lightning`": "`import lightning` and exit, for comparison",
    "to the first step on digits": "from the command to the first training step on digits",
}
_MUON = {"half": True, "optimizer": "muon"}
_SIXTH_PASS: dict[str, dict[str, Any]] = {
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
_LINEAR = "CIFAR-10, `efficientnet_lite0_linear`"
_REVIEWED = {"cifar10_linear": _LINEAR, "digits": "digits, `cnn`"}
_CALIBRATED = {
    "cifar10_linear": _LINEAR,
    "fashion_mnist": "Fashion-MNIST, `cnn`",
    "digits": "digits, `cnn`",
}
_RULES = {
    "mean kappa >= 0.99": "mean kappa of three rounds at least .99",
    "mean kappa >= 0.98": "... at least .98",
    "mean kappa >= 0.95": "... at least .95",
    "mean kappa >= 0.9": "... at least .9",
    "twice the labels bring at most 0.01": "twice the labels bring at most 1 point",
    "the target is reached": "the target is reached (.95)",
}
TABLES: dict[str, Callable[[], Rows]] = {
    make.__name__: make
    for make in (
        recipe_by_hand,
        recipe_now,
        round_wait,
        clusters,
        overhead,
        selection_peers,
        ten_million,
        label_smoothing,
        fixmatch,
        query_temperature,
        label_efficiency,
        recipe_digits,
        review,
        calibration,
        stop_rules,
        stop_bands,
        whole_run,
        sweeps,
        startup,
        selection_scaling,
        false_claims,
        planned_power,
        procedures,
        follow_the_advice,
        fresh_seeds,
        null_test,
    )
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the tables, or compare them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing")
    check = parser.parse_args(arguments).check
    differing = [
        page for page in sorted(DOCS.glob("*.md")) if with_tables(_text(page)) != _text(page)
    ]
    for page in differing:
        print(page.relative_to(ROOT))
        if not check:
            page.write_text(with_tables(_text(page)), encoding="utf-8")
    for make in TABLES.values():
        try:
            make()
        except FileNotFoundError:
            print(f"No raw results yet: {make.__doc__}")
    return int(check and bool(differing))


def _read(name: str) -> Any:
    return json.loads(_text(RESULTS / f"{name}.json"))


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def _markdown(rows: Rows) -> str:
    header, *body = ["|".join(["", *(f" {cell} " for cell in row), ""]) for row in rows]
    line = "|".join(["", *(" --- " for _ in rows[0]), ""])
    # An empty cell has a single blank, as elsewhere in docs/.
    return "\n".join(
        [header, line, *(row.replace("|  |", "| |").replace("|  |", "| |") for row in body), ""]
    )


def _key(fit: dict[str, Any]) -> tuple[tuple[str, Any], ...]:
    return tuple(sorted(fit.items()))


def _mean(runs: Iterable[dict[str, Any]], key: str) -> float:
    return statistics.fmean(run[key] for run in runs)


def _seeds(fits: Sequence[dict[str, Any]], labels: int, epochs: int) -> str:
    """Return the accuracy of seeds 1000 to 1002, "-" where one was not run."""
    found = {fit["seed"]: fit for fit in fits if (fit["labels"], fit["epochs"]) == (labels, epochs)}
    return " ".join(_share(found[s]["accuracy"]) if s in found else "-" for s in (1000, 1001, 1002))


def _signed(value: float) -> str:
    """Return a difference of shares: "+.002", "-.010"."""
    shown = _share(abs(value))
    return shown if not shown.strip(".0") else f"{'-' if value < 0 else '+'}{shown}"


def _share(value: float, decimals: int = 3) -> str:
    """Return a share without its leading zero: ".869"."""
    return f"{value:.{decimals}f}".removeprefix("0")


if __name__ == "__main__":
    sys.exit(main())
