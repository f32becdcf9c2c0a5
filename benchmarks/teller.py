"""Runs the commands of the story in `living_project.py`, and knows what its project must hold."""

import os
import shlex
import signal
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
from forked import fork, run_command_line, wait
from PIL import Image
from sheets import open_sheets, read_rows, write_rows

from al_lightning import Journal
from al_lightning.inference import classes_command, labels_command, review_command

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog")
RUN = Path("outputs/projects/photos")
MAINS: dict[str, Callable[[list[str]], int | None]] = {
    "al_lightning.classes": classes_command.main,
    "al_lightning.labels": labels_command.main,
    "al_lightning.review": review_command.main,
}


@dataclass
class Teller:
    """Runs the commands of a story in a folder, each in a fork.

    Attributes:
        folder: To work in.
        pixels: (N, 32, 32, 3) uint8 of all images.
        truth: Their classes.
        model: Arguments of the command line that choose it.
        delays: For each command, by its number: after how many seconds it is killed, each time.
        seconds: Of each command that was not killed.
        kills: How many met a living process.
    """

    folder: Path
    pixels: np.ndarray
    truth: Sequence[int]
    model: Sequence[str]
    delays: dict[int, list[float]] = field(default_factory=dict)
    seconds: list[float] = field(default_factory=list)
    kills: int = 0

    @property
    def journal(self) -> Journal:
        """The journal as it is on the disk."""
        return Journal(self.folder / RUN / "journal.jsonl")

    def command(self, module: str, *arguments: str, done: Callable[[], bool] | None = None) -> None:
        """Run a command; one that is killed is given again, unless it was done.

        Args:
            module: Such as "al_lightning.labels".
            arguments: Of it.
            done: Whether it need not be given again.
        """
        if not self.delays:
            print(f"  python -m {module} {shlex.join(arguments)}", flush=True)
        delays = [*self.delays.get(len(self.seconds), [])]
        while True:
            clock = time.monotonic()
            process = self._fork(module, [*arguments])
            if delays:
                time.sleep(delays.pop())
                os.kill(process, signal.SIGKILL)
            code = wait(process)
            if code == -signal.SIGKILL:
                self.kills += 1
                if done is None or not done():
                    continue
            elif code:
                raise RuntimeError(f"exit {code}: {(self.folder / 'log.txt').read_text()[-2000:]}")
            self.seconds.append(time.monotonic() - clock)
            return

    def _fork(self, module: str, arguments: list[str]) -> int:
        work = partial(MAINS.get(module, run_command_line), arguments)
        return fork(self.folder, lambda: work() or 0)

    def label(self, total: int, *more: str, wrong: int = 0) -> None:
        """Run until the budget is spent; fill in the sheets, the first rows of the first one wrong."""
        data = ("dataset=image_folder", "dataset.path=images", "dataset.image_size=32")
        classes = f"dataset.classes=[{','.join(NAMES[:5])}]"
        budget = ("budget.query=40", "budget.validation=20", f"budget.total={total}")
        while True:
            self.command(
                "al_lightning",
                *("project=photos", *data, classes, "oracle=csv", *budget, *self.model, *more),
            )
            if self.journal.finished:
                return
            wrong = self._fill_in(wrong)

    def _fill_in(self, wrong: int) -> int:
        for sheet, rows in open_sheets(self.folder / RUN):
            for row in rows:
                label = self.truth[number_of(row["file"])]
                if wrong and "validation" not in sheet.name:
                    label, wrong = (label + 1) % 5, wrong - 1
                row["label"] = NAMES[label]
            write_rows(sheet, rows)
        return wrong

    def save(self, number: int) -> None:
        """Write an image as a PNG or JPEG file."""
        folder = self.folder / "images" / "unlabeled"
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{number:05}.{'png' if number % 2 else 'jpg'}"
        Image.fromarray(self.pixels[number]).save(path, quality=95)

    def files(self) -> list[Path]:
        """All images, sorted."""
        return sorted((self.folder / "images" / "unlabeled").rglob("*.*g"))

    def images(self) -> dict[int, int]:
        """Which image has which id, by the manifest."""
        rows = read_rows(self.folder / RUN / "images.csv")
        return {int(row["id"]): number_of(row["file"]) for row in rows if row["id"]}

    def wrong_labels(self) -> dict[int, int]:
        """Labeled images whose class is not the true one, with the true one."""
        images, labels = self.images(), self.journal.label_of
        true = {i: self.truth[images[i]] for i in labels}
        return {i: label for i, label in true.items() if labels[i] != label}

    def set(self, labels: dict[int, int]) -> None:
        """Correct labels on the command line."""
        texts = [f"{i}={NAMES[label]}" for i, label in labels.items()]
        self.command("al_lightning.labels", str(RUN), "--set", *texts, "--by", "Ada")


def number_of(file: str) -> int:
    """Return which image of CIFAR-10 a file is."""
    return int(Path(file).stem[-5:])
