"""The metrics that a classifier's own ``test_step`` logs."""

import math
import warnings
from collections.abc import Collection, Mapping

import lightning as L
from lightning.pytorch.utilities.seed import isolate_rng

from al_lightning.data.datamodule import PoolDataModule
from al_lightning.models.classifier import ImageClassifier
from al_lightning.utils.torchrun import world_size

_PREFIX = "test/"


def has_own_test_step(classifier: L.LightningModule) -> bool:
    """Return whether a classifier tests in a way of its own."""
    known = (L.LightningModule.test_step, ImageClassifier.test_step)
    return type(classifier).test_step not in known


def own_metrics(
    trainer: L.Trainer,
    classifier: L.LightningModule,
    datamodule: PoolDataModule,
    known: Mapping[str, float],
    per_class: Collection[str],
) -> dict[str, float]:
    """Return what a classifier logs when Lightning tests it.

    Args:
        trainer: Runs the test. Its loggers get no values; the journal does.
        classifier: Fitted, with a ``test_step``.
        datamodule: Serves the test images.
        known: The metrics that are there already, by name.
        per_class: The names of those that have a value a class.

    Returns:
        By the logged name, without ``test/``. What repeats a known metric is left out; what has its
        name and another value is called ``test_step/<name>``. A value that is not finite is left out,
        with a warning.
    """
    if world_size() > 1:
        warnings.warn(
            f"What test_step of {type(classifier).__name__} logs is not in the journal: it is not run "
            "on several devices",
            stacklevel=2,
        )
        return {}
    loggers = trainer.loggers
    trainer.loggers = []
    try:
        with isolate_rng():
            logged = trainer.test(classifier, datamodule=datamodule, verbose=False)
    finally:
        trainer.loggers = loggers
    found: dict[str, float] = {}
    for key, value in (item for part in logged for item in part.items()):
        name = key.removeprefix(_PREFIX)
        if name.split("/")[0] in per_class:
            continue
        if not math.isfinite(value):
            warnings.warn(f"{key}, which test_step logs, is {value}: left out", stacklevel=2)
        elif name not in known:
            found[name] = float(value)
        elif not math.isclose(value, known[name], rel_tol=1e-4, abs_tol=1e-6):
            found[f"test_step/{name}"] = float(value)
    return found
