"""The story of a project: labels are corrected, images come and go, a class is added, budgets grow.

    OMP_NUM_THREADS=1 AL_LIGHTNING_DATA=... python benchmarks/living_project.py
    OMP_NUM_THREADS=1 AL_LIGHTNING_DATA=... python benchmarks/living_project.py --kills 30
    OMP_NUM_THREADS=1 python benchmarks/living_project.py --restart 100000

The story is told on 3,000 images of CIFAR-10, written as PNG and JPEG files into a temporary folder. A
program fills in the sheets by the true classes. Every step prints its commands, and is checked. With
``--kills``, the story is told twice, with a small CNN: once without a disturbance, and once with so
many commands SIGKILLed at random instants and given again. Both must end the same. With ``--restart``,
the starts of a project of so many files are timed: first, with nothing new, and with 1,000 new files.
Results are added to benchmarks/results/living_project.json.
"""

import argparse
import csv
import json
import os
import random
import shlex
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from forked import QUICK, fork, run_command_line, wait
from PIL import Image

from al_lightning import Journal
from al_lightning.callbacks.loop_callback import LoopCallback
from al_lightning.data import ImageFolder
from al_lightning.data.project.project_source import ProjectSource
from al_lightning.data.sources.cifar import CIFAR10
from al_lightning.inference import classes_command, labels_command, review_command
from al_lightning.loop.project_changes import record_changes, write_manifest

RESULTS = Path(__file__).parent / "results" / "living_project.json"
NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog")
OLD, NEW, SIXTH = 3_000, 400, 100  # images of five classes, of five more later, and of the sixth
RUN = Path("outputs/projects/photos")
_CHANGING = ("seconds", "peak_rss_bytes", "at")  # with the machine and the clock
_PRETRAINED = (
    "model=efficientnet_lite0_linear",
    "model.image_size=96",
    "threads=1",
    "progress=false",
)

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
        for sheet in sorted((self.folder / RUN / "queries").glob("round_*.csv")):
            rows = read(sheet)
            if any(row.get("label", "x") for row in rows):
                continue
            for row in rows:
                label = self.truth[number_of(row["file"])]
                if wrong and "validation" not in sheet.name:
                    label, wrong = (label + 1) % 5, wrong - 1
                row["label"] = NAMES[label]
            write(sheet, rows)
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
        rows = read(self.folder / RUN / "images.csv")
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


def read(path: Path) -> list[dict[str, str]]:
    """Return the rows of a table."""
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def write(path: Path, rows: list[dict[str, str]]) -> None:
    """Write rows as a table."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def number_of(file: str) -> int:
    """Return which image of CIFAR-10 a file is."""
    return int(Path(file).stem[-5:])


def check(what: str, *, holds: bool) -> None:
    """Stop where something does not hold."""
    if not holds:
        raise RuntimeError(f"does not hold: {what}")
    print(f"    {what}", flush=True)


def story(teller: Teller) -> dict[str, Any]:
    """Tell the story; return its figures."""
    label_and_correct(teller)
    images_come_and_go(teller)
    classes_and_budgets(teller)
    print("6. A review after 10 % of the labels were made wrong")
    found = review(teller)
    move_on(teller)
    journal = teller.journal
    return {"commands": len(teller.seconds), "labels": len(journal.label_of), **found}


def label_and_correct(teller: Teller) -> None:
    """Label by five classes, and correct three labels."""
    print("1. Five classes, three rounds; three labels are wrong")
    for number in range(OLD):
        teller.save(number)
    teller.label(140, wrong=3)
    journal = teller.journal
    bought = [event["labels_bought"] for event in journal.rounds]
    check(f"labels of the rounds: {bought}", holds=bought == [60, 100, 140])
    check("3 labels are wrong", holds=len(wrong := teller.wrong_labels()) == 3)
    print("2. They are corrected")
    teller.set(wrong)
    teller.label(140)
    last = teller.journal.rounds[-1]
    check("no label is wrong", holds=not teller.wrong_labels())
    check("a round because of corrections", holds=last["because"] == ["corrections"])


def images_come_and_go(teller: Teller) -> None:
    """Add, rename and delete files."""
    print("3. 500 images come, 20 are renamed, 20 are deleted")
    before = teller.images()
    for number in range(OLD, OLD + NEW + SIXTH):
        teller.save(number)
    known = [path for path in teller.files() if number_of(path.name) < OLD]
    for path in known[:2000:100]:
        target = path.parent / "moved" / f"photo_{path.name}"
        target.parent.mkdir(exist_ok=True)
        path.rename(target)
    for path in known[50:2050:100]:
        path.unlink()
    teller.label(140)
    (event,) = (e for e in teller.journal.events if e["event"] == "images")
    counts = [event["size"], len(event["gone"]), event["renamed"], event["new"]]
    check(f"size, gone, renamed, new: {counts}", holds=counts == [3500, 20, 20, 500])
    images = teller.images()
    check("all ids are the same images", holds=all(images[i] == n for i, n in before.items()))


def classes_and_budgets(teller: Teller) -> None:
    """Add a class, and raise the budget twice."""
    print("4. A sixth class; the budget is raised")
    add = "al_lightning.classes", str(RUN), "--add", "dog"
    teller.command(*add, done=lambda: "dog" in teller.journal.classes)
    teller.label(200)
    journal = teller.journal
    new = [i for event in journal.labels("validation")[1:] for i in event["ids"]]
    check(f"{len(new)} validation labels of new images", holds=len(new) == 3 and min(new) >= OLD)
    print("5. The budget is raised again")
    teller.label(240)
    journal = teller.journal
    bought = [event["labels_bought"] for event in journal.rounds]
    dogs = sum(label == 5 for label in journal.label_of.values())
    check(f"labels of the rounds: {bought}, dogs: {dogs}", holds=bought[-1] == 240)
    check("no label is wrong", holds=not teller.wrong_labels())


def move_on(teller: Teller) -> None:
    """Begin a new project from the exported labels."""
    print("7. Export, and a new project from the table")
    teller.command("al_lightning.labels", str(RUN), "--to", "labels.csv", "--all", "--overwrite")
    table = ("dataset=table", "dataset.path=labels.csv", "dataset.image_size=32")
    teller.command(
        *("al_lightning", "project=second", *table, "oracle=csv", "budget.query=40"),
        *("budget.total=240", *teller.model),
    )
    second = Journal(teller.folder / RUN.parent / "second" / "journal.jsonl")
    rows = read(second.path.parent / "images.csv")
    named = {int(row["id"]): number_of(row["file"]) for row in rows if row["id"]}
    images = teller.images()
    here = {
        i: k for i, k in teller.journal.label_of.items() if i not in teller.journal.pool.absent_ids
    }
    one = {images[i]: teller.journal.classes[label] for i, label in here.items()}
    other = {named[i]: second.classes[label] for i, label in second.label_of.items()}
    check(f"the same {len(one)} labels in the new project", holds=one == other)


def review(teller: Teller) -> dict[str, int]:
    """Plant wrong labels, look for them, and correct them."""
    draw, journal = random.Random(0), teller.journal
    trained = journal.pool.labeled_ids.tolist()
    planted = draw.sample(trained, round(len(trained) / 10))
    images = teller.images()
    teller.set({i: (teller.truth[images[i]] + 1) % 6 for i in planted})
    teller.label(240)
    sheet = teller.folder / RUN / "review.csv"
    teller.command("al_lightning.review", str(RUN), done=sheet.exists)
    rows = read(sheet)
    firsts = {n: sum(int(row["id"]) in planted for row in rows[:n]) for n in (50, 100)}
    for row in rows[:100]:
        if int(row["id"]) in planted:
            row["label"] = NAMES[teller.truth[number_of(row["file"])]]
    write(sheet, rows)
    if firsts[100]:
        teller.command("al_lightning.review", str(RUN), "--apply", "--by", "Ben")
    check(
        f"{len(planted)} planted: {firsts[50]} in the first 50, {firsts[100]} in the first 100",
        holds=len(teller.wrong_labels()) == len(planted) - firsts[100],
    )
    if left := teller.wrong_labels():
        teller.set(left)
    teller.label(240)
    check("no label is wrong", holds=not teller.wrong_labels())
    return {"planted": len(planted), "in first 50": firsts[50], "in first 100": firsts[100]}


def end_of(teller: Teller) -> list[Any]:
    """Return what two stories must have in common."""
    parts: list[Any] = []
    for folder in sorted((teller.folder / RUN).parent.iterdir()):
        events = Journal(folder / "journal.jsonl").events
        parts += [{k: v for k, v in event.items() if k not in _CHANGING} for event in events]
        images = read(folder / "images.csv")
        parts += [{k: v for k, v in row.items() if k != "modified"} for row in images]
        parts += [path.read_text() for path in sorted(folder.glob("queries/*.csv"))]
    return parts


def tell(kills: int) -> dict[str, Any]:
    """Tell the story once, or twice where commands are killed; return its figures."""
    root = os.environ.get("AL_LIGHTNING_DATA", "data")
    data = CIFAR10(root).load().train
    labels = data.labels
    five = (labels < 5).nonzero().flatten()[: OLD + NEW]
    sixth = (labels == 5).nonzero().flatten()[:SIXTH]
    ids = [*five.tolist(), *sixth.tolist()]
    pixels = data.pixels[ids].permute(0, 2, 3, 1).numpy()
    truth = labels[ids].tolist()
    quick = [key for key in QUICK if key != "threads=1"]
    model = ("model=cnn", *quick, "threads=1") if kills else _PRETRAINED
    with tempfile.TemporaryDirectory() as name:
        (whole := Path(name) / "whole").mkdir()
        teller = Teller(whole, pixels, truth, model)
        found: dict[str, Any] = story(teller)
        found["seconds of commands"] = round(sum(teller.seconds), 1)
        if not kills:
            return {"story": found}
        draw = random.Random(0)
        delays: dict[int, list[float]] = {}
        for _ in range(kills):
            number = draw.randrange(len(teller.seconds))
            delays.setdefault(number, []).append(draw.uniform(0, teller.seconds[number]))
        (cut := Path(name) / "cut").mkdir()
        killed = Teller(cut, pixels, truth, model, delays)
        story(killed)
        same = end_of(killed) == end_of(teller)
        print(f"{killed.kills} kills; the end is {'identical' if same else 'DIFFERENT'}")
        return {"kills": {"kills": killed.kills, "identical": same}}


def tiny_png(number: int) -> bytes:
    """Return a PNG of 4 x 4 pixels of four grays, another one for each number."""
    grays = bytes(30 + 60 * (number >> 2 * place & 3) for place in range(16))
    rows = b"".join(b"\0" + grays[4 * row : 4 * row + 4] for row in range(4))
    chunks = b""
    for name, content in (
        (b"IHDR", struct.pack(">IIBBBBB", 4, 4, 8, 0, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows, 1)),
        (b"IEND", b""),
    ):
        sealed = name + content
        chunks += struct.pack(">I", len(content)) + sealed + struct.pack(">I", zlib.crc32(sealed))
    return b"\x89PNG\r\n\x1a\n" + chunks


def write_files(folder: Path, numbers: range) -> None:
    """Write tiny images, 5,000 a folder."""
    for number in numbers:
        place = folder / "unlabeled" / f"{number // 5000:03}"
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number:07}.png").write_bytes(tiny_png(number))


def start_in_process(folder: Path) -> dict[str, float]:
    """Start a project: scan, manifest, cache of decoded images; return the seconds of it."""
    clock = time.perf_counter()
    journal = Journal(folder / "run" / "journal.jsonl")
    source = ImageFolder(
        *(str(folder / "images"),),
        image_size=8,
        channels=1,
        classes=["a", "b"],
        storage="disk",
        cache_dir=str(folder / "cache"),
    )
    data = ProjectSource(source, folder / "run", journal).load()
    assert data.update is not None
    facts = {"train": len(data.train), "manifest": data.update.change.manifest}
    begin = {"config": {}, "config_hash": "", "versions": {}, "hardware": {}, "project": True}
    start = {**begin, "classes": [*data.classes], "data": facts}
    if journal.start is None:
        write_manifest(data.update)
        journal.begin(start)
    else:
        record_changes(journal, start, data, (), LoopCallback())
    return {"seconds": time.perf_counter() - clock}


def restarts(count: int) -> dict[str, Any]:
    """Time the starts of a project of many files."""
    with tempfile.TemporaryDirectory() as name:
        folder, found = Path(name), {}
        write_files(folder / "images", range(count))
        start = partial(start_in_process, folder)
        found["first"] = start()["seconds"]
        found["nothing new"] = statistics.median(start()["seconds"] for _ in range(3))
        times = []
        for i in range(3):
            write_files(folder / "images", range(count + 1000 * i, count + 1000 * (i + 1)))
            times.append(start()["seconds"])
        found["1,000 new"] = statistics.median(times)
        shutil.rmtree(folder / "run")
        command = [
            *(sys.executable, "-m", "al_lightning", "project=many", "dataset=image_folder"),
            *(
                "dataset.path=images",
                "dataset.image_size=32",
                "dataset.classes=[a,b]",
                "oracle=csv",
            ),
            *("model=cnn", "threads=1", "budget.initial_policy=uniform"),
        ]
        environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
        for what, new in (("first", 0), ("nothing new", 0), ("1,000 new", 1000)):
            write_files(folder / "images", range(count + 3000, count + 3000 + new))
            clock = time.perf_counter()
            subprocess.run(command, cwd=folder, check=True, capture_output=True, env=environment)
            found[f"{what}, whole command"] = time.perf_counter() - clock
        rounded = {what: round(seconds, 2) for what, seconds in found.items()}
        print(json.dumps(rounded, indent=1), flush=True)  # removing the files takes a while
    return {"restart": {"files": count, **rounded}}


def main() -> None:
    """Tell the story, or time restarts; keep the results."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=0, metavar="N", help="commands to kill")
    parser.add_argument("--restart", type=int, default=0, metavar="FILES", help="time restarts")
    given = parser.parse_args()
    found = restarts(given.restart) if given.restart else tell(given.kills)
    before = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    RESULTS.write_text(json.dumps({**before, **found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
