"""A project of image files with a journal that is written by hand, without any training."""

from pathlib import Path
from typing import Any

import torch
from PIL import Image

from al_lightning.data import ImageFolder
from al_lightning.data.source import ImageData
from al_lightning.run.journal import Journal
from tests.helpers import round_event, start_event

CAT, DOG = 0, 1


def write_images(folder: Path) -> Path:
    """Two cats and a dog with labels (ids 0 to 2), four images without (3 to 6), a test image each."""
    names = ["train/cat/a.png", "train/cat/b.png", "train/dog/a.png"]
    names += [f"unlabeled/{name}.png" for name in ("=x", "deep/a", "p", "q")]
    names += ["test/cat/t.png", "test/dog/t.png"]
    for gray, name in enumerate(names):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8), 20 * gray).save(path)
    return folder


def load(images: Path) -> ImageData:
    return ImageFolder(str(images), image_size=8, channels=1, storage="memory").load()


def begin(run: Path, images: Path, *, project: bool = True, **changes: Any) -> Journal:
    """Begin a journal whose configuration names the images."""
    options = {"path": str(images), "image_size": 8, "channels": 1, "storage": "memory"}
    data = load(images)
    start = {
        "config": {"dataset": {"_target_": "al_lightning.data.ImageFolder", **options}},
        "classes": list(data.classes),
        "data": {"train": len(data.train), "test": 2, "fingerprint": data.fingerprint()},
        **changes,
    }
    journal = Journal(run / "journal.jsonl")
    journal.begin({**({"project": True} if project else {}), **start_event(**start)})
    return journal


def write_project(tmp_path: Path, *, project: bool = True, **changes: Any) -> Path:
    """Three given labels, 3 labeled by Ada as a cat, 4 skipped; return the run's folder."""
    images = write_images(tmp_path / "pets")
    journal = begin(tmp_path / "run", images, project=project, **changes)
    journal.record_labels(0, torch.arange(3), torch.tensor([CAT, CAT, DOG]), "initial")
    journal.record_round(round_event(0, 3))
    skipped = torch.tensor([4])
    journal.record_labels(1, torch.tensor([3]), torch.tensor([CAT]), "query", skipped, by="Ada")
    journal.record_round(round_event(1, 4))
    journal.end("budget")
    return tmp_path / "run"
