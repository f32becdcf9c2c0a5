"""Checks of the parts that a loop is given, before anything is begun."""

import inspect
import json
import operator
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, SupportsIndex, cast

import lightning as L
from lightning.pytorch.callbacks import Callback

from al_lightning.callbacks.base import LoopCallback
from al_lightning.data.datamodule import PoolDataModule
from al_lightning.models.backbone import require_embedder
from al_lightning.utils.errors import UsageError

_HOOKS = tuple(name for name in vars(LoopCallback) if name.startswith("on_"))


def require_datamodule(datamodule: object) -> None:
    """Check that something serves pools.

    Raises:
        UsageError: If it does not.
    """
    if not isinstance(datamodule, PoolDataModule):
        raise UsageError(
            f"datamodule must be a PoolDataModule, not {_kind(datamodule)}: "
            "PoolDataModule(DatasetSource(train, test)) makes one of two data sets"
        )


def require_factory(name: str, factory: object, arguments: Sequence[str], made: type) -> None:
    """Check that something can be called to make a part anew.

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
        raise UsageError(f"{wanted}, not {_kind(factory)}")
    if (problem := _cannot_take(factory, len(arguments))) is not None:
        raise UsageError(f"{wanted}, but {_called(factory)} cannot be called so: {problem}")


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
            f"make_classifier must return a LightningModule, not {_kind(made)}{hint}. "
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


def require_callbacks(callbacks: object) -> tuple[LoopCallback, ...]:
    """Check what is to watch a run, and return it.

    Raises:
        UsageError: If it is no sequence of callbacks; names the one that is none, and why.
    """
    if not isinstance(callbacks, Sequence):
        raise UsageError(f"callbacks must be a list of LoopCallback, not {_kind(callbacks)}")
    for callback in callbacks:
        if isinstance(callback, Callback):
            raise UsageError(
                f"{_kind(callback)} watches a trainer: let make_trainer give it to each trainer. Here, "
                "callbacks takes LoopCallback"
            )
        if isinstance(callback, type):
            raise UsageError(f"callbacks must hold {callback.__name__}(...), not the class itself")
        for hook in _HOOKS:
            method = getattr(callback, hook, None)
            count = len(inspect.signature(getattr(LoopCallback, hook)).parameters) - 1
            if not callable(method):
                raise UsageError(
                    f"{_kind(callback)} cannot watch a run: it has no `{hook}`. A subclass of "
                    "LoopCallback has all that it does not define"
                )
            if (problem := _cannot_take(method, count)) is not None:
                raise UsageError(f"{_kind(callback)}.{hook} takes {count} arguments: {problem}")
    return tuple(callbacks)


def require_fall_back(fall_back: object) -> None:
    """Check what prepares a classifier for another fit.

    Raises:
        UsageError: If it is neither None nor a function of a classifier.
    """
    if fall_back is None:
        return
    problem = _cannot_take(fall_back, 1) if callable(fall_back) else f"it is a {_kind(fall_back)}"
    if problem is not None:
        raise UsageError(
            f"fall_back must be None or a function (classifier) -> None, but {problem}"
        )


def require_kind(name: str, value: object, *kinds: type) -> None:
    """Check that an argument is of one of some types; None stands for itself.

    Raises:
        UsageError: If it is of another; names it.
    """
    if not any(value is None if kind is type(None) else isinstance(value, kind) for kind in kinds):
        named = " or ".join("None" if kind is type(None) else kind.__name__ for kind in kinds)
        raise UsageError(f"{name} must be a {named}, not {value!r}")


def require_names(name: str, values: object) -> None:
    """Check that an argument is several texts, and not one, whose letters would be taken.

    Raises:
        UsageError: If it is not; names it.
    """
    if not isinstance(values, Collection) or not all(isinstance(v, str) for v in values):
        raise UsageError(f"{name} must be a list of texts, not {values!r}")
    if isinstance(values, str):
        raise UsageError(f"{name} must be a list of texts, such as [{values!r}], not one text")


def whole_number(name: str, value: object) -> int:
    """Return a whole number of at least 0 as Python's own, such as one of NumPy's.

    Raises:
        UsageError: If it is none; names it.
    """
    try:
        number = operator.index(cast("SupportsIndex", value))
    except TypeError:
        number = -1
    if number < 0 or isinstance(value, bool):
        raise UsageError(f"{name} must be a whole number of at least 0, not {value!r}")
    return number


def require_plain(name: str, values: object) -> None:
    """Check that a mapping can be written into a journal.

    Raises:
        UsageError: If it cannot; names the argument.
    """
    require_kind(name, values, Mapping)
    try:
        json.dumps(values, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UsageError(
            f"{name} must hold plain values, which JSON can hold (texts, finite numbers, lists, "
            f"mappings): {error}"
        ) from error


def _cannot_take(function: Callable[..., Any], count: int) -> str | None:
    """Say why a function cannot be called with so many positional arguments; None if it can."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # compiled code does not say
        return None
    try:
        signature.bind(*range(count))
    except TypeError as error:
        return str(error)
    return None


def _called(function: object) -> str:
    return str(getattr(function, "__name__", type(function).__name__))


def _kind(value: object) -> str:
    if value is None:
        return "None"
    return f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
