"""Times farthest-first selection against the dense greedy algorithm; run it by hand.

    python benchmarks/selection.py [--repeats 3] [--threads 1 2]

The embeddings are made up: 10 overlapping clusters in 32 dimensions, sent through a random layer
with ReLU. The dense greedy keeps all distances up to date, in float32, by one `addmv` a pick. Picks are
compared with its picks in float64. Figures go to benchmarks/results/farthest_first.json.
"""

import argparse
import time
from collections import defaultdict

import torch
from made_up import make_embeddings
from raw import record
from torch import Tensor

from al_lightning.strategies import Euclidean, FarthestFirst
from al_lightning.strategies.evidence import Evidence

POOL, LABELED, PICKS = 57_000, 3_000, 1_000


def dense_greedy(pool: Tensor, labeled: Tensor, count: int) -> tuple[list[int], float, float]:
    """Return the picks, the seconds for the labeled set, and the seconds for the picks."""
    start = time.perf_counter()
    center = pool.mean(0)
    pool, labeled = pool - center, labeled - center
    squares = pool.square().sum(1)
    nearest = torch.full((len(pool),), torch.inf)
    for block in torch.split(labeled, 256):
        squared = torch.addmm(squares[:, None] + block.square().sum(1), pool, block.T, alpha=-2)
        nearest = torch.minimum(nearest, squared.amin(1))
    middle = time.perf_counter()
    picks = []
    for _ in range(count):
        pick = int(nearest.argmax())
        picks.append(pick)
        to_pick = torch.addmv(squares + squares[pick], pool, pool[pick], alpha=-2)
        nearest = torch.minimum(nearest, to_pick)
        nearest[pick] = -torch.inf
    return picks, middle - start, time.perf_counter() - middle


def farthest_first(pool: Tensor, labeled: Tensor, count: int) -> tuple[list[int], float]:
    """Return the picks, and the seconds for everything."""
    start = time.perf_counter()
    selection = FarthestFirst(Euclidean()).select(
        Evidence(torch.arange(len(pool)), embeddings=pool),
        Evidence(torch.arange(len(labeled)), embeddings=labeled),
        count,
        torch.Generator(),
    )
    return selection.ids.tolist(), time.perf_counter() - start


def measure(pool: Tensor, labeled: Tensor, repeats: int) -> dict[str, list[float]]:
    """Run both in turns; return seconds."""
    farthest_first(pool[:2000], labeled[:10], 10)  # start the thread pools and load the kernels
    found = defaultdict[str, list[float]](list)
    for _ in range(repeats):
        _, scan, greedy = dense_greedy(pool, labeled, PICKS)
        found["dense, labeled"].append(scan)
        found["dense, picks"].append(greedy)
        found["here"].append(farthest_first(pool, labeled, PICKS)[1])
    return found


def main() -> None:
    """Measure, print and keep."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    embeddings = make_embeddings(POOL + LABELED)
    pool, labeled = embeddings[LABELED:], embeddings[:LABELED]
    found = {}
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        found[threads] = measure(pool, labeled, arguments.repeats)
        print(threads, found[threads], flush=True)
    exact, _, _ = dense_greedy(pool.double(), labeled.double(), PICKS)
    in_float32, _, _ = dense_greedy(pool, labeled, PICKS)
    picks, _ = farthest_first(pool, labeled, PICKS)
    same = {"here": len({*exact} & {*picks}), "dense": len({*exact} & {*in_float32})}
    record("farthest_first", {"seconds": found, "same_picks_as_in_float64": same})


if __name__ == "__main__":
    main()
