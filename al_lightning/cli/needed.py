"""Groups of the configuration that a run cannot do without."""

from collections.abc import Sequence

from omegaconf import DictConfig, OmegaConf

from al_lightning.cli.configuration import CONF
from al_lightning.utils.errors import UsageError


def require_needed(arguments: Sequence[str]) -> None:
    """Refuse ``model=null`` and the like, as given on the command line; Hydra would show a traceback.

    Raises:
        UsageError: Names the group, and its default.
    """
    absent = [
        argument
        for argument in arguments
        if "null" in argument.partition("=")[2].lower().split(",")
    ]
    if not absent:
        return
    entries = OmegaConf.load(CONF / "config.yaml").defaults
    chosen = [entry for entry in entries if isinstance(entry, DictConfig)]
    defaults = {str(group): choice for entry in chosen for group, choice in entry.items()}
    for argument in absent:
        group = argument.lstrip("+").partition("=")[0]
        if defaults.get(group) is not None:
            raise UsageError(
                f"{argument} leaves a run without its {group}: give one, such as "
                f"{group}={defaults[group]}, or leave it out"
            )
