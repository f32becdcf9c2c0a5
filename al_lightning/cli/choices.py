"""One choice a group: a list of them would be merged into an unwanted third."""

from collections.abc import Mapping, Sequence
from typing import Any

from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser

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
    for override in OverridesParser.create().parse_overrides([*overrides]):
        if isinstance(override.value(), list) and _options(str(override.key_or_group)):
            given = override.get_value_element_as_str().strip("[]")
            raise UsageError(_refusal(override.get_key_element().lstrip("+"), given))
    for group in groups():
        if group not in choices:
            raise UsageError(_refusal(group, None))


def _options(group: str) -> list[str]:
    loader = GlobalHydra.instance().config_loader()
    return loader.get_group_options(group)


def _refusal(group: str, given: str | None) -> str:
    where = f"{group}=[{given}]" if given else f"The experiment overrides /{group} by a list, which"
    return (
        f"{where} names several choices, and one run has one. For a run of each: "
        f"-m {group}={given or '<one>,<other>'}"
    )
