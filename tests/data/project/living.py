"""A project of image files that is started again and again, without any training."""

import os
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import torch

from al_lightning.callbacks.loop_callback import LoopCallback
from al_lightning.data import ImageFolder
from al_lightning.data.project.known_project import ImageUpdate
from al_lightning.data.project.project_source import ProjectSource
from al_lightning.data.source import ImageData, ImageSource
from al_lightning.loop.project_changes import record_changes, write_manifest
from al_lightning.loop.start import _of_a_project
from al_lightning.run.class_change import ClassChange
from al_lightning.run.journal import Journal
from al_lightning.run.questions import Question
from tests.data.folders import save
from tests.helpers import round_event, start_event

OPTIONS: dict[str, Any] = {"image_size": 8, "channels": 1, "storage": "memory"}


class Seen(LoopCallback):
    """Keeps what a person is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def on_correction(self, labels: Mapping[int, int]) -> None:
        self.lines.append(f"corrected {dict(labels)}")

    def on_classes(self, change: ClassChange, data: ImageData) -> None:
        self.lines.append(f"classes {change}")

    def on_images(self, update: ImageUpdate, to_review: Collection[int]) -> None:
        self.lines.append(f"images {update.change}")

    def on_import(self, count: int) -> None:
        self.lines.append(f"imported {count}")


class Living:
    """Images below ``images``, a project below ``run``.

    Args:
        folder: For both.
        source: Of the images; None for a folder of them.
        options: Of the folder of images.
    """

    def __init__(self, folder: Path, source: ImageSource | None = None, **options: Any) -> None:
        self.images, self.run = folder / "images", folder / "run"
        self.source, self.options = source, options
        self.seen = Seen()

    @property
    def journal(self) -> Journal:
        """The journal as it is on the disk."""
        return Journal(self.run / "journal.jsonl")

    def load(self) -> ImageData:
        """Read the images as a start would; nothing is written."""
        source = self.source or ImageFolder(str(self.images), **{**OPTIONS, **self.options})
        return ProjectSource(source, self.run, self.journal).load()

    def start(self) -> ImageData:
        """Read the images, and write down what has changed."""
        journal, data = self.journal, self.load()
        self.seen.lines.clear()
        facts = {"train": len(data.train), "test": len(data.test), **_of_a_project(data)}
        options = {"path": str(self.images), **OPTIONS, **self.options}
        dataset = {"_target_": "al_lightning.data.ImageFolder", **options}
        config = {"dataset": dataset} if self.source is None else {}
        event = start_event(config=config, classes=[*data.classes], data=facts)
        if journal.start is None:
            write_manifest(data.update)
            journal.begin({"project": True, **event})
        else:
            record_changes(journal, event, data, (), self.seen)
        return data

    def label(self, labels: Mapping[int, int], origin: Any = "initial") -> None:
        """Give first labels, and train on them."""
        journal = self.journal
        ids, classes = torch.tensor([*labels]), torch.tensor([*labels.values()])
        journal.record_labels(len(journal.rounds), ids, classes, origin)
        journal.record_round(round_event(len(journal.rounds), len(journal.label_of)))

    def ask(self, *ids: int, origin: Any = "query") -> None:
        """Ask for labels."""
        journal = self.journal
        journal.record_question(Question(len(journal.rounds), origin, torch.tensor(ids)))

    def save(self, name: str, shade: int) -> None:
        """Save an image; its shade tells it from others."""
        save(self.images / name, shade)

    def move(self, name: str, to: str) -> None:
        """Move a file of the images."""
        (self.images / to).parent.mkdir(parents=True, exist_ok=True)
        (self.images / name).rename(self.images / to)

    def remove(self, *names: str) -> None:
        """Remove files of the images."""
        for name in names:
            (self.images / name).unlink()

    def touch(self) -> None:
        """Give all files another time."""
        for path in self.images.rglob("*.png"):
            os.utime(path, ns=(1, 1))


def pets(folder: Path, **options: Any) -> Living:
    """Two cats and two dogs with labels, ids 0 to 3; four images without, ids 4 to 7; started.

    The shade of an image is ten times its id, and one.
    """
    living = Living(folder, **options)
    names = ["train/cat/a", "train/cat/b", "train/dog/a", "train/dog/b"]
    names += [f"unlabeled/{name}" for name in "wxyz"]
    for i, name in enumerate(names):
        living.save(f"{name}.png", 10 * i + 1)
    living.start()
    return living


def shades(data: ImageData) -> list[int]:
    """The shade of each training image, by id."""
    pixels = data.train.pixels[:]
    return [int(image.flatten()[0]) for image in pixels]
