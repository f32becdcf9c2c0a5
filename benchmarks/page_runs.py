"""Runs with a page, and a client of it; a part of page_session.py."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
from PIL import Image

from al_lightning.data import CIFAR10

IMAGES, TESTED, BATCH, LABELS = 2_000, 500, 20, 300
SESSION = (
    *("dataset=image_folder", "model=efficientnet_lite0_linear", "strategy=margin"),
    *(f"budget.query={BATCH}", "threads=1", "progress=false"),
)


def write_images(folder: Path) -> tuple[list[int], tuple[str, ...]]:
    """Write the images where they are not there; return the class of each id, and the classes."""
    data = CIFAR10(root=os.environ["AL_LIGHTNING_DATA"]).load()
    done = folder / "done"
    if not done.exists():
        for place, images, count in (
            ("unlabeled", data.train, IMAGES),
            ("test", data.test, TESTED),
        ):
            for i in range(count):
                kind = "" if place == "unlabeled" else data.classes[int(images.labels[i])]
                path = folder / place / kind / f"{i:05}.png"
                path.parent.mkdir(parents=True, exist_ok=True)
                pixels = images.pixels[i].permute(1, 2, 0).numpy()
                Image.fromarray(pixels).save(path)
        done.touch()
    order = sorted(data.classes)  # as image_folder numbers them
    names = [data.classes[int(label)] for label in data.train.labels[:IMAGES]]
    return [order.index(name) for name in names], tuple(order)


def command(folder: Path, classes: tuple[str, ...], *more: str) -> list[str]:
    """Return the command of a session."""
    named = f"dataset.classes=[{','.join(classes)}]"
    place = f"dataset.path={folder / 'images'}"
    total = [] if any(a.startswith("budget.total=") for a in more) else [f"budget.total={LABELS}"]
    return [sys.executable, "-m", "al_lightning", *SESSION, place, named, *total, *more]


class Run:
    """A run with a page, in a process of its own; ended at the end of the block."""

    def __init__(self, folder: Path, classes: tuple[str, ...], *more: str) -> None:
        options = ("oracle=page", "oracle.open=false", *more)
        self.process = subprocess.Popen(
            command(folder, classes, *options),
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )
        assert self.process.stdout is not None
        text = ""
        for line in self.process.stdout:
            text += line
            if found := re.search(r"Label at (\S+)", line):
                self.address = found[1]
                return
        raise RuntimeError(text)

    def end(self) -> None:
        """Wait for its end."""
        output, _ = self.process.communicate(timeout=600)
        if self.process.returncode:
            raise RuntimeError(output)

    def stop(self) -> None:
        """End it now."""
        self.process.terminate()
        self.process.wait()


def journal_of(folder: Path) -> list[dict[str, Any]]:
    """Return the events of the only run below a folder."""
    (path,) = folder.glob("outputs/**/journal.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def fresh(folder: Path, name: str) -> Path:
    """Return an empty folder for a run, beside the images; what is computed once may be shared."""
    place = folder / name
    shutil.rmtree(place, ignore_errors=True)
    (place / "outputs").mkdir(parents=True)
    (place / "images").symlink_to(folder / "images")
    cache = folder / "cache"
    cache.mkdir(exist_ok=True)
    (place / "outputs" / ".cache").symlink_to(cache)
    return place


class Requests:
    """A client of the page without a browser."""

    def __init__(self, address: str) -> None:
        self._base = address.partition("/?")[0]
        self.http = httpx.Client(base_url=self._base, timeout=120)
        self.http.get(address).raise_for_status()

    def post(self, path: str, **body: Any) -> httpx.Response:
        """Send what the page sends."""
        headers = {"origin": self._base}
        return self.http.post(path, json={"tab": "t", "by": "", **body}, headers=headers)

    def images(self) -> Iterator[int]:
        """Yield the images that are asked for, until the run ends."""
        with suppress(httpx.TransportError):
            while True:
                images = self.post("/take", count=1).json()["images"]
                yield from (image["id"] for image in images)
                if not images:
                    if self.http.get("/status").json()["phase"] == "end":
                        return
                    time.sleep(0.02)

    def say(self, image: int, name: str) -> bool:
        """Label an image; return whether the page has confirmed it."""
        labels = [{"id": image, "before": None, "after": name}]
        return self.post("/submit", labels=labels).status_code == 200
