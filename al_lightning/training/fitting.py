"""One fit of one round: reproducible, watched for divergence, and described."""

from dataclasses import asdict
from typing import Any

import lightning as L

from al_lightning.data.datamodule import PoolDataModule
from al_lightning.training.divergence import (
    require_changed_weights,
    require_finite_weights,
    stops_on_divergence,
    sums_of_weights,
)
from al_lightning.training.even_shares import EvenShares
from al_lightning.training.mid_fit import MidFit
from al_lightning.training.trainer_rules import require_fresh, require_steps
from al_lightning.utils.global_seed import seeded
from al_lightning.utils.randomness import derive_seed
from al_lightning.utils.ranks import share_state, wait_for_all
from al_lightning.utils.stopwatch import Stopwatch
from al_lightning.utils.torchrun import rank, world_size


def fit_watched(
    trainer: L.Trainer,
    classifier: L.LightningModule,
    datamodule: PoolDataModule,
    round_index: int,
    seed: int,
    mid_fit: MidFit | None = None,
) -> dict[str, Any]:
    """Fit a classifier on what the data module serves; torch's global random state stays as it was.

    Args:
        trainer: A fresh one.
        classifier: Is fitted in place.
        datamodule: Its round has begun.
        round_index: The round, for messages.
        seed: Decides what is drawn during the fit, such as dropout and augmentation.
        mid_fit: Where a long fit is saved and continued from; None saves nothing.

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
    _prepare_ranks(trainer, datamodule)
    # Each rank draws dropout and augmentation of its own.
    own_seed = derive_seed(seed, "device", rank()) if rank() else seed
    with seeded(own_seed), stops_on_divergence(trainer, round_index), watch.time("fit"):
        earlier = 0.0 if mid_fit is None else mid_fit.resume(trainer, classifier, datamodule)
        if mid_fit is None:
            trainer.fit(classifier, datamodule=datamodule)
        require_finite_weights(classifier, round_index, trainer.global_step)
        if classifier.automatic_optimization:  # else the module decides what a step is
            require_steps(trainer, round_index)
    require_changed_weights(classifier, before, round_index)
    share_state(classifier)  # running statistics are each rank's own
    data, normalization = datamodule.data, datamodule.normalization
    return {
        "round": round_index,
        "seconds": earlier + watch.seconds["fit"],
        "steps": trainer.global_step,
        "classes": list(data.classes),
        "image_shape": list(data.image_shape),
        "normalization": asdict(normalization) if normalization else None,
    }


def _prepare_ranks(trainer: L.Trainer, datamodule: PoolDataModule) -> None:
    """Let every image count the same, whichever of several ranks has it; wait for all of them."""
    if world_size() > 1:
        labels = len(datamodule.pool.labeled_ids)
        trainer.callbacks.append(EvenShares(labels, datamodule.batch_size))  # type: ignore[attr-defined]
        wait_for_all()
