"""Small things that tests of many modules share: data, networks, a trainer, journal events."""

from functools import partial
from typing import Any

import lightning as L
import torch
from torch import Tensor, nn
from torch.optim import AdamW

from al_lightning.data.source import ImageData, Images, Normalization
from al_lightning.models import CNN, Backbone, ImageClassifier

CLASSES = ("top", "middle", "bottom")
SHAPE = (1, 8, 8)
NORMALIZATION = Normalization((0.3,), (0.25,))


def tiny_images(count: int, seed: int = 0) -> Images:
    """Noise with a bright band, whose place is the class; classes in equal numbers, shuffled."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(count)[torch.randperm(count, generator=generator)] % len(CLASSES)
    pixels = torch.randint(0, 120, (count, *SHAPE), generator=generator)
    for image, label in zip(pixels, labels.tolist(), strict=True):
        image[:, 2 * label : 2 * label + 3] += 100
    return Images(pixels.to(torch.uint8), labels)


class TinySource:
    """Images of three classes that a small network can tell apart.

    Args:
        train: Number of training images.
        test: Number of test images.
        normalization: Published constants; None where there are none.

    Attributes:
        loads: How often the data was read.
    """

    def __init__(
        self,
        train: int = 60,
        test: int = 30,
        normalization: Normalization | None = NORMALIZATION,
    ) -> None:
        self.train, self.test, self.normalization = train, test, normalization
        self.loads = 0

    def load(self) -> ImageData:
        self.loads += 1
        train, test = tiny_images(self.train, seed=0), tiny_images(self.test, seed=1)
        return ImageData(train, test, CLASSES, self.normalization)


class Linear(Backbone):
    """The smallest backbone: its embeddings are the pixels."""

    def __init__(self, features: int = 64, num_classes: int = len(CLASSES)) -> None:
        super().__init__()
        self.output = nn.Linear(features, num_classes)

    def embed(self, images: Tensor) -> Tensor:
        return images.flatten(1)

    def classify(self, embeddings: Tensor) -> Tensor:
        logits: Tensor = self.output(embeddings)
        return logits


def tiny_cnn(**arguments: Any) -> CNN:
    """A CNN with dropout and batch norm that takes next to no time; initialised by torch's seed."""
    layout = {"filters": ((4,), (6,)), "dense": (5,)}
    return CNN(SHAPE, len(CLASSES), **{**layout, **arguments})


def tiny_classifier(seed: int = 0, **arguments: Any) -> ImageClassifier:
    """A classifier around :func:`tiny_cnn` with the weights of this seed; it learns fast."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        backbone = tiny_cnn(**arguments)
    return ImageClassifier(backbone, len(CLASSES), make_optimizer=partial(AdamW, lr=0.02))


def tiny_trainer(**options: Any) -> L.Trainer:
    """A trainer on the CPU that writes nothing and says nothing."""
    quiet = {
        "accelerator": "cpu",
        "devices": 1,
        "logger": False,
        "enable_checkpointing": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "num_sanity_val_steps": 0,
    }
    return L.Trainer(**{**quiet, **options})


def same_weights(one: nn.Module, other: nn.Module) -> bool:
    """Whether two modules hold the same values, buffers included."""
    left, right = one.state_dict(), other.state_dict()
    return left.keys() == right.keys() and all(torch.equal(left[k], right[k]) for k in left)


def start_event(train: int = 20, **changes: Any) -> dict[str, Any]:
    """What :meth:`Journal.begin` takes."""
    return {
        "config": {"seed": 0},
        "config_hash": "0123456789abcdef",
        "versions": {"torch": "2.6.0"},
        "hardware": {"threads": 1},
        "classes": list(CLASSES),
        "data": {"train": train, "test": 30, "fingerprint": "fedcba9876543210"},
        "model": {"trainable_parameters": 123},
        **changes,
    }


def round_event(index: int, labels_bought: int, accuracy: float = 0.5) -> dict[str, Any]:
    """What :meth:`Journal.record_round` takes."""
    return {
        "round": index,
        "labels_bought": labels_bought,
        "metrics": {"accuracy": accuracy, "nll": 1.25},
        "per_class": {"recall": [0.25, 0.5, 0.75]},
        "seconds": {"fit": 1.0, "test": 0.5, "score": 0.25, "select": 0.125},
        "steps": 10,
        "fit": "somewhere",
        "peak_rss_bytes": 1000,
    }
