"""One fit of one round: reproducible, watched for divergence, and described."""

from dataclasses import asdict
from typing import Any

import lightning as L
from lightning.pytorch.utilities.seed import isolate_rng

from al_lightning.data.datamodule import PoolDataModule
from al_lightning.training.divergence import (
    require_changed_weights,
    require_finite_weights,
    stops_on_divergence,
    sums_of_weights,
)
from al_lightning.training.round_trainer import RoundTrainer
from al_lightning.training.team import TeamTrainer
from al_lightning.training.trainer_rules import require_fresh, require_steps
from al_lightning.utils.stopwatch import Stopwatch


def fit_once(
    trainer: RoundTrainer,
    classifier: L.LightningModule,
    datamodule: PoolDataModule,
    round_index: int,
    seed: int,
) -> dict[str, Any]:
    """Fit a classifier on what the data module serves; torch's global random state stays as it was.

    Args:
        trainer: A fresh one.
        classifier: Is fitted in place.
        datamodule: Its round has begun.
        round_index: The round, for messages.
        seed: Decides what is drawn during the fit, such as dropout and augmentation.

    Returns:
        Facts on the fit, as plain values: ``round``, ``seconds``, ``steps``, and what it takes to show
        the weights another image: ``classes``, ``image_shape``, ``normalization``.

    Raises:
        DivergenceError: If a loss or a weight is NaN or infinite.
        UsageError: If the trainer was used before, or takes fewer steps than it was made for; or if no
            weight has changed.
    """
    require_fresh(trainer)
    watch, before = Stopwatch(), sums_of_weights(classifier)
    if isinstance(trainer, TeamTrainer):
        trainer.start(datamodule)
    with isolate_rng(), stops_on_divergence(trainer, round_index), watch.time("fit"):
        L.seed_everything(seed, verbose=False)
        trainer.fit(classifier, datamodule=datamodule)
        require_finite_weights(classifier, round_index, trainer.global_step)
        if classifier.automatic_optimization:  # else the module decides what a step is
            require_steps(trainer, round_index)
    require_changed_weights(classifier, before, round_index)
    data, normalization = datamodule.data, datamodule.normalization
    return {
        "round": round_index,
        "seconds": watch.seconds["fit"],
        "steps": trainer.global_step,
        "classes": list(data.classes),
        "image_shape": list(data.image_shape),
        "normalization": asdict(normalization) if normalization else None,
    }
