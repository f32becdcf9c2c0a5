"""The functions that ``conf/config.yaml`` computes folders with."""

import os
from collections.abc import Sequence
from pathlib import Path, PurePath
from typing import Any

from hydra.core.override_parser.types import Override
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from al_lightning.cli.arguments import parsed
from al_lightning.cli.by_mode import strategy_name
from al_lightning.cli.paths import is_path, portable
from al_lightning.cli.projects import AUTO, project_of
from al_lightning.run.naming import run_name, sweep_name
from al_lightning.utils.errors import UsageError
from al_lightning.utils.redaction import redacted


def register() -> None:
    """Make the functions known to OmegaConf, in this process."""
    OmegaConf.register_new_resolver("run_name", _run_name, replace=True)
    OmegaConf.register_new_resolver("run_folder", _run_folder, replace=True)
    OmegaConf.register_new_resolver("sweep_name", _sweep_name, replace=True)
    OmegaConf.register_new_resolver("strategy_name", _strategy_name, replace=True)
    OmegaConf.register_new_resolver("below", lambda *parts: str(Path(*parts)), replace=True)
    OmegaConf.register_new_resolver("home", _home, replace=True)
    OmegaConf.register_new_resolver("keeps_class_mirrored", _keeps_class_mirrored, replace=True)


def _home(folder: object) -> str:
    # A folder may be called 2024. An empty name would be the root of the file system.
    if not isinstance(folder, str | int | float) or folder == "":
        raise UsageError(f"output_root must be a folder, not {folder!r}")
    return os.path.expanduser(str(folder))  # noqa: PTH111 - a Path would drop what an address has twice


def _keeps_class_mirrored(name: object) -> bool:
    from al_lightning.data.sources.torchvision_source import (  # noqa: PLC0415 - imports torch
        keeps_class_mirrored,
    )

    return keeps_class_mirrored(str(name))


def _run_name(seed: int, overrides: Sequence[str], output_root: str) -> str:
    return run_name(seed, canonical(overrides, output_root))


def _run_folder(project: object, *names: str, _root_: DictConfig) -> str:
    """Return the folder of a run below the output root: that of its project, else by its names."""
    if project == AUTO:
        mode = OmegaConf.select(_root_, "hydra.mode")
        project = project_of(_root_, is_sweep=mode == RunMode.MULTIRUN)
    if project is not None:
        return f"projects/{project}"
    for key, name in zip(("dataset", "model", "strategy"), names, strict=False):
        if not isinstance(name, str | int | float):
            raise UsageError(f"names.{key} must be a text, not {name!r}")
        path = PurePath(str(name))
        if not path.name or path.is_absolute() or ".." in path.parts:
            raise UsageError(f"names.{key} must be the name of a folder of runs, not {name!r}")
    return "/".join(map(str, names))


def _strategy_name(choice: str, overrides: Sequence[str], _root_: DictConfig) -> str:
    return strategy_name(_root_, choice, overrides)


def _sweep_name(overrides: Sequence[str], output_root: str) -> str:
    return sweep_name(canonical(overrides, output_root))


def canonical(overrides: Sequence[str], output_root: str) -> list[str]:
    """Return the overrides in one spelling each, the last of a key alone.

    ``dataset.path=imgs/`` and ``dataset.path=./imgs``, ``recipe.optimizer.lr=1e-3`` and
    ``++recipe.optimizer.lr=0.001`` are the same.

    Args:
        overrides: As given on the command line.
        output_root: Paths are named relative to the folder that it lies in, see
            :func:`al_lightning.cli.paths.portable`.
    """
    spelled = {}
    for text in overrides:
        override = parsed(text)
        known = override is not None and not override.is_delete()
        key = override.get_key_element().lstrip("+") if override is not None and known else text
        spelled[key] = text if override is None else _spelled(key, override, output_root)
    return redacted([*spelled.values()])


def _spelled(key: str, override: Override, output_root: str) -> str:
    if override.is_delete() or override.is_sweep_override():
        return str(override.input_line)
    value = override.value()
    if isinstance(value, str) and is_path(key, value, Path.cwd()):
        value = portable(value, Path.cwd(), output_root)
    return f"{key}={_plain(value)}"


def _plain(value: Any) -> str:
    if isinstance(value, list):
        return f"[{','.join(map(_plain, value))}]"
    if isinstance(value, dict):
        return "{" + ",".join(f"{key}:{_plain(inner)}" for key, inner in value.items()) + "}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)
