"""What all contenders of whole_run.py do, on the same labels, images and network."""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

import torch
from torch import Tensor

from al_lightning.data import FashionMNIST
from al_lightning.initial import draw_balanced
from al_lightning.models import CNN

INITIAL, QUERY, TOTAL = 500, 500, 3000
EPOCHS, BATCH, LR = 10, 64, 1e-3
CLASSES, SHAPE = 10, (1, 28, 28)


@dataclass(frozen=True)
class Task:
    """Normalised images in memory, and the ids to begin with.

    Attributes:
        images: (60,000, 1, 28, 28) float32.
        labels: (60,000,) int64.
        test_images: (10,000, 1, 28, 28) float32.
        test_labels: (10,000,) int64.
        initial: (500,) int64.
        seed: Of the weights and the order of batches.
    """

    images: Tensor
    labels: Tensor
    test_images: Tensor
    test_labels: Tensor
    initial: Tensor
    seed: int


def read_task(root: str, seed: int) -> Task:
    """Read Fashion-MNIST and draw the initial labels as al_lightning draws them."""
    data = FashionMNIST(root=root, download=False).load()
    if data.normalization is None:
        raise RuntimeError("Fashion-MNIST has published constants")
    mean, std = data.normalization.mean[0], data.normalization.std[0]
    ids = torch.arange(len(data.train))
    initial = draw_balanced(ids, data.train.labels, INITIAL, seed)
    return Task(
        (data.train.pixels[:].float() / 255 - mean) / std,
        data.train.labels,
        (data.test.pixels[:].float() / 255 - mean) / std,
        data.test.labels,
        initial,
        seed,
    )


def network(seed: int) -> CNN:
    """Return the untrained CNN."""
    torch.manual_seed(seed)
    return CNN(SHAPE, CLASSES)


def main(run: Callable[[Task, str], list[float]]) -> None:
    """Run one contender from the command line; print the accuracies of its rounds as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--data", required=True)
    parser.add_argument("--precision", choices=("float32", "bf16"), default="float32")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    accuracies = run(read_task(arguments.data, arguments.seed), cast(str, arguments.precision))
    print(json.dumps(accuracies))
