"""How the cost of a selection grows with the pool, for every strategy there is; run it by hand.

    python benchmarks/selection_scaling.py [--sizes 10000 30000 ...] [--strategies ...] [--write]

Made-up evidence of N images (512 dimensions, 10 classes, 20 dropout samples where they are asked for),
1,000 labeled, 500 picks (50 by batchbald, which is made for tens); a process for each size. Seconds
are those of the processor, on one thread, so that a busy machine does little harm, and medians of five
selections where they take less than a second. Memory is what the resident set grows by above the
evidence.
``--write`` records the results in benchmarks/results/, for `python -m benchmarks.tables`, and draws the
figure of docs/. Linux.
"""

import argparse
import json
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import matplotlib.pyplot as plt
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from made_up import make_evidence
from measuring import memory_bytes, reset_peak_memory
from raw import record

from al_lightning.strategies import Strategy
from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.utils.process import prepare_process

_ROOT = Path(__file__).resolve().parents[1]
_LABELED, _PICKS = 1_000, 500
_FEWER_PICKS = {"batchbald": 50}
_REPEATS = 5  # of a selection that takes less than a second
_SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
_NO_CHOICE = {"passive", "auto"}  # takes everything; another strategy by another name


def all_strategies() -> list[str]:
    """Return the names of all strategies."""
    names = (path.stem for path in (_ROOT / "conf" / "strategy").glob("*.yaml"))
    return sorted({*names} - _NO_CHOICE)


def from_conf(group: str, name: str) -> Any:
    """Return the object that the command line would make of a choice, such as dataset=digits."""
    with initialize_config_dir(str(_ROOT / "conf"), version_base="1.3"):
        node = compose("config", overrides=[f"{group}={name}"])[group]
    return instantiate(node, _convert_="all")


def make_strategy(name: str) -> Strategy:
    """Return the strategy that the command line would make."""
    strategy: Strategy = from_conf("strategy", name)
    return strategy


def measure(names: list[str], size: int, threads: int, limit: int) -> None:
    """Print seconds and bytes of one selection of each strategy, one JSON a line."""
    prepare_process()
    torch.set_num_threads(threads)
    pool = make_evidence(size, frozenset(Need))
    labeled = make_evidence(_LABELED, frozenset(Need), seed=1)
    signal.signal(signal.SIGALRM, _out_of_time)
    for name in names:
        strategy, picks = make_strategy(name), _FEWER_PICKS.get(name, _PICKS)
        shown = _of(pool, strategy.needs, 0)
        known = _of(labeled, strategy.labeled_needs, size)
        few = shown.rows(torch.arange(1_000))
        strategy.select(few, known, 10, torch.Generator().manual_seed(0))  # loads what it takes
        for values in shown.quantities().values():
            values.sum()  # pages that the system has taken away would count when they return
        before = reset_peak_memory()
        signal.alarm(limit)
        try:
            seconds = [_seconds(strategy, shown, known, picks)]
            extra = max(memory_bytes("VmHWM") - before, 0)
            if seconds[0] < 1:
                seconds += [_seconds(strategy, shown, known, picks) for _ in range(_REPEATS - 1)]
        except TimeoutError:
            continue
        finally:
            signal.alarm(0)
        evidence = sum(values.nbytes for values in shown.quantities().values())
        point = {"name": name, "seconds": statistics.median(seconds)}
        print(json.dumps(point | {"extra": extra, "evidence": evidence}), flush=True)


def _seconds(strategy: Strategy, pool: Evidence, labeled: Evidence, picks: int) -> float:
    start = time.thread_time()
    strategy.select(pool, labeled, picks, torch.Generator().manual_seed(0))
    return time.thread_time() - start


def _out_of_time(*_: object) -> None:
    raise TimeoutError


def _of(evidence: Evidence, needs: frozenset[Need], offset: int) -> Evidence:
    quantities = {need.value: evidence.require(need) for need in needs}
    return Evidence(evidence.ids + offset, **quantities)


def draw(found: dict[str, dict[int, dict[str, float]]], path: Path) -> None:
    """Draw seconds over the size of the pool, both in logarithms."""
    figure, axes = plt.subplots(figsize=(7, 4.6), layout="constrained")
    lines = ("-", "--", ":", "-.")
    for i, (name, points) in enumerate(found.items()):
        seconds = [max(point["seconds"], 1e-4) for point in points.values()]
        axes.loglog(list(points), seconds, lines[i // 10 % 4], marker=".", label=name)
    axes.set(xlabel="images in the pool", ylabel=f"seconds for {_PICKS} picks (batchbald: 50)")
    axes.grid(alpha=0.3)
    axes.legend(ncols=2, fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.savefig(path)


def main() -> None:
    """Measure one thing after the other."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=list(_SIZES))
    parser.add_argument("--strategies", nargs="+", default=all_strategies())
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--limit", type=int, default=300, help="seconds of a selection")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--one", type=int, metavar="SIZE")
    arguments = parser.parse_args()
    if arguments.one:
        names = arguments.strategies
        return measure(names, arguments.one, arguments.threads, arguments.limit)
    found: dict[str, dict[int, dict[str, float]]] = {name: {} for name in arguments.strategies}
    for size in arguments.sizes:
        for point in _measure_beside(size, arguments):
            found[str(point.pop("name"))][size] = point
    found = {name: points for name, points in found.items() if points}
    if arguments.write:
        record("selection_scaling", found)
        draw(found, _ROOT / "docs" / "selection_scaling.svg")
    return None


def _measure_beside(size: int, options: argparse.Namespace) -> Iterator[dict[str, Any]]:
    command = [sys.executable, __file__, "--one", str(size), "--threads", str(options.threads)]
    command += ["--limit", str(options.limit), "--strategies", *options.strategies]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        for line in process.stdout or ():
            point: dict[str, Any] = json.loads(line)
            print(
                f"{point['name']} {size:,}: {point['seconds']:.2f} s, "
                f"{point['extra'] / 2**20:.0f} MiB",
                flush=True,
            )
            yield point


if __name__ == "__main__":
    main()
