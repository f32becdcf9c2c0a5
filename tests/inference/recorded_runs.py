"""Runs as the command line leaves them, made without it in a second."""

from pathlib import Path
from typing import Any

from al_lightning import (
    ActiveLearningLoop,
    Budget,
    Journal,
    Learner,
    NoisyOracle,
    Query,
    RoundTrainers,
    RunRecord,
)
from al_lightning.data.project.project_source import ProjectSource
from al_lightning.inference.rebuild import rebuild
from al_lightning.strategies import Margin
from tests.helpers import tiny_images
from tests.inference.trained_runs import save_image

BUDGET = Budget(initial=30, query=10, total=40)
CONFIG: dict[str, Any] = {
    "seed": 5,
    "output_root": "outputs",
    "dataset": {"_target_": "al_lightning.data.Digits"},
    "model": {
        "_target_": "al_lightning.models.CNN",
        "_partial_": True,
        "filters": [[4], [4]],
        "dense": [16],
    },
    "recipe": {
        "_target_": "al_lightning.training.recipe.Recipe",
        "epochs": 1,
        "min_steps": 8,
        "batch_size": 16,
        "precision": "32-true",
    },
    "trainer": {
        "_target_": "lightning.Trainer",
        "_partial_": True,
        "accelerator": "cpu",
        "devices": 1,
        "enable_progress_bar": False,
        "limit_val_batches": 0,
        "num_sanity_val_steps": 0,
    },
}


def run_recorded(
    folder: Path, budget: Budget = BUDGET, *, project: bool = True, **config: Any
) -> ActiveLearningLoop:
    """Run on digits, a tenth of whose labels are wrong; return the loop."""
    config = {**CONFIG, **config}
    parts = {key: rebuild(config[key], key) for key in ("dataset", "model", "recipe")}
    recipe, make_trainer = parts["recipe"], rebuild(config["trainer"], "trainer")
    journal = Journal(folder / "journal.jsonl")
    source = ProjectSource(parts["dataset"], folder, journal) if project else parts["dataset"]
    datamodule = recipe.datamodule(source)
    data = datamodule.data
    classes = len(data.classes)
    learner = Learner(
        datamodule,
        lambda: recipe.classifier(parts["model"](data.image_shape, classes), classes),
        RoundTrainers(make_trainer, recipe),
        seed=config["seed"],
        record=RunRecord(config, project=project),
    )
    oracle = NoisyOracle(data.train.labels, classes, rate=0.1, seed=0)
    loop = ActiveLearningLoop(learner, Query(Margin()), oracle, journal, budget)
    loop.run()
    return loop


def run_on_files(tmp_path: Path) -> ActiveLearningLoop:
    """A project of 48 images below old, 12 of them labeled; 12 more are tested on."""
    for index, pixels in enumerate(tiny_images(60).pixels[:]):
        save_image(tmp_path / "old" / str(index % 3) / f"{index}.png", pixels)
    dataset = {
        "_target_": "al_lightning.data.ImageFolder",
        "path": str(tmp_path / "old"),
        "image_size": 8,
        "channels": 1,
        "storage": "memory",
    }
    return run_recorded(tmp_path / "outputs" / "a", Budget(6, 6, 12), dataset=dataset)
