"""Groups of the configuration that a run cannot do without, and choices that are no names."""

import re
from collections.abc import Sequence

from omegaconf import DictConfig, OmegaConf

from al_lightning.cli.configuration import CONF
from al_lightning.utils.errors import UsageError

_NO_NAME = re.compile(r"null|true|false|[-+]?[\d.][\d._e+-]*|", re.IGNORECASE)  # of a choice


def require_groups(arguments: Sequence[str]) -> None:
    """Refuse ``model=null``, ``~model``, ``~seed``, ``model=1`` and the like: Hydra explains it badly.

    Raises:
        UsageError: Names the group, and its default.
    """
    absent = [
        argument
        for argument in arguments
        if argument.startswith("~")
        or ("=" in argument and any(map(_NO_NAME.fullmatch, argument.partition("=")[2].split(","))))
    ]
    if not absent:
        return
    config = OmegaConf.load(CONF / "config.yaml")
    chosen = [entry for entry in config.defaults if isinstance(entry, DictConfig)]
    defaults = {str(group): choice for entry in chosen for group, choice in entry.items()}
    for argument in absent:
        group, _, text = argument.lstrip("+~").partition("=")
        if argument.startswith("~") and group in config:
            raise UsageError(f"{argument} leaves a run without its {group}: leave it out")
        is_left_out = argument.startswith("~") or text.lower() == "null"
        if group in defaults and defaults[group] is None and not is_left_out:
            raise UsageError(f"{argument} is the name of no {group}: leave it out, or give a name")
        if defaults.get(group) is not None:
            raise UsageError(
                f"{argument} leaves a run without its {group}: give one, such as "
                f"{group}={defaults[group]}, or leave it out"
            )
