"""Times farthest-first selection against the dense greedy algorithm; run it by hand.

    python benchmarks/selection.py [--repeats 3] [--threads 2]

The embeddings are made up: 10 overlapping clusters in 32 dimensions, sent through a random layer
with ReLU. The dense greedy keeps all distances up to date, in float32, by one `addmv` a pick. The
memory figures need Linux.
"""

import argparse
import statistics
import time
from pathlib import Path

import torch
from torch import Tensor

from al_lightning.strategies import Euclidean, FarthestFirst
from al_lightning.strategies.evidence import Evidence

POOL, LABELED, DIMENSIONS, PICKS = 57_000, 3_000, 512, 1_000


def make_embeddings(count: int) -> Tensor:
    """Return embeddings as a small network would yield them, (count, 512) float32."""
    generator = torch.Generator().manual_seed(0)
    means = 2 * torch.randn(10, 32, generator=generator)
    latent = means[torch.randint(10, (count,), generator=generator)]
    latent += torch.randn(count, 32, generator=generator) * (
        0.5 + torch.rand(count, 1, generator=generator)
    )
    return torch.relu(latent @ torch.randn(32, DIMENSIONS, generator=generator) / 5)


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


def status_bytes(field: str) -> int:
    """Return a size from /proc/self/status in bytes."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def peak_extra_bytes(pool: Tensor, labeled: Tensor) -> int:
    """Return how far the resident memory rises above where it stands, in bytes."""
    pool.sum(), labeled.sum()  # pages that the system has taken away would count when they return
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")  # resets the peak
    before = status_bytes("VmRSS")
    farthest_first(pool, labeled, PICKS)
    return status_bytes("VmHWM") - before


def main() -> None:
    """Run both in turns and print medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    embeddings = make_embeddings(POOL + LABELED)
    pool, labeled = embeddings[LABELED:], embeddings[:LABELED]
    farthest_first(pool[:2000], labeled[:10], 10)  # start the thread pools and load the kernels
    # The median: pages of others that the system had taken away may return in between.
    extra = statistics.median(peak_extra_bytes(pool, labeled) for _ in range(5))

    scans, greedies, lazies = [], [], []
    for _ in range(arguments.repeats):
        dense, scan, greedy = dense_greedy(pool, labeled, PICKS)
        lazy, seconds = farthest_first(pool, labeled, PICKS)
        scans.append(scan)
        greedies.append(greedy)
        lazies.append(seconds)
    total = [scan + greedy for scan, greedy in zip(scans, greedies, strict=True)]
    print(f"{POOL} x {DIMENSIONS}, {LABELED} labeled, {PICKS} picks; medians in seconds")
    print(f"dense greedy: labeled set {statistics.median(scans):.2f}, ", end="")
    print(f"picks {statistics.median(greedies):.2f}, total {statistics.median(total):.2f}")
    print(f"FarthestFirst: total {statistics.median(lazies):.2f}")
    ratios = [t / lazy_s for t, lazy_s in zip(total, lazies, strict=True)]
    picks_only = [g / lazy_s for g, lazy_s in zip(greedies, lazies, strict=True)]
    print(f"total / total: {statistics.median(ratios):.1f} x; ", end="")
    print(f"dense picks alone / total: {statistics.median(picks_only):.1f} x")
    print(f"same picks: {len(set(dense) & set(lazy))}, same order: {dense == lazy}")
    size = embeddings.nbytes
    print(f"extra memory: {extra / 2**20:.0f} MiB = {extra / size:.2f} x the embeddings")


if __name__ == "__main__":
    main()
