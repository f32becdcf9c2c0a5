"""The folder of the configuration, and its groups."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

_PACKAGE = Path(__file__).resolve().parent.parent

#: In a wheel the configuration is inside the package, in a source tree beside it.
CONF = next(path for path in (_PACKAGE / "conf", _PACKAGE.parent / "conf") if path.is_dir())

#: The name of the configuration that all others are part of.
NAME = "config"


def configuration_options() -> list[str]:
    """Return the options of this command line that say where its configuration is found.

    A folder below the working folder is named relative to it.
    """
    hydra = HydraConfig.get()
    folders = [s.path for s in hydra.runtime.config_sources if s.provider == "command-line"]
    name = hydra.job.config_name
    return [
        *(f"--config-dir={_relative(folder, hydra.runtime.cwd)}" for folder in folders),
        *([] if name in (None, NAME) else [f"--config-name={name}"]),
    ]


def _relative(folder: str, to: str) -> str:
    path = os.path.relpath(folder, to)
    return folder if path.startswith(os.pardir) else path


@contextmanager
def before_a_job(cfg: DictConfig) -> Iterator[None]:
    """Let ``${hydra:...}`` be of this configuration, which no job has begun with."""
    current = HydraConfig.instance()
    before = current.cfg
    current.set_config(cfg.copy())  # which becomes read-only
    try:
        yield
    finally:
        current.cfg = before


@cache
def groups() -> tuple[str, ...]:
    """Return the groups that every run chooses from, such as "strategy"; some may choose nothing."""
    defaults = OmegaConf.load(CONF / "config.yaml").defaults
    named = [str(next(iter(entry))) for entry in defaults if entry != "_self_"]
    return tuple(name for name in named if not name.startswith("override "))
