"""Times a folder of many images: in memory, decoded once onto disk, and streamed; run it by hand.

    python benchmarks/image_folder.py [--images 200000] [--size 64] [--folder FOLDER] [--workers 2]

Makes the folder (JPEG and PNG files of smooth random colours, in 10 classes, most of them unlabeled)
where it is not there, and removes it and the cache at the end unless --keep is given. Every way runs in
a process of its own, whose memory is watched: anonymous memory, since pages of a mapped file are the
system's to drop. Figures go to benchmarks/results/image_folder.json. Needs Linux.
"""

import argparse
import json
import logging
import os
import shutil
import statistics
import subprocess
import sys
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from measuring import PeakMemory, memory_bytes, timed
from PIL import Image
from raw import record

from al_lightning.data import ImageFolder
from al_lightning.data.datamodule import PoolDataModule
from al_lightning.models import CNN
from al_lightning.run.pool import Pool
from al_lightning.strategies.evidence import Need
from al_lightning.training.recipe import Recipe
from al_lightning.training.scoring import Scorer

WAYS = ("memory", "disk", "stream")
CLASSES, LABELED, STEPS, TIMES = 10, 2_000, 60, 3
_PER_FOLDER = 10_000


def make_images(folder: Path, count: int, size: int) -> None:
    """Write the files: LABELED in train/, the rest in unlabeled/."""
    done = folder / f".{count}-{size}"
    if done.exists():
        return
    generator = np.random.default_rng(0)
    for number in range(count):
        label = number % CLASSES
        part = Path(f"train/class{label}") if number < LABELED else Path("unlabeled")
        if number >= LABELED:
            part /= f"{number // _PER_FOLDER:03}"
        ending = "jpg" if number % 2 else "png"
        path = folder / part / f"{number:07}.{ending}"
        path.parent.mkdir(parents=True, exist_ok=True)
        coarse = generator.integers(0, 255, (6, 6, 3), dtype=np.uint8)
        coarse[:, :, label % 3] //= 1 + label
        Image.fromarray(coarse).resize((size, size), Image.Resampling.BICUBIC).save(path)
    done.touch()


def quiet_trainer(**options: Any) -> L.Trainer:
    """Return a trainer that says and writes nothing."""
    return L.Trainer(
        accelerator="cpu",
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        limit_val_batches=0,
        **options,
    )


def read_batches(datamodule: PoolDataModule, count: int) -> float:
    """Return the seconds of a pass over images without a network."""
    ids = torch.arange(count)
    return timed(lambda: [None for _ in datamodule.images_dataloader(datamodule.data.train, ids)])


def measure(way: str, arguments: argparse.Namespace) -> dict[str, float]:
    """Measure one way in this process."""
    torch.set_num_threads(arguments.threads)
    logging.getLogger("lightning.pytorch").setLevel(logging.ERROR)
    before = memory_bytes("RssAnon")
    with PeakMemory() as peak:
        source = ImageFolder(
            str(arguments.folder / "images"),
            image_size=arguments.size,
            storage=way,
            cache_dir=str(arguments.folder / "cache"),
            workers=arguments.workers,
        )
        recipe = Recipe(batch_size=64, eval_batch_size=256, precision="32-true")
        datamodule = recipe.datamodule(source)
        found = {"load": timed(lambda: datamodule.data)}
        found["fingerprint"] = timed(datamodule.data.fingerprint)
        data = datamodule.data
        labeled = data.given_ids
        datamodule.begin_round(Pool(len(data.train)).reveal(labeled, data.train.labels[labeled]), 0)
        shape = data.image_shape
        backbone = CNN(shape, CLASSES, filters=((4,), (8,), (16,)), dense=(32,))
        classifier = recipe.classifier(backbone, CLASSES)

        ids = datamodule.pool.unlabeled_ids[: arguments.score]
        needs = {Need.PROBABILITIES, Need.EMBEDDINGS}
        fits, scores = [], []
        for _ in range(TIMES):
            trainer = quiet_trainer(max_steps=STEPS, max_epochs=-1)
            fits.append(timed(partial(trainer.fit, classifier, datamodule=datamodule)))
            scorer = Scorer(trainer, classifier, datamodule)
            scores.append(timed(partial(scorer.evidence, data.train, ids, needs)))
        found["train_per_s"] = STEPS * 64 / statistics.median(fits)
        found["score_per_s"] = len(ids) / statistics.median(scores)
        found["read_per_s"] = len(ids) / read_batches(datamodule, len(ids))
    found["anonymous_MiB"] = (peak.bytes - before) / 2**20
    found["load_again"] = timed(source.load)  # last: the images are then in memory twice
    return found


def measured_apart(way: str, arguments: argparse.Namespace) -> dict[str, float]:
    """Measure one way in a process of its own."""
    command = [sys.executable, __file__, "--way", way]
    for name in ("images", "size", "folder", "workers", "threads", "score"):
        command += [f"--{name}", str(getattr(arguments, name))]
    # As the command line has it: threads that spin would measure who else is on the machine.
    environment = {**os.environ, "OMP_WAIT_POLICY": "passive"}
    output = subprocess.run(
        command, check=True, capture_output=True, text=True, env=environment
    ).stdout
    found: dict[str, float] = json.loads(output.splitlines()[-1])
    return found


def main() -> None:
    """Measure all ways in turns; print all, keep medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--images", type=int, default=200_000)
    parser.add_argument("--size", type=int, default=64)
    parser.add_argument("--folder", type=Path, default=Path("outputs/image_folder_benchmark"))
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--score", type=int, default=20_000, help="images of the scoring pass")
    parser.add_argument("--repeats", type=int, default=1)
    parser.add_argument("--keep", action="store_true")
    parser.add_argument("--way", choices=WAYS, help="used by the script itself")
    arguments = parser.parse_args()
    if arguments.way is not None:
        print(json.dumps(measure(arguments.way, arguments)))
        return
    made = timed(lambda: make_images(arguments.folder / "images", arguments.images, arguments.size))
    print(f"{arguments.images:,} files of {arguments.size} px, made in {made:.0f} s", flush=True)
    shutil.rmtree(arguments.folder / "cache", ignore_errors=True)
    rounds: dict[str, list[dict[str, float]]] = {way: [] for way in WAYS}
    for _ in range(arguments.repeats):
        for way in WAYS:
            rounds[way].append(measured_apart(way, arguments))
            print(way, json.dumps(rounds[way][-1]), flush=True)
    medians = {
        way: {name: statistics.median(each[name] for each in found) for name in found[0]}
        | {"load": found[0]["load"]}  # later ones find what the first has decoded
        for way, found in rounds.items()
    }
    record("image_folder", {"images": arguments.images, "size": arguments.size, "medians": medians})
    if not arguments.keep:
        shutil.rmtree(arguments.folder)


if __name__ == "__main__":
    main()
