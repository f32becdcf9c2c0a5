"""Compares bald and batchbald with baal's and scikit-activeml's; run it by hand.

    pip install ".[bench]"
    python benchmarks/bayesian.py [--repeats 7] [--threads 1]

Whether all three say the same on a small pool, and their times, in turns. Figures go to
benchmarks/results/bayesian.json.

The samples are made up: linear subnetworks around a common one, on points of which some lie far from
every boundary.
"""

import argparse
import json
from collections.abc import Callable

import numpy as np
import torch
from baal.active import heuristics
from measuring import timed
from raw import record
from skactiveml.pool import batch_bald
from torch import Tensor

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


def agreement() -> dict[str, float]:
    """Return whether all three say the same where all labelings are looked at."""
    samples = make_samples(2000).double()
    samples /= samples.sum(2, keepdim=True)
    pool = Evidence(torch.arange(len(samples)), mc_probabilities=samples)
    scores = BALD().score(pool).double().numpy()
    baal = heuristics.BALD().compute_score(samples.numpy().transpose(0, 2, 1))
    scikit = batch_bald(samples.numpy().transpose(1, 0, 2).copy(), 1, n_MC_samples=1)[0]
    same_baal, same_scikit, repeats, count, classes = 0, 0, 10, 4, 4
    for seed in range(repeats):
        few = make_samples(500, 10, classes, seed)
        mine = ours(BatchBALD(), few, count)
        same_baal += set(mine) == set(baals(few, count))
        same_scikit += mine == scikits(few, count, classes ** (count - 1))
    return {
        "bald, largest difference from baal": float(np.abs(scores - baal).max()),
        "bald, largest difference from scikit-activeml": float(np.abs(scores - scikit).max()),
        f"batchbald, {count} of 500, runs with the same picks as baal": same_baal,
        f"batchbald, {count} of 500, runs with the same picks as scikit-activeml": same_scikit,
        "runs": repeats,
    }


def by_turns(functions: dict[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Return the seconds of calls, which are made in turns."""
    times: dict[str, list[float]] = {who: [] for who in functions}
    for _ in range(repeats):
        for who, function in functions.items():
            times[who].append(timed(function))
    return times


def side_by_side(repeats: int) -> dict[str, dict[str, list[float]]]:
    """Return the seconds of all three, by selection."""
    large = make_samples(POOL)
    wide, tall = large.numpy().transpose(0, 2, 1), large.double().numpy().transpose(1, 0, 2)
    few, count = make_samples(1000), 8
    return {
        f"bald, {POOL:,} x {SAMPLES} x {CLASSES}": by_turns(
            {
                "ours": lambda: ours(BALD(), large, 500),
                "baal": lambda: heuristics.BALD()(wide),
                "scikit-activeml": lambda: batch_bald(tall.copy(), 1, n_MC_samples=1),
            },
            repeats,
        ),
        f"batchbald, {count} of {len(few):,} x {SAMPLES} x {CLASSES}, 2,000 labelings": by_turns(
            {
                "ours": lambda: ours(BatchBALD(configurations=2000), few, count),
                "baal": lambda: baals(few, count),
                "scikit-activeml": lambda: scikits(few, count, 2000),
            },
            repeats,
        ),
    }


def main() -> None:
    """Run all of it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    found = {
        "agreement": agreement(),
        "seconds": side_by_side(arguments.repeats),
    }
    print(json.dumps(found, indent=1))
    record("bayesian", found)


if __name__ == "__main__":
    main()
