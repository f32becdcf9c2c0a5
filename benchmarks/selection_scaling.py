"""How the cost of a selection grows with the pool, for every strategy there is; run it by hand.

    python benchmarks/selection_scaling.py [--sizes 10000 30000 ...] [--strategies ...] [--write]

Made-up evidence of N images (512 dimensions, 10 classes, 20 dropout samples where they are asked for),
1,000 labeled, 500 picks; each measurement is a process of its own. Memory is what the resident set
grows by above the evidence. ``--write`` puts the table and the figure into docs/. Linux.
"""

import argparse
import ctypes
import json
import subprocess
import sys
import time
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from made_up import make_evidence

from al_lightning.evidence import Evidence
from al_lightning.process import prepare_process
from al_lightning.strategies import Strategy

_ROOT = Path(__file__).resolve().parents[1]
_LABELED, _PICKS = 1_000, 500
_SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000)
_PASSIVE = "passive"  # takes everything, and chooses nothing
_BEGIN, _END = "<!-- scaling -->\n", "<!-- /scaling -->\n"


def all_strategies() -> list[str]:
    """Return the names of all strategies."""
    names = (path.stem for path in (_ROOT / "conf" / "strategy").glob("*.yaml"))
    return sorted(name for name in names if name != _PASSIVE)


def make_strategy(name: str) -> Strategy:
    """Return the strategy that the command line would make."""
    with initialize_config_dir(str(_ROOT / "conf"), version_base="1.3"):
        node = compose("config", overrides=[f"strategy={name}"]).strategy
    strategy: Strategy = instantiate(node, _convert_="all")
    return strategy


def measure(name: str, size: int, threads: int) -> None:
    """Print seconds and bytes of one selection as JSON."""
    prepare_process()
    torch.set_num_threads(threads)
    strategy = make_strategy(name)
    warm = make_evidence(2_000, strategy.needs)
    strategy.select(warm, None, 10, torch.Generator().manual_seed(0))
    pool = make_evidence(size, strategy.needs)
    labeled = make_evidence(_LABELED, strategy.labeled_needs, seed=1)
    labeled = Evidence(labeled.ids + size, **{n.value: v for n, v in labeled.quantities().items()})
    for values in pool.quantities().values():
        values.sum()  # pages that the system has taken away would count when they return
    ctypes.CDLL(None).malloc_trim(0)  # else what making the evidence took would be used again
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # resets the peak
    before = _status_bytes("VmRSS")
    start = time.perf_counter()
    strategy.select(pool, labeled, _PICKS, torch.Generator().manual_seed(0))
    seconds = time.perf_counter() - start
    evidence = sum(values.nbytes for values in pool.quantities().values())
    extra = max(_status_bytes("VmHWM") - before, 0)
    print(json.dumps({"seconds": seconds, "extra": extra, "evidence": evidence}))


def _status_bytes(field: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def exponent(sizes: list[int], values: list[float]) -> float:
    """Return the slope of log(value) over log(size), by least squares."""
    floor = max(max(values) * 1e-6, 1e-9)
    logs = np.log([max(value, floor) for value in values])
    return float(np.polyfit(np.log(sizes), logs, 1)[0])


def table(found: dict[str, dict[int, dict[str, float]]], sizes: list[int]) -> str:
    """Return a Markdown table: seconds, and bytes over those of the evidence, with exponents."""
    titles = [f"{size:,}" for size in sizes]
    rows = [
        f"| strategy | {' | '.join(titles)} | exponent | extra memory at the largest | exponent |",
        "| --- |" + " --- |" * (len(sizes) + 3),
    ]
    for name, points in found.items():
        have = [size for size in sizes if size in points]
        seconds = [points[size]["seconds"] for size in have]
        extras = [points[size]["extra"] for size in have]
        cells = [f"{points[s]['seconds']:.2f} s" if s in points else "-" for s in sizes]
        share = extras[-1] / points[have[-1]]["evidence"] if points[have[-1]]["evidence"] else 0.0
        memory = f"{extras[-1] / 2**20:.0f} MiB ({share:.2f} x the evidence)"
        slopes = [_slope(have[1:], values[1:]) for values in (seconds, extras)]
        rows.append(f"| {name} | {' | '.join(cells)} | {slopes[0]} | {memory} | {slopes[1]} |")
    return "\n".join(rows) + "\n"


def _slope(sizes: list[int], values: list[float]) -> str:
    return f"{exponent(sizes, values):.2f}" if len(sizes) > 1 else "-"


def draw(found: dict[str, dict[int, dict[str, float]]], path: Path) -> None:
    """Draw seconds over the size of the pool, both in logarithms."""
    figure, axes = plt.subplots(figsize=(7, 4.6), layout="constrained")
    lines = ("-", "--", ":", "-.")
    for i, (name, points) in enumerate(found.items()):
        seconds = [max(point["seconds"], 1e-4) for point in points.values()]
        axes.loglog(list(points), seconds, lines[i // 10 % 4], marker=".", label=name)
    axes.set(xlabel="images in the pool", ylabel=f"seconds for {_PICKS} picks")
    axes.grid(alpha=0.3)
    axes.legend(ncols=2, fontsize=7, loc="center left", bbox_to_anchor=(1.0, 0.5))
    figure.savefig(path)


def main() -> None:
    """Measure one thing after the other; print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--sizes", type=int, nargs="+", default=list(_SIZES))
    parser.add_argument("--strategies", nargs="+", default=all_strategies())
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--limit", type=float, default=300, help="seconds; then no larger pool")
    parser.add_argument("--write", action="store_true")
    parser.add_argument("--one", nargs=2, metavar=("STRATEGY", "SIZE"))
    arguments = parser.parse_args()
    if arguments.one:
        return measure(arguments.one[0], int(arguments.one[1]), arguments.threads)
    found: dict[str, dict[int, dict[str, float]]] = {}
    for name in arguments.strategies:
        found[name] = {}
        for size in arguments.sizes:
            try:
                point = _measure_beside(name, size, arguments.threads, arguments.limit)
            except (subprocess.TimeoutExpired, subprocess.CalledProcessError) as error:
                print(f"{name} {size:,}: {type(error).__name__}", flush=True)
                break
            found[name][size] = point
            print(
                f"{name} {size:,}: {point['seconds']:.2f} s, {point['extra'] / 2**20:.0f} MiB",
                flush=True,
            )
    found = {name: points for name, points in found.items() if points}
    text = table(found, arguments.sizes)
    print(text)
    if arguments.write:
        _write(text, found)
    return None


def _measure_beside(name: str, size: int, threads: int, limit: float) -> dict[str, float]:
    command = [sys.executable, __file__, "--one", name, str(size), "--threads", str(threads)]
    done = subprocess.run(
        command, stdout=subprocess.PIPE, text=True, check=True, timeout=limit + size / 5_000
    )
    point: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return point


def _write(text: str, found: dict[str, dict[int, dict[str, float]]]) -> None:
    page = _ROOT / "docs" / "performance.md"
    content = page.read_text(encoding="utf-8")
    before, after = content.split(_BEGIN)[0], content.split(_END)[-1]
    page.write_text(f"{before}{_BEGIN}\n{text}\n{_END}{after}", encoding="utf-8")
    draw(found, _ROOT / "docs" / "selection_scaling.svg")


if __name__ == "__main__":
    main()
