"""Compares `cluster` with minibatch k-means of scikit-learn; run it by hand.

    python benchmarks/clusters.py EMBEDDINGS.npy [--clusters 20,100,500] [--seeds 3]

Prints, for scikit-learn's minibatch k-means in all dimensions and for `cluster`, by turns: seconds of
CPU with one thread, and the share of the sum of squares within clusters. A file of embeddings is in
outputs/.cache/embeddings after a run of a frozen network; 50,000 rows of it are used. Figures go to
benchmarks/results/clusters.json.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from raw import record
from sklearn.cluster import MiniBatchKMeans
from threadpoolctl import threadpool_limits
from torch import Tensor

from al_lightning.strategies.functional.clusters import Centered, cluster
from al_lightning.strategies.functional.rows import unit_rows

ROWS, BATCH = 50_000, 5_000


def main() -> None:
    """Cluster by turns, print and keep medians."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("embeddings", type=Path)
    parser.add_argument("--clusters", default="20,100,500")
    parser.add_argument("--seeds", type=int, default=3)
    given = parser.parse_args()
    torch.set_num_threads(1)
    rows = unit_rows(torch.from_numpy(np.load(given.embeddings, mmap_mode="r")[:ROWS].copy()))
    table: dict[str, dict[str, dict[str, float]]] = {}
    for count in map(int, given.clusters.split(",")):
        found: dict[str, list[tuple[float, float]]] = {name: [] for name in METHODS}
        for seed in range(given.seeds):
            for name, method in METHODS.items():
                found[name].append(measured(method, rows, count, seed))
        for name, pairs in found.items():
            seconds, shares = zip(*pairs, strict=True)
            table.setdefault(str(count), {})[name] = {
                "seconds": round(statistics.median(seconds), 2),
                "within": round(statistics.median(shares), 4),
            }
    print(json.dumps(table, indent=2))
    record("clusters", table)


def measured(
    method: Callable[[Tensor, int, int], Tensor], rows: Tensor, count: int, seed: int
) -> tuple[float, float]:
    """Return seconds of CPU, and the share of the sum of squares that is within clusters."""
    began = time.process_time()
    with threadpool_limits(1):
        labels = method(rows, count, seed)
    seconds = time.process_time() - began
    scaled = Centered(rows)[:]
    sums = torch.zeros(count, rows.shape[1]).index_add_(0, labels, scaled)
    centers = sums / torch.bincount(labels, minlength=count).clamp(min=1)[:, None]
    within = (scaled - centers[labels]).square().sum() / scaled.square().sum()
    return seconds, float(within)


def by_scikit_learn(rows: Tensor, count: int, seed: int) -> Tensor:
    """Return the cluster of each row by minibatches, in all dimensions."""
    method = MiniBatchKMeans(count, batch_size=BATCH, n_init=1, random_state=seed)
    return torch.from_numpy(method.fit_predict(Centered(rows)[:].numpy())).long()


def by_products(rows: Tensor, count: int, seed: int) -> Tensor:
    """Return the cluster of each row as strategies have it."""
    return cluster(rows, count, torch.Generator().manual_seed(seed)).labels


METHODS = {"scikit-learn": by_scikit_learn, "here": by_products}

if __name__ == "__main__":
    main()
