"""Checks of the top-level keys of a configuration."""

import re

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig

from al_lightning.utils.errors import UsageError


def require_values(cfg: DictConfig) -> None:
    """Refuse wrong values of the top-level keys, which no constructor checks.

    Raises:
        UsageError: Names the key.
    """
    for key, least in (("seed", 0), ("query_seed", 0), ("threads", 1)):
        value = cfg.get(key)
        if value is None and key != "seed":
            continue
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise UsageError(f"{key} must be a whole number of at least {least}, not {value!r}")
    for key in ("overwrite", "cache", "report", "predictions"):
        if not isinstance(cfg[key], bool):
            raise UsageError(f"{key} must be true or false, not {cfg[key]!r}")
    _require_project(cfg)
    if cfg.classes not in ("fixed", "open"):
        raise UsageError(f"classes must be fixed or open, not {cfg.classes!r}")
    if cfg.classes == "open" and cfg.project is None:
        raise UsageError("classes=open is possible only in a project: add project=NAME")
    if cfg.changed_code not in ("refuse", "accept"):
        raise UsageError(f"changed_code must be refuse or accept, not {cfg.changed_code!r}")
    minutes = cfg.save_minutes
    if minutes is not None and (isinstance(minutes, bool | str) or not minutes >= 0):
        raise UsageError(f"save_minutes must be a number of at least 0, or null, not {minutes!r}")
    if cfg.progress not in ("auto", True, False):
        raise UsageError(f"progress must be auto, true or false, not {cfg.progress!r}")


def _require_project(cfg: DictConfig) -> None:
    """Refuse a project that is no name, or is to be several runs."""
    name = cfg.project
    if name is None:
        return
    if not re.fullmatch(r"[\w.-]*\w[\w.-]*", str(name)):
        raise UsageError(
            f"project must be a name of letters, digits, '.', '-' and '_', not {name!r}"
        )
    if HydraConfig.get().mode == RunMode.MULTIRUN:
        raise UsageError("A project is one run, and cannot be swept over: leave out project or -m")
