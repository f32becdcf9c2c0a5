"""What two ranks compute together, for test_ranks.py.

Torchrun's launcher forks them, since importing takes seconds. Each rank leaves what it has seen in
FOLDER/<rank>.pt.
"""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import torch
from torch import Tensor, nn
from torch.distributed.launcher.api import LaunchConfig, elastic_launch
from torch.optim import SGD

from al_lightning import (
    Budget,
    DatasetOracle,
    EmbeddingCache,
    Evidence,
    FitCache,
    Journal,
    LoopCallback,
    Need,
    PoolDataModule,
    PredictionFiles,
    Scorer,
    load_predictions,
)
from al_lightning.models import ImageClassifier
from al_lightning.run.pool import Pool
from al_lightning.strategies import Margin
from al_lightning.training.fitting import fit_watched
from al_lightning.training.recipe import Recipe
from al_lightning.training.trainers import RoundTrainers
from al_lightning.utils.errors import DivergenceError
from al_lightning.utils.ranks import from_rank_zero, share_state
from al_lightning.utils.torchrun import rank, world_size
from tests.helpers import Linear, TinySource, tiny_classifier, tiny_trainer
from tests.loop.parts import loop_of
from tests.models.zoo import tiny_pretrained

# 23 labels in batches of 7 or 8 are shared 4 and 3: then every image must count the same.
RECIPE = Recipe(epochs=2, batch_size=8, eval_batch_size=4, precision="32-true")
LABELED = torch.arange(23)
BOTH = frozenset({Need.PROBABILITIES, Need.EMBEDDINGS})


def trainers() -> RoundTrainers:
    several = {"devices": 2} if world_size() > 1 else {}
    return RoundTrainers(partial(tiny_trainer, limit_val_batches=0, **several), RECIPE)


def in_round() -> PoolDataModule:
    datamodule = RECIPE.datamodule(TinySource(normalization=None))
    pool = Pool(60).reveal(LABELED, datamodule.data.train.labels[LABELED])
    datamodule.begin_round(pool, order_seed=3)
    return datamodule


def linear(kind: type[ImageClassifier] = ImageClassifier) -> ImageClassifier:
    """Without dropout and batch norm, whose draws and statistics are those of a rank."""
    torch.manual_seed(1)
    return kind(Linear(), 3, make_optimizer=partial(SGD, lr=0.1, momentum=0.9))


class Lost(ImageClassifier):
    """Diverges at the second step, on one rank alone."""

    def training_step(self, batch: tuple[Tensor, Tensor], batch_idx: int) -> Tensor:
        loss = super().training_step(batch, batch_idx)
        lost = self.trainer.global_step == 1 and self.trainer.global_rank == 1
        return loss * (torch.nan if lost else 1)


def fitted(datamodule: PoolDataModule, kind: type[ImageClassifier] = ImageClassifier) -> Any:
    classifier = linear(kind)
    facts = fit_watched(trainers()(0, 23), classifier, datamodule, 4, seed=0)
    return facts["steps"], classifier.state_dict()


def with_batch_norm() -> dict[str, Tensor]:
    """The state of a network whose running statistics are each rank's own while it is fitted."""
    classifier = tiny_classifier()
    fit_watched(trainers()(0, 23), classifier, in_round(), 0, seed=0)
    return classifier.state_dict()


def evidence(count: int, *, test: bool = False) -> Evidence:
    """Evidence of 37 images, 10 batches, the last of one image; or of 4, one batch for two ranks."""
    datamodule = in_round()
    data = datamodule.data
    images = data.test if test else data.train
    ids = torch.arange(count) if test else datamodule.pool.unlabeled_ids.flip(0)[:count]
    return Scorer(trainers()(0, 23), tiny_classifier(), datamodule).evidence(images, ids, BOTH)


class Hooks(LoopCallback):
    """Counts rounds, and names the rank."""

    def __init__(self) -> None:
        self.rounds = 0

    def on_round_end(self, result: Any) -> None:
        self.rounds += 1


def run(folder: Path, make_classifier: Callable[[], L.LightningModule], **options: Any) -> Any:
    """Run a loop; what came of it as its journal has it, in memory and on the disk."""
    datamodule = RECIPE.datamodule(TinySource(normalization=None))
    hooks = Hooks()
    journal = loop_of(
        datamodule=datamodule,
        make_classifier=make_classifier,
        make_trainer=trainers(),
        strategy=Margin(),
        oracle=DatasetOracle(datamodule.data.train.labels),
        journal=Journal(folder / "journal.jsonl"),
        budget=Budget(initial=23, query=8, total=39),
        config={"folder": folder.name},
        callbacks=[hooks, PredictionFiles(folder / "predictions")],
        **options,
    ).run()
    kept = [{k: v for k, v in e.items() if k != "digest"} for e in journal.events]
    files = sorted((folder / "predictions").iterdir()) if rank() == 0 else []
    predicted = [load_predictions(path).predicted for path in files]
    return {"events": kept, "rounds": hooks.rounds, "predicted": predicted}


def raised(call: Callable[[], object], kind: type[Exception]) -> str:
    """What a call that must raise says."""
    try:
        from_rank_zero(call)
    except kind as error:
        return str(error)
    return "nothing was raised"


def shared(value: float) -> float:
    """The weight of a layer that each rank had another value in."""
    layer = nn.Linear(1, 1)
    nn.init.constant_(layer.weight, value)
    share_state(layer)
    return float(layer.weight)


def frozen() -> ImageClassifier:
    return ImageClassifier(tiny_pretrained(mode="linear"), 3)


class NotRemadeError(Exception):
    """Cannot be made again from its arguments."""

    def __init__(self, first: str, second: str) -> None:
        super().__init__(f"{first} {second}")


def fail() -> None:
    raise NotRemadeError("it", "failed")


def everything(folder: Path) -> dict[str, Any]:
    """All that is compared."""
    found: dict[str, Any] = {
        "fit": fitted(in_round()),
        "batch norm": with_batch_norm(),
        "evidence": {
            (count, test): {need: getattr(evidence(count, test=test), need.value) for need in BOTH}
            for count, test in ((37, False), (4, False), (30, True))
        },
        "run": run(folder / "run", tiny_classifier, fit_cache=FitCache(folder / "fits")),
        "again": run(folder / "run", tiny_classifier, fit_cache=FitCache(folder / "fits")),
        "frozen": run(folder / "frozen", frozen, embeddings=EmbeddingCache(folder / "cache")),
        "shared": shared(rank() + 1.0),
        "raised": raised(lambda: 1 / 0, ZeroDivisionError),
        "in words": raised(fail, Exception),
    }
    try:
        fitted(in_round(), Lost)
    except DivergenceError as error:
        found["diverged"] = str(error)
    return found


def one_rank(folder: str) -> None:
    torch.save(everything(Path(folder)), Path(folder) / f"{rank()}.pt")


def launch(folder: str) -> None:
    config = LaunchConfig(
        *(1, 1, 2),
        run_id="ranks",
        rdzv_backend="c10d",
        rdzv_endpoint="127.0.0.1:0",
        local_addr="127.0.0.1",
        max_restarts=0,
        start_method="fork",
    )
    elastic_launch(config, one_rank)(folder)
