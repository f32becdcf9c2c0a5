"""What the first job of a command line is, for who has to compose it before Hydra does."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser

FINDS_FILES = {"-cd", "--config-dir"}


def first_job(arguments: Sequence[str]) -> list[str]:
    """Return the overrides of the first job of a command line, folders of configurations among them.

    Args:
        arguments: Of the command line.
    """
    overrides, after = [], ""
    for argument in arguments:
        flag, _, folder = argument.partition("=")
        if after in FINDS_FILES or (flag in FINDS_FILES and folder):
            place = Path(folder or argument).absolute()
            overrides.append(f"hydra.searchpath=['file://{place}']")
        elif argument.startswith("~") or ("=" in argument[1:] and not argument.startswith("-")):
            overrides.append(argument)  # and no value of a flag
        after = argument
    return [first for override in overrides for first in _first(override)]


def _first(override: str) -> Iterator[str]:
    """Yield the first value of what is swept; nothing where a search draws it."""
    parsed = OverridesParser.create().parse_override(override)
    if not parsed.is_sweep_override():
        yield override
    elif not parsed.is_interval_sweep():
        yield f"{parsed.key_or_group}={next(iter(parsed.sweep_string_iterator()))}"
