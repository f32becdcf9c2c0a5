"""Checks of the parts that a learner is given, before anything is begun."""

from collections.abc import Sequence

import lightning as L

from al_lightning.data.datamodule import PoolDataModule
from al_lightning.models.backbone import require_embedder
from al_lightning.run.record import RunRecord
from al_lightning.utils.checks import (
    kind_of,
    name_of,
    require_names,
    require_plain,
    why_not_callable,
)
from al_lightning.utils.errors import UsageError


def require_datamodule(datamodule: object) -> None:
    """Check that something serves pools.

    Raises:
        UsageError: If it does not.
    """
    if not isinstance(datamodule, PoolDataModule):
        raise UsageError(
            f"datamodule must be a PoolDataModule, not {kind_of(datamodule)}: "
            "PoolDataModule(DatasetSource(train, test)) makes one of two data sets"
        )


def require_factory(name: str, factory: object, arguments: Sequence[str], made: type) -> None:
    """Check that something can be called to create a new part.

    Args:
        name: The argument's.
        factory: To be checked.
        arguments: The names of what it is called with.
        made: What it is to make.

    Raises:
        UsageError: If it is the part itself, no function, or takes other arguments.
    """
    listed = ", ".join(arguments)
    wanted = (
        f"{name} must be a function ({listed}) -> {made.__name__} that makes a new one each time"
    )
    if isinstance(factory, made):
        raise UsageError(f"{wanted}, not a {type(factory).__name__} that was made already")
    if not callable(factory):
        raise UsageError(f"{wanted}, not {kind_of(factory)}")
    if (problem := why_not_callable(factory, len(arguments))) is not None:
        raise UsageError(f"{wanted}, but {name_of(factory)} cannot be called so: {problem}")


def require_classifier(made: object) -> L.LightningModule:
    """Check what a function has made for a classifier, and return it.

    Raises:
        UsageError: If it is no LightningModule with both halves that can be trained.
    """
    if not isinstance(made, L.LightningModule):
        hint = " (is there a `return`?)" if made is None else ""
        if any(kind.__module__.startswith("pytorch_lightning") for kind in type(made).__mro__):
            hint = " of the package pytorch_lightning: import from `lightning` instead"
        raise UsageError(
            f"make_classifier must return a LightningModule, not {kind_of(made)}{hint}. "
            "ImageClassifier(backbone, num_classes) makes one of a Backbone"
        )
    require_embedder(made)
    for method in ("training_step", "configure_optimizers"):
        if getattr(type(made), method) is getattr(L.LightningModule, method):
            raise UsageError(
                f"{type(made).__name__} cannot be trained: it has no `{method}` of its own"
            )
    if not any(parameter.requires_grad for parameter in made.parameters()):
        raise UsageError(f"{type(made).__name__} cannot be trained: none of its parameters trains")
    return made


def require_fall_back(fall_back: object) -> None:
    """Check what prepares a classifier for another fit.

    Raises:
        UsageError: If it is neither None nor a function of a classifier.
    """
    if fall_back is None:
        return
    problem = (
        why_not_callable(fall_back, 1) if callable(fall_back) else f"it is a {kind_of(fall_back)}"
    )
    if problem is not None:
        raise UsageError(
            f"fall_back must be None or a function (classifier) -> None, but {problem}"
        )


def require_minutes(save_minutes: float | None) -> None:
    """Check how many minutes lie between two saves of a fit.

    Raises:
        UsageError: If they are negative.
    """
    if save_minutes is not None and not save_minutes >= 0:
        raise UsageError(f"save_minutes must be at least 0, or None, not {save_minutes!r}")


def require_record(record: object, *, cached: bool = False) -> RunRecord:
    """Check how a run is said to be configured, and return it.

    Args:
        record: To be checked.
        cached: Whether fits are shared by their configuration.

    Raises:
        UsageError: If it is no record, what it holds cannot be written into a journal, or the
            configuration is missing and wanted.
    """
    if not isinstance(record, RunRecord):
        raise UsageError(f"record must be a RunRecord, not {kind_of(record)}")
    for name in ("overrides", "irrelevant", "irrelevant_to_fits"):
        require_names(f"record.{name}", getattr(record, name))
    if record.config is not None:
        require_plain("record.config", record.config)
    elif cached:
        raise UsageError(
            "A cache of fits needs `record.config`: all that a fit depends on, such as the network"
        )
    return record
