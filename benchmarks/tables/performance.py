"""Tables of docs/performance.md and docs/scaling.md."""

import math
import statistics
from collections.abc import Sequence

from benchmarks.tables.cells import Rows, read, share

_CONTENDERS = {
    "al_lightning": "al_lightning",
    "hand_bf16": "hand-written, bf16, channels last",
    "hand_float32": "hand-written, float32",
    "baal": "baal's `ActiveLearningLoop`",
}
_FOLDER = {
    "first start, s": "load",
    "next start, s": "load_again",
    "training, images/s": "train_per_s",
    "scoring, images/s": "score_per_s",
    "reading alone, images/s": "read_per_s",
    "peak anonymous memory above the start, MiB": "anonymous_MiB",
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


def whole_run() -> Rows:
    """A whole run against hand-written loops and baal's, by ``benchmarks/whole_run.py``: an hour."""
    found = read("whole_run")
    rows = [
        ["contender", "seconds, median", "ratio", "CPU seconds", "ratio", "accuracy at 3,000, mean"]
    ]
    first = next(iter(_CONTENDERS))
    for contender, name in _CONTENDERS.items():
        cells = []
        for kind in ("seconds", "cpu"):
            times = found[kind][contender]
            ratio = _median_ratio(times, found[kind][first])
            cells += [f"{statistics.median(times):.1f}", f"{ratio:.2f}".replace("1.00", "1")]
        rows.append([name, *cells, share(statistics.fmean(found["accuracy"][contender]))])
    return rows


def overhead() -> Rows:
    """Where the time of a run goes, by ``benchmarks/overhead.py``: three minutes."""
    runs = read("overhead")
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


def round_wait() -> Rows:
    """The wait between rounds of a frozen network, by ``benchmarks/round_wait.py``."""
    found = read("round_wait")
    rows = [["strategy", "before", "now", "of that fit", "selection", "load of the machine"]]
    for name in dict.fromkeys(key.partition(",")[0] for key in found):
        now, before = found[f"{name}, now"], found[f"{name}, before"]
        parts = [f"{each['wait']:.2f} s" for each in (before, now)]
        rows.append(
            [name, *parts, f"{now['fit']:.2f} s", f"{now['select']:.2f} s", str(now["load"])]
        )
    return rows


def clusters() -> Rows:
    """K-means against that of scikit-learn, by ``benchmarks/clusters.py``."""
    titles = ["clusters", "scikit-learn", "here", "ratio"]
    rows = [[*titles, "squares within, scikit-learn", "squares within, here"]]
    for count, methods in read("clusters").items():
        theirs, ours = methods["scikit-learn"], methods["here"]
        ratio = theirs["seconds"] / ours["seconds"]
        cells = [f"{each['seconds']:.2f} s" for each in (theirs, ours)]
        within = [share(each["within"], 4) for each in (theirs, ours)]
        rows.append([count, *cells, f"{ratio:.1f}", *within])
    return rows


def startup() -> Rows:
    """Seconds of starting, by ``benchmarks/startup.py``: three minutes."""
    found = read("startup")
    rows = [["command", "seconds"]]
    for command, name in _STARTS.items():
        rows.append([name, f"{statistics.median(wall for wall, _ in found[command]):.2f}"])
    return rows


def sweeps() -> Rows:
    """Runs an hour of a sweep, by ``benchmarks/sweeps.py``: ten minutes."""
    found = read("sweeps")
    rows = [["sweep of 8 runs", "seconds", "runs per hour", "fits of round 0"]]
    for case, name in _SWEEPS.items():
        seconds = statistics.median(found["seconds"][case])
        hour = 3600 * found["runs"] / seconds
        rows.append([name, f"{seconds:.0f}", f"{hour:.0f}", str(found["fits"][case])])
    return rows


def selection_scaling() -> Rows:
    """Selection as the pool grows, by ``benchmarks/selection_scaling.py --write``: two hours."""
    found = {
        name: {int(size): point for size, point in points.items()}
        for name, points in read("selection_scaling").items()
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


def selection_peers() -> Rows:
    """Selections against those of scikit-activeml, by ``benchmarks/selection_peers.py``."""
    titles = ["selection", "scikit-activeml", "here", "ratio"]
    rows = [[*titles, "extra memory, scikit-activeml", "extra memory, here", "same picks"]]
    for part, each in sorted(read("selection_peers").items()):
        labeled = f", {each['labeled']:,} labeled" if each["labeled"] else ""
        name = f"{part}, {each['pool']:,} x 512{labeled}, {each['picks']:,} picks"
        seconds = [f"{found:.2f} s" for found in each["seconds"]]
        memory = [f"{found:,} MiB" for found in each["memory_mib"]]
        same = f"{each['same_picks']:,}"
        rows.append([name, *seconds, f"{each['ratio']:,.1f}", *memory, same])
    return rows


def scoring() -> Rows:
    """A pass over the pool against the bare network, by ``benchmarks/scoring.py``: a minute."""
    found = read("scoring")
    rows = [["threads", "pass", "the network alone, images a second", "here", "ratio"]]
    passes = {"embeddings and probabilities": ("bare", "scored", 1)}
    passes["20 dropout samples"] = ("bare, 20 times", "sampled", 10)
    for threads, seconds in found["seconds"].items():
        for name, (bare, here, part) in passes.items():
            images = found["images"] / part
            rates = [f"{images / statistics.median(seconds[way]):,.0f}" for way in (bare, here)]
            ratio = _median_ratio(seconds[bare], seconds[here])
            rows.append([threads, name, *rates, f"{ratio:.2f}"])
    return rows


def fine_tuning() -> Rows:
    """Steps of networks whose gradients were slow, by ``benchmarks/fine_tuning.py``: two minutes."""
    rows = [["network", "float32", "bf16 by torch alone", "here", "ratio to bf16 by torch alone"]]
    for name, seconds in read("fine_tuning")["seconds"].items():
        medians = [f"{statistics.median(each):.3f} s" for each in seconds.values()]
        ratio = _median_ratio(seconds["bf16"], seconds["here"])
        rows.append([f"`{name}`", *medians, f"{ratio:.2f}"])
    return rows


def farthest_first() -> Rows:
    """Farthest-first against the dense greedy search, by ``benchmarks/selection.py``: two minutes."""
    found = read("farthest_first")
    rows = [["threads", "dense, labeled set", "dense, picks", "here, both", "ratio"]]
    for threads, each in found["seconds"].items():
        names = ("dense, labeled", "dense, picks", "here")
        seconds = [f"{statistics.median(each[name]):.2f} s" for name in names]
        dense = [sum(both) for both in zip(each[names[0]], each[names[1]], strict=True)]
        rows.append([threads, *seconds, f"{_median_ratio(dense, each['here']):.1f}"])
    same = found["same_picks_as_in_float64"]
    return [*rows, ["same picks as in float64", "", f"{same['dense']:,}", f"{same['here']:,}", ""]]


def _median_ratio(one: Sequence[float], other: Sequence[float]) -> float:
    return statistics.median(a / b for a, b in zip(one, other, strict=True))


def bayesian() -> Rows:
    """Selections by Monte-Carlo samples against peers', by ``benchmarks/bayesian.py``."""
    rows = [["selection", "library", "theirs", "here", "ratio"]]
    for selection, seconds in read("bayesian")["seconds"].items():
        ours = statistics.median(seconds["ours"])
        for library, theirs in seconds.items():
            if library == "ours":
                continue
            ratio = _median_ratio(theirs, seconds["ours"])
            cells = [f"{found:.3g} s" for found in (statistics.median(theirs), ours)]
            rows.append([selection, library, *cells, f"{ratio:.1f}"])
    return rows


def image_folder() -> Rows:
    """A folder of many images, stored in three ways, by ``benchmarks/image_folder.py``."""
    found = read("image_folder")
    ways = list(found["medians"])
    rows = [["", *ways]]
    for name, key in _FOLDER.items():
        rows.append([name, *(f"{found['medians'][way][key]:,.0f}" for way in ways)])
    return rows


def ten_million() -> Rows:
    """Selection from ten million images, by ``benchmarks/ten_million.py``: ten minutes."""
    results = read("ten_million")
    sizes = [f"{int(size):,} images" for size in next(iter(results.values()))["seconds"]]
    rows = [["strategy", *sizes, "exponent", "memory"]]
    for name, each in results.items():
        seconds = [f"{found:.3g} s" for found in each["seconds"].values()]
        rows.append(
            [f"`{name}`", *seconds, f"{each['exponent']:.2f}", f"{each['anonymous_mib']:,} MiB"]
        )
    return rows


def _slope(sizes: Sequence[int], values: Sequence[float]) -> str:
    """Return the slope of log(value) over log(size), by least squares."""
    if len(sizes) < 2:
        return "-"
    floor = max(max(values) * 1e-6, 1e-9)
    logs = ([math.log(x) for x in sizes], [math.log(max(y, floor)) for y in values])
    return f"{statistics.linear_regression(*logs).slope:.2f}"


TABLES = (
    whole_run,
    overhead,
    round_wait,
    clusters,
    startup,
    sweeps,
    selection_scaling,
    selection_peers,
    bayesian,
    scoring,
    fine_tuning,
    farthest_first,
    image_folder,
    ten_million,
)
