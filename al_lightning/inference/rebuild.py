"""Objects from a recorded configuration, without running whatever a stranger has written into it."""

import inspect
from collections.abc import Mapping
from functools import partial
from pkgutil import resolve_name
from typing import Any

import lightning as L
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LRScheduler

from al_lightning.data.sources.base_source import BaseSource
from al_lightning.data.transforms import augmentation
from al_lightning.training.recipe import Recipe, one_cycle
from al_lightning.utils.errors import UsageError

_PLACES = ("al_lightning.", "torch.optim.", "torch.nn.")  # nothing else is even imported
_TRAINER = "lightning.Trainer"
_LOSSES = "torch.nn.modules.loss"
_OURS = (nn.Module, Recipe, Optimizer, BaseSource)
_FUNCTIONS = (augmentation, one_cycle)
_SCHEDULES = (Optimizer, LRScheduler)
_DIRECTIVES = ("_target_", "_partial_", "_args_", "_recursive_", "_convert_")


def rebuild(node: Any, key: str, *, trust: bool = False) -> Any:
    """Make the objects of a configuration from ``_target_``, ``_partial_``, ``_args_`` and arguments.

    Only networks, recipes and data sets of al_lightning, torch's optimisers, schedules and losses, and
    Lightning's trainer are made: a configuration may come from anywhere, and making something is
    running it.

    Args:
        node: Plain values, nested; mappings with a ``_target_`` become objects.
        key: What it is called, for messages.
        trust: Whether to make anything else too.

    Raises:
        UsageError: If something else is named, cannot be found, or refuses its arguments.
    """
    if isinstance(node, list | tuple):
        return [rebuild(value, f"{key}[{i}]", trust=trust) for i, value in enumerate(node)]
    if not isinstance(node, Mapping):
        return node
    if node.get("_recursive_", True):
        made = {k: rebuild(v, f"{key}.{k}", trust=trust) for k, v in node.items()}
    else:
        made = dict(node)
    if "_target_" not in node:
        return made
    target = _find(str(made["_target_"]), key, trust=trust)
    arguments = {name: value for name, value in made.items() if name not in _DIRECTIVES}
    given = made.get("_args_", [])
    if not isinstance(given, list):
        raise UsageError(f"{key}._args_ must be a list, not {given!r:.50}")
    make = partial(target, *given, **arguments)
    if made.get("_partial_", False):
        return make
    try:
        return make()
    except (TypeError, ValueError) as error:
        raise UsageError(f"{key} cannot be made: {error}") from error


def _find(target: str, key: str, *, trust: bool) -> Any:
    """Return the object of a dotted name, if it may be called."""
    if not trust and not target.startswith(_PLACES) and target != _TRAINER:
        raise UsageError(_refusal(target, key))
    try:
        found = resolve_name(target)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"{key} names {target}, which is not there: {error}") from error
    # By what it is, not by its name: al_lightning.utils.files.os.system is reached from here too.
    if not trust and not _is_known(found):
        raise UsageError(_refusal(target, key))
    return found


def _is_known(found: Any) -> bool:
    if not inspect.isclass(found):
        return any(found is function for function in _FUNCTIONS)
    home = found.__module__
    ours = home.startswith("al_lightning.") and issubclass(found, _OURS)
    schedules = home.startswith("torch.optim.") and issubclass(found, _SCHEDULES)
    return ours or schedules or home == _LOSSES or found is L.Trainer


def _refusal(target: str, key: str) -> str:
    return (
        f"{key} names {target}, which is no network or data set of al_lightning and no optimiser or "
        "loss of torch, and loading it would execute its code. If you trust this run, add --trust (in "
        "Python: trust=True)"
    )
