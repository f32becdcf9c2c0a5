"""A step must not wait for the device; on the CPU, what would wait shows as a value that is read."""

from functools import partial
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from torch.optim import SGD
from torch.utils._python_dispatch import TorchDispatchMode

from al_lightning.callbacks.training_curves import TrainingCurves
from al_lightning.data.transforms import augmentation
from al_lightning.models import ImageClassifier
from al_lightning.run.pool import Pool
from al_lightning.strategies.evidence import Need
from al_lightning.training.fitting import fit_watched
from al_lightning.training.recipe import Recipe
from al_lightning.training.scoring import Scorer
from tests.helpers import TinySource, tiny_cnn, tiny_trainer

_READS = ("aten._local_scalar_dense", "aten.nonzero", "aten.is_nonzero", "aten.equal")


class Steps(Callback):
    """Knows the step of a fit, or that a pass is going on: 0. Before and after, it is -1."""

    step = -1

    def on_train_batch_start(self, trainer: L.Trainer, *args: Any) -> None:
        self.step = trainer.global_step

    def on_train_end(self, *args: Any) -> None:
        self.step = -1

    def on_predict_batch_start(self, *args: Any) -> None:
        self.step = 0

    def on_predict_epoch_end(self, *args: Any) -> None:
        self.step = -1


class Reads(TorchDispatchMode):
    """Notes what reads a value of a tensor, which a GPU would have to be waited for."""

    def __init__(self, steps: Steps) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.found: list[tuple[int, str]] = []
        self._steps = steps

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if str(func).startswith(_READS) and self._steps.step >= 0:
            self.found.append((self._steps.step, str(func)))
        return func(*args, **(kwargs or {}))


def test_values_are_read_when_they_are_logged_and_looked_at_alone() -> None:
    recipe = Recipe(batch_size=10, augmentation=augmentation(0.1, True, 0.2))
    datamodule = recipe.datamodule(TinySource(1030))
    ids = torch.arange(1000)  # for one epoch: each begins with draws, which are made on the CPU
    datamodule.begin_round(Pool(1030).reveal(ids, datamodule.data.train.labels[ids]), order_seed=0)
    steps = Steps()
    reads, told = Reads(steps), list[int]()
    trainer = tiny_trainer(
        max_steps=100,
        max_epochs=-1,
        limit_val_batches=0,
        logger=TrainingCurves(lambda name, value, step: told.append(step)),
        log_every_n_steps=20,
        callbacks=[steps],
    )
    # Not Adam, which counts its steps in tensors that stay on the CPU.
    classifier = ImageClassifier(tiny_cnn(), 3, make_optimizer=partial(SGD, lr=0.01))
    with reads:
        fit_watched(trainer, classifier, datamodule, 0, seed=0)
        assert told == [19, 39, 59, 79, 99]
        assert {step for step, _ in reads.found} == {19, 39, 49, 59, 79, 99}  # and each 50 steps
        reads.found.clear()
        scorer = Scorer(trainer, classifier, datamodule)
        scorer.evidence(
            datamodule.data.train,
            datamodule.pool.unlabeled_ids,
            {Need.PROBABILITIES, Need.EMBEDDINGS},
        )
    assert reads.found == []
