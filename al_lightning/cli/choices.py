"""One choice a group: a list of them would be merged into an unwanted third."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import ChoiceSweep

from al_lightning.cli.configuration import groups
from al_lightning.utils.errors import UsageError


def require_single_choices(choices: Mapping[str, Any], overrides: Sequence[str]) -> None:
    """Refuse lists such as ``strategy=[margin,entropy]``, of which Hydra merges the members.

    Args:
        choices: ``hydra.runtime.choices``, which has no entry for a group that was given a list.
        overrides: As given on the command line.

    Raises:
        UsageError: Names the group, and how to make a run of each choice.
    """
    deleted = set[str]()
    for override in OverridesParser.create().parse_overrides([*overrides]):
        value = override.value()
        choices_given = value.list if isinstance(value, ChoiceSweep) else [value]
        lists = any(isinstance(choice, list) for choice in choices_given)
        if lists and _options(str(override.key_or_group)):
            group, given = override.get_key_element().lstrip("+"), str(override.input_line)
            listed = re.sub(r"[\[\]\s]", "", given.partition("=")[2])
            raise UsageError(_refusal(group, f"{given} has", listed))
        if override.is_delete():
            deleted.add(override.key_or_group)
    for group in groups():
        if group not in choices and group not in deleted:
            raise UsageError(_refusal(group, f"The experiment overrides /{group} by"))


def _options(group: str) -> list[str]:
    loader = GlobalHydra.instance().config_loader()
    return loader.get_group_options(group)


def _refusal(group: str, where: str, choices: str = "") -> str:
    return (
        f"{where} a list of choices, and one run has one. For a run of each: "
        f"-m {group}={choices or '<one>,<other>'}"
    )
