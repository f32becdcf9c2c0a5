"""How recipe=linear was chosen: on labels of the training set that were held out for it.

    python -m al_lightning dataset=cifar10 model=efficientnet_lite0_linear budget.total=1000
    python benchmarks/tune_linear.py --data-root DATA outputs/.cache/embeddings/FILE.npy

Trains linear heads on the embeddings that such a run has left behind. Prints a row for each recipe: its
mean accuracy on 10,000 held-out training images, over some draws of the labels. The test images are
not looked at. Figures go to benchmarks/results/tune_linear.json, those of other data sets stay.
"""

import argparse
import statistics
from pathlib import Path
from typing import Any

import numpy as np
import torch
from raw import record_part
from torch import Tensor, nn
from torch.nn import functional as F

from al_lightning.data import CIFAR10, FashionMNIST
from al_lightning.training.recipe import one_cycle

HELD_OUT = 10_000
SOURCES = {"fashion_mnist": FashionMNIST, "cifar10": CIFAR10}

BASE: dict[str, Any] = {
    "lr": 3e-3,
    "weight_decay": 5.0,
    "epochs": 15,
    "min_steps": 150,
    "batch_size": 128,
    "label_smoothing": 0.0,
}
LONGER = {"epochs": 30, "min_steps": 300}
CHANGES: list[dict[str, Any]] = [
    {},
    {"weight_decay": 1.0},
    {"weight_decay": 2.0},
    {"weight_decay": 10.0},
    {"lr": 1e-3},
    {"lr": 1e-2},
    {"label_smoothing": 0.1},
    LONGER,
    {**LONGER, "weight_decay": 0.1, "lr": 1e-2, "label_smoothing": 0.1},
]


def accuracy(
    embeddings: Tensor, labels: Tensor, count: int, seed: int, values: dict[str, Any]
) -> float:
    """Fit a head to some of the labels; return the accuracy on the held-out ones.

    Args:
        embeddings: (N, D) float32; the last 10,000 are held out.
        labels: (N,) int64.
        count: Labels to fit to.
        seed: Draws them, and all else.
        values: The recipe.
    """
    torch.manual_seed(seed)
    ids = torch.randperm(len(labels) - HELD_OUT)[:count]
    images, targets = embeddings[ids], labels[ids]
    head = nn.Linear(embeddings.shape[1], int(labels.max()) + 1)
    batches = -(-count // values["batch_size"])
    steps = max(values["min_steps"], values["epochs"] * batches)
    optimizer = torch.optim.AdamW(
        head.parameters(), lr=values["lr"], weight_decay=values["weight_decay"], fused=True
    )
    scheduler = one_cycle(optimizer, total_steps=steps, pct_start=0.25)
    for step in range(steps):
        if step % batches == 0:
            order = torch.randperm(count).chunk(batches)
        batch = order[step % batches]
        loss = F.cross_entropy(
            head(images[batch]), targets[batch], label_smoothing=values["label_smoothing"]
        )
        optimizer.zero_grad()
        torch.autograd.backward(loss)
        optimizer.step()
        scheduler.step()
    with torch.inference_mode():
        right = head(embeddings[-HELD_OUT:]).argmax(1) == labels[-HELD_OUT:]
    return float(right.float().mean())


def main() -> None:
    """Print and keep the means."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("embeddings", type=Path, help="of the training set, then the test set")
    parser.add_argument("--dataset", choices=SOURCES, default="cifar10")
    parser.add_argument("--data-root", default="data")
    parser.add_argument("--labels", type=int, nargs="+", default=[100, 500, 1000, 5000])
    parser.add_argument("--draws", type=int, default=3)
    options = parser.parse_args()
    labels = SOURCES[options.dataset](root=options.data_root).load().train.labels
    order = torch.randperm(len(labels), generator=torch.Generator().manual_seed(0))
    rows = np.load(options.embeddings, mmap_mode="r")[: len(labels)]
    embeddings, labels = torch.from_numpy(rows[order.numpy()]), labels[order]
    found = []
    for change in CHANGES:
        means = {
            count: statistics.mean(
                accuracy(embeddings, labels, count, seed, BASE | change)
                for seed in range(options.draws)
            )
            for count in options.labels
        }
        found.append({"change": change, "accuracy": means})
        print(found[-1], flush=True)
    record_part("tune_linear", options.dataset, found)


if __name__ == "__main__":
    main()
