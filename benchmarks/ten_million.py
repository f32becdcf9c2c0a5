"""Selections from a pool of ten million images whose embeddings are on the disk; run it by hand.

    python benchmarks/ten_million.py --folder FOLDER [--sizes 100000 1000000 10000000] [--threads 2]

Writes made-up embeddings (N x 512, float16, 10 GB for ten million) and probabilities (N x 10, float32)
into FOLDER where they are not there, and maps them into memory. Then, for each size and strategy, a
process of its own: 1,000 labeled images, 1,000 picks; seconds, and the peak of anonymous memory, which
is what a process needs: pages of mapped files can be dropped. At the smallest size the picks are
compared with those from float32 in memory. Figures go to benchmarks/results/ten_million.json, those of
other strategies stay. Linux.
"""

import argparse
import json
import math
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from made_up import CLASSES, DIMENSIONS, make_embeddings, make_evidence
from measuring import PeakMemory
from raw import record_part
from selection_scaling import make_strategy

from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.utils.process import prepare_process

STRATEGIES = ("random", "margin", "entropy", "power", "badge", "l2", "cosine")
LABELED = PICKS = 1_000
_CHUNK = 100_000  # rows made at a time


def main() -> None:
    """Measure every size and strategy in a process of its own; print and keep the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--sizes", type=int, nargs="+", default=[100_000, 1_000_000, 10_000_000])
    parser.add_argument("--strategies", nargs="+", default=STRATEGIES)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        print(json.dumps(one(given.folder, given.sizes[0], given.strategies[0], given.threads)))
        return
    write(given.folder, max(given.sizes))
    for name in given.strategies:
        points = [_in_process(given, name, size) for size in given.sizes]
        seconds = [point["seconds"] for point in points]
        found = {
            "seconds": dict(zip(map(str, given.sizes), seconds, strict=True)),
            "exponent": _exponent(given.sizes, seconds),
            "anonymous_mib": points[-1]["anonymous_mib"],
            "same_picks": points[0].get("same_picks"),
        }
        print(name, json.dumps(found), flush=True)
        record_part("ten_million", name, found)


def write(folder: Path, count: int) -> None:
    """Write embeddings and probabilities, unless files of this size are there."""
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "embeddings.f16", folder / "probabilities.f32"
    sizes = [count * DIMENSIONS * 2, count * CLASSES * 4]
    if [path.stat().st_size if path.exists() else 0 for path in paths] == sizes:
        return
    head = torch.randn(DIMENSIONS, CLASSES, generator=torch.Generator().manual_seed(1)) / 8
    with paths[0].open("wb") as embeddings, paths[1].open("wb") as probabilities:
        for seed, start in enumerate(range(0, count, _CHUNK)):
            rows = make_embeddings(min(_CHUNK, count - start), seed).half()
            embeddings.write(rows.numpy().tobytes())
            probabilities.write((rows.float() @ head).softmax(1).numpy().tobytes())


def mapped(folder: Path, count: int, needs: frozenset[Need]) -> Evidence:
    """Return evidence on the first images, from the files."""
    shapes = {
        Need.EMBEDDINGS: ("embeddings.f16", np.float16, DIMENSIONS),
        Need.PROBABILITIES: ("probabilities.f32", np.float32, CLASSES),
    }
    found = {}
    for need in needs:
        name, dtype, columns = shapes[need]
        # Copied on write, so that torch may have it; nothing is written.
        rows = np.memmap(folder / name, dtype, mode="c", shape=(count, columns))
        found[need.value] = torch.from_numpy(rows)
    return Evidence(torch.arange(count), **found)


def one(folder: Path, size: int, name: str, threads: int) -> dict[str, Any]:
    """Return the seconds and the memory of one selection."""
    prepare_process()
    torch.set_num_threads(threads)
    strategy = make_strategy(name)
    pool = mapped(folder, size, strategy.needs)
    known = make_evidence(LABELED, frozenset(strategy.labeled_needs), seed=10**6)
    known = Evidence(known.ids + size, **{n.value: v for n, v in known.quantities().items()})
    with PeakMemory() as peak:
        began = time.perf_counter()
        ids = strategy.select(pool, known, PICKS, torch.Generator().manual_seed(0)).ids
        seconds = time.perf_counter() - began
    found = {"seconds": round(seconds, 3), "anonymous_mib": peak.bytes >> 20}
    if size <= 100_000:
        loaded = {need.value: values.float() for need, values in pool.quantities().items()}
        again = strategy.select(
            Evidence(pool.ids, **loaded), known, PICKS, torch.Generator().manual_seed(0)
        )
        found["same_picks"] = bool(torch.equal(ids, again.ids))
    return found


def _exponent(sizes: list[int], seconds: list[float]) -> float:
    """Return the slope of log(seconds) over log(size), by least squares."""
    if len(sizes) == 1:
        return math.nan
    return round(float(np.polyfit(np.log(sizes), np.log(seconds), 1)[0]), 2)


def _in_process(given: argparse.Namespace, name: str, size: int) -> dict[str, Any]:
    command = [
        *(sys.executable, __file__, "--one", "--folder", str(given.folder), "--sizes", str(size)),
        *("--strategies", name, "--threads", str(given.threads)),
    ]
    output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    found: dict[str, Any] = json.loads(output.splitlines()[-1])
    return found


if __name__ == "__main__":
    main()
