"""Runs that are done, for tests of what uses them: written down by hand, without any training."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from al_lightning.run.journal import Journal
from al_lightning.training.checkpoint import Checkpoint
from tests.helpers import CLASSES, SHAPE, round_event, start_event, tiny_classifier

#: As the command line records it: what makes the classifier of ``tiny_classifier``.
CONFIG: dict[str, Any] = {
    "model": {
        "_target_": "al_lightning.models.CNN",
        "_partial_": True,
        "filters": [[4], [6]],
        "dense": [5],
    },
    "recipe": {"_target_": "al_lightning.training.recipe.Recipe", "label_smoothing": 0.1},
    "seed": 0,
}
FACTS: dict[str, Any] = {
    "round": 0,
    "seconds": 1.0,
    "steps": 10,
    "classes": list(CLASSES),
    "image_shape": list(SHAPE),
    "normalization": {"mean": [0.3], "std": [0.25]},
    "precision": "32-true",
    "pretrained": None,
}
CALIBRATION: dict[str, Any] = {
    "temperature": 2.0,
    "labels": 20,
    "source": "validation",
    "ece_before": 0.2,
    "ece_after": 0.1,
}


def write_journal(
    folder: Path,
    rounds: int = 1,
    finished: bool = True,
    calibration: dict[str, Any] | None = None,
    **start: Any,
) -> Journal:
    """A journal of so many rounds; with 0 of them, of a run that has bought labels and no more."""
    calibrated = {} if calibration is None else {"calibration": calibration}
    journal = Journal(folder / "journal.jsonl")
    journal.begin(start_event(**{"config": CONFIG, **start}))
    for index in range(max(rounds, 1)):
        ids = torch.tensor([2 * index, 2 * index + 1])
        journal.record_labels(index, ids, ids % 3, "query" if index else "initial")
        if rounds:
            journal.record_round({**round_event(index, 2 * index + 2), **calibrated})
    if rounds and finished:
        journal.end("budget")
    return journal


def write_trained(
    folder: Path, facts: dict[str, Any] | None = None, seed: int = 1, **start: Any
) -> Path:
    """A run with the weights of ``tiny_classifier(seed)``; returns its folder."""
    write_journal(folder, **start)
    classifier = tiny_classifier(seed)
    classifier.backbone(torch.rand(8, *SHAPE))  # moves the running statistics
    path = folder / "checkpoints" / "last.ckpt"
    Checkpoint(path).save(classifier, "somewhere", FACTS if facts is None else facts)
    return folder


def save_image(path: Path, pixels: Tensor) -> None:
    """Write (C, H, W) uint8 to a file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    array = np.ascontiguousarray(pixels.permute(1, 2, 0).numpy())
    Image.fromarray(array[..., 0] if array.shape[2] == 1 else array).save(path)
