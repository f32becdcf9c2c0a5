"""Compares bald and batchbald with baal's and scikit-activeml's; run it by hand.

    pip install ".[bench]"
    python benchmarks/bayesian.py [--repeats 3] [--threads 1] [--picks 10 100 500]

First, whether all three say the same on a small pool. Then their times, in turns, as ratios of
medians. Last, what our own take on a pool of Fashion-MNIST's size; memory needs Linux.

The samples are made up: linear subnetworks around a common one, on points of which some lie far from
every boundary.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from baal.active import heuristics
from skactiveml.pool import batch_bald
from torch import Tensor

from al_lightning.run.provenance import peak_rss_bytes
from al_lightning.strategies import BALD, BatchBALD, Strategy
from al_lightning.strategies.evidence import Evidence

POOL, SAMPLES, CLASSES = 57_000, 20, 10
LATENT = 32  # dimensions
DRAWS = 100  # of baal, for each of its K samples: 2,000 labelings in all


def make_samples(
    count: int, samples: int = SAMPLES, classes: int = CLASSES, seed: int = 0
) -> Tensor:
    """Return the predictions of K linear subnetworks, (count, K, classes) float32."""
    generator = torch.Generator().manual_seed(seed)
    points = torch.randn(count, LATENT, generator=generator)
    points *= 0.1 + 0.8 * torch.rand(count, 1, generator=generator)
    common = torch.randn(LATENT, classes, generator=generator)
    apart = 0.35 * torch.randn(samples, LATENT, classes, generator=generator)
    return torch.einsum("nd,kdc->nkc", points, common + apart).softmax(2)


def ours(strategy: Strategy, samples: Tensor, count: int) -> list[int]:
    """Return our picks."""
    pool = Evidence(torch.arange(len(samples)), mc_probabilities=samples)
    return strategy.select(pool, None, count, torch.Generator().manual_seed(0)).ids.tolist()


def baals(samples: Tensor, count: int) -> list[int]:
    """Return baal's picks, in no order."""
    torch.manual_seed(0)
    np.random.seed(0)  # noqa: NPY002 - baal draws from numpy's global generator
    values = samples.numpy().transpose(0, 2, 1)
    found: list[int] = heuristics.BatchBALD(num_samples=count - 1, num_draw=DRAWS)(values)[
        :count
    ].tolist()
    return found


def scikits(samples: Tensor, count: int, draws: int) -> list[int]:
    """Return scikit-activeml's picks."""
    values = samples.double().numpy().transpose(1, 0, 2).copy()  # it writes into its argument
    utilities = batch_bald(values, count, n_MC_samples=draws, random_state=0)
    picks: list[int] = np.nanargmax(utilities, 1).tolist()
    return picks


def agreement() -> None:
    """Print whether all three say the same where all labelings are looked at."""
    samples = make_samples(2000).double()
    samples /= samples.sum(2, keepdim=True)
    pool = Evidence(torch.arange(len(samples)), mc_probabilities=samples)
    scores = BALD().score(pool).double().numpy()
    baal = heuristics.BALD().compute_score(samples.numpy().transpose(0, 2, 1))
    scikit = batch_bald(samples.numpy().transpose(1, 0, 2).copy(), 1, n_MC_samples=1)[0]
    print(f"bald, largest difference: baal {np.abs(scores - baal).max():.1e}, ", end="")
    print(f"scikit-activeml {np.abs(scores - scikit).max():.1e} (our scores are float32)")
    same_baal, same_scikit, repeats, count, classes = 0, 0, 10, 4, 4
    for seed in range(repeats):
        few = make_samples(500, 10, classes, seed)
        mine = ours(BatchBALD(), few, count)
        same_baal += set(mine) == set(baals(few, count))
        same_scikit += mine == scikits(few, count, classes ** (count - 1))
    print(
        f"batchbald, {count} of 500, the same picks: baal {same_baal} of {repeats} (it draws ",
        end="",
    )
    print(f"labelings), scikit-activeml {same_scikit} of {repeats} (of all labelings, in order)")


def seconds(function: Callable[[], object]) -> float:
    """Return how long a call takes."""
    start = time.perf_counter()
    function()
    return time.perf_counter() - start


def compare(name: str, functions: dict[str, Callable[[], object]], repeats: int) -> None:
    """Print medians of calls in turns, and their ratios to the first."""
    times: dict[str, list[float]] = {who: [] for who in functions}
    for _ in range(repeats):
        for who, function in functions.items():
            times[who].append(seconds(function))
    medians = {who: statistics.median(each) for who, each in times.items()}
    first = next(iter(medians.values()))
    listed = ", ".join(f"{who} {m:.3f} s ({m / first:.1f} x)" for who, m in medians.items())
    print(f"{name}: {listed}", flush=True)


def side_by_side(repeats: int) -> None:
    """Print times of all three, in turns."""
    large = make_samples(POOL)
    wide, tall = large.numpy().transpose(0, 2, 1), large.double().numpy().transpose(1, 0, 2)
    compare(
        f"bald, {POOL} x {SAMPLES} x {CLASSES}",
        {
            "ours": lambda: ours(BALD(), large, 500),
            "baal": lambda: heuristics.BALD()(wide),
            "scikit-activeml": lambda: batch_bald(tall.copy(), 1, n_MC_samples=1),
        },
        repeats,
    )
    few, count = make_samples(1000), 8
    compare(
        f"batchbald, {count} of {len(few)} x {SAMPLES} x {CLASSES}",
        {
            "ours": lambda: ours(BatchBALD(), few, count),
            "ours, 2000 labelings": lambda: ours(BatchBALD(configurations=2000), few, count),
            "baal, 2000 labelings": lambda: baals(few, count),
            "scikit-activeml, 2000 labelings": lambda: scikits(few, count, 2000),
        },
        repeats,
    )


def on_a_large_pool(picks: list[int]) -> None:
    """Print seconds and memory of our own on a pool of Fashion-MNIST's size."""
    samples = make_samples(POOL)
    print(f"{POOL} x {SAMPLES} x {CLASSES}: the evidence takes {samples.nbytes / 2**20:.0f} MiB")
    for strategy, count in [(BALD(), 500), *((BatchBALD(), n) for n in picks)]:
        Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # the peak begins anew
        before = peak_rss_bytes()
        took = seconds(lambda s=strategy, n=count: ours(s, samples, n))  # type: ignore[misc]
        extra = (peak_rss_bytes() - before) / 2**20
        print(f"{type(strategy).__name__}, {count}: {took:.1f} s, {extra:.0f} MiB", flush=True)


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--picks", type=int, nargs="*", default=[10, 100, 500])
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    agreement()
    side_by_side(arguments.repeats)
    on_a_large_pool(arguments.picks)


if __name__ == "__main__":
    main()
