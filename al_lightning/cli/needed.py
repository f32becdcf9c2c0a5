"""Groups of the configuration that a run cannot do without."""

from collections.abc import Sequence
from pathlib import Path

from omegaconf import DictConfig, OmegaConf

from al_lightning.errors import UsageError


def require_needed(arguments: Sequence[str], config: Path) -> None:
    """Refuse ``model=null`` and the like; Hydra would show a traceback.

    Args:
        arguments: As given on the command line.
        config: The file whose ``defaults`` say what a run is made of.

    Raises:
        UsageError: Names the group, and its default.
    """
    entries = [e for e in OmegaConf.load(config).defaults if isinstance(e, DictConfig)]
    defaults = {str(group): choice for entry in entries for group, choice in entry.items()}
    for argument in arguments:
        group, _, value = argument.lstrip("+").partition("=")
        if value.lower() == "null" and defaults.get(group) is not None:
            raise UsageError(
                f"{argument} leaves a run without a {group}: give one, such as "
                f"{group}={defaults[group]}, or leave it out"
            )
