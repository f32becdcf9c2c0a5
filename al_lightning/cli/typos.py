"""Suggestions for keys and choices that do not exist."""

import argparse
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import hydra
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.types import Override
from hydra.errors import CompactHydraException
from omegaconf import OmegaConf

from al_lightning.cli.arguments import parsed
from al_lightning.cli.configuration import CONF
from al_lightning.utils.hints import did_you_mean, near_names

_DOWNLOADS = "downloaded"  # what the description of a choice says that needs the internet


def suggestions(arguments: Sequence[str]) -> list[str]:
    """Return a line for each key and choice that does not exist, if a known one is like it."""
    folders = [CONF, *config_dirs(arguments)]
    given = [o for a in arguments if a[:1] != "-" and (o := parsed(a)) is not None]
    try:
        known, wrong = _known_names(given, folders)
    # Not even the rest can be read: Hydra has said why.
    except (CompactHydraException, ValueError, OSError):
        return []
    lines = []
    for override in given:
        key = str(override.key_or_group)
        if key.startswith("hydra") or override.is_add() or key in known:
            continue
        if hint := did_you_mean(key, known):
            lines.append(f"There is no {key}{hint}")
    lines += [_choice(group, choice, folders) for group, choice in wrong]
    return [line for line in lines if line]


def config_dirs(arguments: Sequence[str]) -> list[Path]:
    """Return the folders of one's own YAML files, from the command line."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    parser.add_argument("--config-dir", "-cd", type=Path, action="append", default=[])
    found: list[Path] = parser.parse_known_args(arguments)[0].config_dir
    return found


def _choice(group: str, wrong: str, folders: Sequence[Path]) -> str:
    """Return what may have been meant by a choice; what needs no download comes first."""
    descriptions = _descriptions(group, folders)
    near = near_names(wrong, descriptions)
    near.sort(key=lambda name: _DOWNLOADS in descriptions[name])
    if not near:
        return ""
    if len(near) == 1:
        return f"There is no {wrong}; did you mean {near[0]}?"
    listed = "".join(f"\n  {group}={name}: {descriptions[name]}" for name in near)
    return f"There is no {wrong}; did you mean one of these?{listed}"


def _descriptions(group: str, folders: Sequence[Path]) -> dict[str, str]:
    """Return the choices of a group, each with the first line of its YAML, which says what it is."""
    paths = sorted(path for folder in folders for path in (folder / group).glob("*.yaml"))
    return {
        path.stem: path.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ")
        for path in paths
    }


def _known_names(
    given: Sequence[Override], folders: Sequence[Path]
) -> tuple[Collection[str], list[tuple[str, str]]]:
    """Return all keys and groups there are, and each group with a choice that it does not have."""
    names = {path.parent.name for folder in folders for path in folder.glob("*/*.yaml")}
    groups = {name: _descriptions(name, folders) for name in names}
    chosen: dict[str, list[str]] = {}
    for override in given:
        group = str(override.key_or_group)
        if group in groups:
            swept = override.is_choice_sweep()
            values = override.sweep_iterator() if swept else [override.get_value_element_as_str()]
            chosen[group] = [str(value) for value in values]
    wrong = [
        (group, choice)
        for group, values in chosen.items()
        for choice in values
        if choice not in {*groups[group], "null"} and "glob" not in choice
    ]
    right = [
        f"{group}={values[0]}" for group, values in chosen.items() if values[0] in groups[group]
    ]
    GlobalHydra.instance().clear()
    with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
        path = [f"file://{folder.absolute()}" for folder in folders[1:]]
        config = hydra.compose("config", overrides=[*right, f"hydra.searchpath={path}"])
    keys = _keys_of(OmegaConf.to_container(config))
    return {*groups, "hydra/launcher", "hydra/sweeper", *keys}, wrong


def _keys_of(config: Any, prefix: str = "") -> Iterator[str]:
    for key, value in config.items() if isinstance(config, dict) else ():
        yield f"{prefix}{key}"
        yield from _keys_of(value, f"{prefix}{key}.")
