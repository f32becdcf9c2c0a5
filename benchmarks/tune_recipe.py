"""How the default recipe was chosen: on labels of the training set that were held out for it.

    python benchmarks/tune_recipe.py --data-root DATA --out results.jsonl --shard 0/2

Each line of the output is one fit: a recipe, a number of labels, the accuracy on 10,000 held-out
training images. The test set is not read. Fits that the output has already are passed over, so that
the script goes on where it was stopped. The table of docs/recipe.md on length and network comes from
`--changes 25 30 31 32 33 34 35 --labels 1000 5000 --keep changes`, once for each `--seed`.
"""

import argparse
import json
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from al_lightning.utils.process import prepare_process

prepare_process()

import lightning as L  # noqa: E402 - after the process is prepared
import torch  # noqa: E402
from raw import record_part  # noqa: E402

from al_lightning import (  # noqa: E402
    CNN,
    Need,
    Pool,
    PoolDataModule,
    Recipe,
    RoundTrainers,
    Scorer,
)
from al_lightning.data import CIFAR10, Digits, FashionMNIST, augmentation  # noqa: E402
from al_lightning.data.source import Images  # noqa: E402
from al_lightning.models.metrics import evaluate  # noqa: E402
from al_lightning.training.muon import MuonAdamW  # noqa: E402
from al_lightning.training.recipe import one_cycle  # noqa: E402
from al_lightning.utils.randomness import derive_generator, derive_seed  # noqa: E402

HELD_OUT = {"fashion_mnist": 10_000, "cifar10": 10_000, "digits": 500}
SOURCES: dict[str, Callable[..., Any]] = {
    "fashion_mnist": FashionMNIST,
    "cifar10": CIFAR10,
    "digits": lambda root: Digits(),  # noqa: ARG005 - all are given one
}

# An early default; CHANGES are to it, so that results found once stay comparable.
BASE: dict[str, Any] = {
    "optimizer": "adamw",
    "lr": 3e-3,
    "weight_decay": 0.1,
    "one_cycle": True,
    "warm_up": 0.25,
    "batch_size": 32,
    "epochs": 16,
    "min_steps": 1500,
    "shift": 0.035,
    "flip": True,
    "cutout": 0.0,
    "label_smoothing": 0.1,
    "filters": [[32, 32], [64, 64]],
    "padding": "auto",
    "dense": [512],
    "block_dropout": 0.25,
}
_MODEL = ("filters", "padding", "dense", "block_dropout")
_NEW = {"batch_size": 64, "epochs": 32}  # the default before Muon
_MUON = {"optimizer": "muon", "batch_size": 64, "epochs": 32, "min_steps": 750}  # the default since
_SMALL = {**_MUON, "batch_size": 32, "epochs": 16, "min_steps": 400, "flip": False}  # for digits
_OPTIMIZERS: dict[str, Callable[..., Any]] = {
    "adamw": partial(torch.optim.AdamW, fused=True),
    "muon": partial(MuonAdamW, fused=True),
}
CHANGES: list[dict[str, Any]] = [
    {},
    {"weight_decay": 0.02},
    {"shift": 0.07},
    {"lr": 1.5e-3},
    {"batch_size": 64, "min_steps": 750},
    {"label_smoothing": 0.0},
    {"warm_up": 0.1},
    {"min_steps": 3000},
    {"min_steps": 3000, "shift": 0.07},
    {"shift": 0.0},
    {"cutout": 0.25},
    {"one_cycle": False, "lr": 1e-3},
    {"batch_size": 64},
    {"batch_size": 64, "lr": 4.5e-3},
    {"batch_size": 64, "epochs": 32},
    {"batch_size": 128},
    {"batch_size": 64, "min_steps": 2000},
    {**_NEW, "cutout": 0.25},
    {**_NEW, "filters": [[32, 32], [64, 64], [128, 128]], "padding": 1},
    {**_NEW, "filters": [[32, 32], [64, 64], [128, 128]], "padding": 1, "dense": [256]},
    {**_NEW, "filters": [[64, 64], [128, 128]]},
    {**_NEW, "filters": [[64, 64], [128, 128], [256, 256]], "padding": 1, "dense": [256]},
    {**_NEW, "padding": 1},
    {**_NEW, "min_steps": 3000},
    {**_NEW, "min_steps": 3000, "shift": 0.07, "cutout": 0.25},
    _MUON,
    {**_MUON, "optimizer": "adamw"},
    {**_MUON, "epochs": 16},
    {**_MUON, "label_smoothing": 0.0},
    {**_MUON, "label_smoothing": 0.05},
    {**_MUON, "batch_size": 32},
    {**_MUON, "batch_size": 128},
    {**_MUON, "min_steps": 1500},
    {**_MUON, "epochs": 64},
    {**_MUON, "padding": 1},
    {**_MUON, "padding": 1, "filters": [[32, 32], [64, 64], [128, 128]]},
    {**_SMALL, "optimizer": "adamw"},
    _SMALL,
    {**_SMALL, "min_steps": 200},
    {**_SMALL, "optimizer": "adamw", "min_steps": 200},
    {**_SMALL, "label_smoothing": 0.0},
    {**_SMALL, "min_steps": 200, "label_smoothing": 0.0},
]


def main() -> None:
    """Fit what is missing of this process's share."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data-root", default="data")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--dataset", choices=SOURCES, default="fashion_mnist")
    parser.add_argument("--labels", type=int, nargs="+", default=[500, 3000])
    parser.add_argument("--changes", type=int, nargs="+", default=range(len(CHANGES)))
    parser.add_argument("--seed", type=int, default=1000)
    parser.add_argument("--shard", default="0/1", help="i/n: this process does every n-th fit")
    parser.add_argument("--keep", metavar="KEY", help="put the output into results/ under this key")
    args = parser.parse_args()
    torch.set_num_threads(1)
    index, count = map(int, args.shard.split("/"))
    known = args.out.read_text().splitlines() if args.out.exists() else []
    done = {_key(json.loads(line)) for line in known}
    jobs = [
        {"dataset": args.dataset, "labels": labels, "seed": args.seed, **CHANGES[change]}
        for labels in args.labels
        for change in args.changes
    ]
    source = SOURCES[args.dataset](root=args.data_root)
    for job in jobs[index::count]:
        if _key(job) not in done:
            result = {**job, **fit(source, job)}
            with args.out.open("a") as file:
                file.write(json.dumps(result) + "\n")
            print(result, flush=True)
    if args.keep:
        fits = [json.loads(line) for line in args.out.read_text().splitlines()]
        record_part("tune_recipe", args.keep, fits)


def fit(source: Any, job: dict[str, Any]) -> dict[str, float]:
    """Fit one recipe on the first labels of a permutation; measure it on the last 10,000."""
    values = {**BASE, **{key: value for key, value in job.items() if key in BASE}}
    recipe = Recipe(
        optimizer=partial(
            _OPTIMIZERS[values["optimizer"]], lr=values["lr"], weight_decay=values["weight_decay"]
        ),
        scheduler=partial(one_cycle, pct_start=values["warm_up"]) if values["one_cycle"] else None,
        epochs=values["epochs"],
        min_steps=values["min_steps"],
        batch_size=values["batch_size"],
        augmentation=augmentation(values["shift"], values["flip"], values["cutout"]),
        label_smoothing=values["label_smoothing"],
    )
    datamodule: PoolDataModule = recipe.datamodule(source)
    data = datamodule.data
    order = torch.randperm(len(data.train), generator=derive_generator(job["seed"], "tune"))
    ids, held_out = order[: job["labels"]], order[-HELD_OUT[job["dataset"]] :]
    datamodule.begin_round(Pool(len(order)).reveal(ids, data.train.labels[ids]), job["seed"])
    L.seed_everything(derive_seed(job["seed"], "weights"), verbose=False)
    classes = len(data.classes)
    classifier = recipe.classifier(
        CNN(data.image_shape, classes, **{name: values[name] for name in _MODEL}), classes
    )
    make_trainer = partial(
        L.Trainer, num_sanity_val_steps=0, limit_val_batches=0, enable_progress_bar=False
    )
    trainer = RoundTrainers(make_trainer, recipe)(0, len(ids))
    began = time.process_time()  # one thread, whatever else is run
    trainer.fit(classifier, datamodule=datamodule)
    seconds = time.process_time() - began
    labels = data.train.labels[held_out]
    evidence = Scorer(trainer, classifier, datamodule).evidence(
        data.train, held_out, {Need.PROBABILITIES}
    )
    probabilities = evidence.require(Need.PROBABILITIES)
    metrics, _, _ = evaluate(probabilities, labels)
    mirrored = Images(data.train.pixels[held_out].flip(3), labels)
    evidence = Scorer(trainer, classifier, datamodule).evidence(
        mirrored, torch.arange(len(labels)), {Need.PROBABILITIES}
    )
    averaged = (probabilities + evidence.require(Need.PROBABILITIES)) / 2
    return {
        **{name: metrics[name] for name in ("accuracy", "macro_f1", "nll", "ece")},
        "accuracy_over_the_flip": float((averaged.argmax(1) == labels).float().mean()),
        "seconds": seconds,
    }


def _key(job: dict[str, Any]) -> str:
    kept = {key: job[key] for key in ("dataset", "labels", "seed", *BASE) if key in job}
    return json.dumps(kept, sort_keys=True)


if __name__ == "__main__":
    main()
