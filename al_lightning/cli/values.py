"""Checks of the top-level keys of a configuration."""

from dataclasses import fields
from typing import Any, cast

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from al_lightning.cli.projects import require_project_name
from al_lightning.report.rules import Rules
from al_lightning.utils.checks import require_within, whole_number
from al_lightning.utils.errors import UsageError
from al_lightning.utils.hints import did_you_mean

_MOST_THREADS = 1024  # a hundred thousand end the process, without a word


def require_values(cfg: DictConfig) -> None:
    """Refuse wrong values of the top-level keys, which no constructor checks.

    Raises:
        UsageError: Names the key.
    """
    for key, least in (("seed", 0), ("query_seed", 0), ("threads", 1)):
        value = cfg.get(key)
        if value is None and key != "seed":
            continue
        number = whole_number(key, value, least)
        if key == "threads" and number > _MOST_THREADS:
            raise UsageError(f"threads must be at most {_MOST_THREADS:,}, not {number}")
    report_rules(cfg.report)
    for key in ("overwrite", "cache", "predictions"):
        if not isinstance(cfg[key], bool):
            raise UsageError(f"{key} must be true or false, not {cfg[key]!r}")
    _require_project(cfg)
    if cfg.classes not in ("fixed", "open"):
        raise UsageError(f"classes must be fixed or open, not {cfg.classes!r}")
    if cfg.classes == "open" and cfg.project is None:
        raise UsageError("classes=open is possible only in a project: add project=NAME")
    if cfg.changed_code not in ("refuse", "accept"):
        raise UsageError(f"changed_code must be refuse or accept, not {cfg.changed_code!r}")
    if cfg.save_minutes is not None:
        require_within("save_minutes", cfg.save_minutes, "[0, inf)")
    if cfg.progress not in ("auto", True, False):
        raise UsageError(f"progress must be auto, true or false, not {cfg.progress!r}")


def report_rules(report: object) -> Rules | None:
    """Return the rules of the report that ends a sweep; None for no report.

    Args:
        report: The key of the configuration: true, false, null, or the rules.

    Raises:
        UsageError: If it is something else, or a rule is not what it must be; names its key.
    """
    if isinstance(report, DictConfig):
        rules = cast(dict[str, Any], OmegaConf.to_container(report))
        known = [field.name for field in fields(Rules)]
        for key in rules.keys() - known:
            raise UsageError(f"There is no key report.{key}{did_you_mean(key, known)}")
        return Rules(**rules)
    if report is not None and not isinstance(report, bool):
        raise UsageError(f"report must be true, false or rules, not {report!r}")
    return Rules() if report else None


def _require_project(cfg: DictConfig) -> None:
    """Refuse a project that is no name, or is to be several runs."""
    require_project_name(cfg.project)
    if cfg.project is not None and HydraConfig.get().mode == RunMode.MULTIRUN:
        raise UsageError("A project is one run, and cannot be swept over: leave out project or -m")
