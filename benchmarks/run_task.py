"""What all hand-written contenders of whole_run.py do, on the same labels, images and network.

Nothing here is al_lightning's: who writes a loop by hand has torch, and imports no more than it takes.
"""

import argparse
import gzip
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn

QUERY, TOTAL = 500, 3000
EPOCHS, BATCH, LR = 10, 64, 1e-3
_MEAN, _STD = 0.2860, 0.3530
_CLASSES = 10


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


def read_task(folder: Path, initial: list[int], seed: int) -> Task:
    """Read Fashion-MNIST's four files."""
    images, labels, test_images, test_labels = (
        _read(folder, f"{part}-{kind}")
        for part in ("train", "t10k")
        for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")
    )
    return Task(
        _normalized(images),
        labels.long(),
        _normalized(test_images),
        test_labels.long(),
        torch.tensor(initial),
        seed,
    )


def _read(folder: Path, name: str) -> Tensor:
    plain = folder / name
    data = (
        plain.read_bytes()
        if plain.exists()
        else gzip.decompress((folder / f"{name}.gz").read_bytes())
    )
    dimensions = data[3]
    header = 4 + 4 * dimensions
    shape = np.frombuffer(data, ">i4", dimensions, 4)
    return torch.from_numpy(np.frombuffer(data, np.uint8, offset=header).reshape(shape).copy())


def _normalized(pixels: Tensor) -> Tensor:
    return (pixels.unsqueeze(1).float() / 255 - _MEAN) / _STD


def network(seed: int) -> nn.Module:
    """Return the untrained CNN, of torch's own layers."""
    torch.manual_seed(seed)
    return nn.Sequential(
        *(nn.Conv2d(1, 32, 3), nn.ReLU(inplace=True), nn.BatchNorm2d(32)),
        *(nn.Conv2d(32, 32, 3), nn.ReLU(inplace=True), nn.BatchNorm2d(32)),
        *(nn.MaxPool2d(2), nn.Dropout(0.25)),
        *(nn.Conv2d(32, 64, 3), nn.ReLU(inplace=True), nn.BatchNorm2d(64)),
        *(nn.Conv2d(64, 64, 3), nn.ReLU(inplace=True), nn.BatchNorm2d(64)),
        *(nn.Dropout(0.25), nn.Flatten()),
        *(nn.Linear(64 * 8 * 8, 512), nn.ReLU(inplace=True), nn.BatchNorm1d(512)),
        *(nn.Dropout(0.5), nn.Linear(512, _CLASSES)),
    )


def main(run: Callable[[Task, str], list[float]]) -> None:
    """Run one contender from the command line; print the accuracies of its rounds as JSON."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--files", type=Path, required=True, help="the folder of the four files")
    parser.add_argument("--initial", type=Path, required=True, help="ids to begin with, JSON")
    parser.add_argument("--precision", choices=("float32", "bf16"), default="float32")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    initial = json.loads(arguments.initial.read_text())
    accuracies = run(
        read_task(arguments.files, initial, arguments.seed), cast(str, arguments.precision)
    )
    print(json.dumps(accuracies))
