"""What is checked before a sweep begins: whether it has jobs, and may choose by what it measures."""

import hydra
from hydra.core.override_parser.types import Override
from omegaconf import DictConfig

from al_lightning.cli.configuration import NAME
from al_lightning.cli.search import listed_sweeps, require_searcher, require_validation
from al_lightning.cli.values import report_rules
from al_lightning.utils.checks import whole_number
from al_lightning.utils.errors import UsageError


def require_sweep(config: DictConfig) -> None:
    """Refuse a sweep without jobs, one that Hydra's parts cannot run, and a choice by the test set.

    Raises:
        UsageError: Names the key, or what is swept.
    """
    _require_parts(config)
    for override in listed_sweeps(config):
        _require_matches(override)
        _require_no_sweeps(override)
    require_searcher(config)
    require_validation(config)
    report_rules(config.report)


def _require_parts(config: DictConfig) -> None:
    if config.hydra.launcher.get("n_jobs") == 0:
        raise UsageError("hydra.launcher.n_jobs must not be 0: -1 runs a job on each core")
    if (size := config.hydra.sweeper.get("max_batch_size")) is not None:
        whole_number("hydra.sweeper.max_batch_size", size, least=1)


def _require_matches(override: Override) -> None:
    if next(override.sweep_string_iterator(), None) is None:
        raise UsageError(f"{override.input_line} matches nothing, so that there is no run to make")


def _require_no_sweeps(override: Override) -> None:
    """Refuse experiments that are sweeps themselves: Hydra would make none of their runs."""
    if override.key_or_group != "experiment":
        return
    for choice in override.sweep_string_iterator():
        composed = hydra.compose(NAME, [f"experiment={choice}"], return_hydra_config=True)
        if composed.hydra.sweeper.get("params"):
            raise UsageError(
                f"{override.input_line}: {choice} is a sweep itself, and a sweep over it would make "
                "none of its runs. Start one command for each experiment"
            )
