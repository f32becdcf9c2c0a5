"""Times selections against scikit-activeml's, interleaved; run it by hand.

    python benchmarks/selection_peers.py [--parts badge coreset typiclust probcover maxherding]
        [--repeats 3]

Made-up evidence, 512 dimensions and 10 classes. Each contender runs in a process of its own, on one
thread unless told otherwise. Seconds are those of the selection; memory is what the resident set grows
by above the evidence. scikit-activeml's probabilities come from a stub that has them. Figures go to
benchmarks/results/selection_peers.json. Linux.
"""

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from made_up import CLASSES, make_evidence
from measuring import memory_bytes, reset_peak_memory
from raw import record_part
from selection_scaling import make_strategy
from skactiveml.base import SkactivemlClassifier
from skactiveml.pool import Badge, CoreSet, MaxHerding, ProbCover, TypiClust

from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.utils.process import prepare_process

# Our strategy, images in the pool, labeled images, picks.
_PARTS = {
    "badge": ("badge", 10_000, 0, 200),  # 57,000 and 1,000 picks: 754 s
    "coreset": ("l2", 20_000, 1_000, 500),
    "typiclust": ("typiclust", 10_000, 0, 100),
    "probcover": ("probcover", 5_000, 0, 100),
    "maxherding": ("maxherding", 20_000, 0, 50),  # 30,000: killed for its memory, of 16 GiB
}


class _Stub(SkactivemlClassifier):  # type: ignore[misc]
    """Knows the probabilities of all images, and looks at nothing."""

    def __init__(self, probabilities: Any = None) -> None:
        super().__init__(classes=list(range(CLASSES)))
        self.probabilities = probabilities

    def fit(self, *_: Any) -> "_Stub":
        """Learn nothing."""
        return self

    def predict_proba(self, x: Any) -> Any:
        """Return what is known of the unlabeled images, which are the last."""
        return self.probabilities[-len(x) :]


def peer(part: str, pool: Evidence, labeled: Evidence) -> Callable[[int], list[int]]:
    """Return scikit-activeml's selection of so many images."""
    embeddings = torch.cat([labeled.require(Need.EMBEDDINGS), pool.require(Need.EMBEDDINGS)])
    x = embeddings.numpy()
    y = np.full(len(x), np.nan)
    y[: len(labeled)] = np.arange(len(labeled)) % CLASSES

    def select(count: int) -> list[int]:
        match part:
            case "badge":
                stub = _Stub(pool.require(Need.PROBABILITIES).numpy())
                ids = Badge(random_state=0).query(x, y, stub, fit_clf=False, batch_size=count)
            case "coreset":
                ids = CoreSet(random_state=0).query(x, y, batch_size=count)
            case "typiclust":
                ids = TypiClust(random_state=0, k=20).query(x, y, batch_size=count)
            case "maxherding":
                herding = MaxHerding(random_state=0, metric="rbf", metric_dict={"gamma": 1.0})
                ids = herding.query(x, y, batch_size=count)
            case _:
                ids = ProbCover(random_state=0, n_classes=CLASSES).query(x, y, batch_size=count)
        return [int(i) - len(labeled) for i in ids]

    return select


def ours(name: str, pool: Evidence, labeled: Evidence) -> Callable[[int], list[int]]:
    """Return our selection of so many images."""
    strategy = make_strategy(name)
    generator = torch.Generator().manual_seed(0)
    return lambda count: strategy.select(pool, labeled, count, generator).ids.tolist()


def measure(part: str, contender: str, threads: int, wanted: int | None) -> None:
    """Print the seconds, bytes and picks of one selection as JSON."""
    prepare_process()
    torch.set_num_threads(threads)
    name, size, known, picks = _PARTS[part]
    needs = frozenset({Need.PROBABILITIES, Need.EMBEDDINGS})
    pool = make_evidence(size, needs)
    labeled = make_evidence(known, needs, seed=1)
    labeled = Evidence(labeled.ids + size, labeled.probabilities, labeled.embeddings)
    select = (peer if contender == "peer" else ours)(
        part if contender == "peer" else name, pool, labeled
    )
    pool.require(Need.EMBEDDINGS).sum()
    before = reset_peak_memory()
    start = time.perf_counter()
    ids = select(wanted or picks)
    seconds = time.perf_counter() - start
    extra = memory_bytes("VmHWM") - before
    print(json.dumps({"seconds": seconds, "extra": extra, "ids": ids}))


def main() -> None:
    """Measure in turns; print and keep medians, ratios and how many picks are the same."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--parts", nargs="+", choices=_PARTS, default=list(_PARTS))
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--picks", type=int, help="instead of each part's own number")
    parser.add_argument("--one", nargs=2, metavar=("PART", "CONTENDER"))
    arguments = parser.parse_args()
    if arguments.one:
        return measure(arguments.one[0], arguments.one[1], arguments.threads, arguments.picks)
    for part in arguments.parts:
        runs = [
            [_measure_beside(part, who, arguments) for who in ("peer", "ours")]
            for _ in range(arguments.repeats)
        ]
        found = _summary(part, arguments.picks, runs)
        print(json.dumps(found), flush=True)
        record_part("selection_peers", part, found)
    return None


def _summary(part: str, wanted: int | None, runs: list[list[dict[str, Any]]]) -> dict[str, Any]:
    """Return medians of theirs and ours, of their ratio, and how many picks are the same."""
    _, size, known, picks = _PARTS[part]
    pairs = {key: [[each[key] for each in pair] for pair in runs] for key in ("seconds", "extra")}
    seconds = [round(statistics.median(each), 3) for each in zip(*pairs["seconds"], strict=True)]
    memory = [round(statistics.median(each) / 2**20) for each in zip(*pairs["extra"], strict=True)]
    return {
        "pool": size,
        "labeled": known,
        "picks": wanted or picks,
        "seconds": seconds,
        "ratio": round(statistics.median(theirs / own for theirs, own in pairs["seconds"]), 1),
        "memory_mib": memory,
        "same_picks": len(set(runs[0][0]["ids"]) & set(runs[0][1]["ids"])),
    }


def _measure_beside(part: str, contender: str, options: argparse.Namespace) -> dict[str, Any]:
    command = [
        sys.executable,
        __file__,
        "--one",
        part,
        contender,
        "--threads",
        str(options.threads),
    ]
    if options.picks:
        command += ["--picks", str(options.picks)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    result: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return result


if __name__ == "__main__":
    main()
