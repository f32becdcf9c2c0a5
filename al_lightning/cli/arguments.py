"""The arguments of the command line, before Hydra reads them."""

import os
import shlex
from collections.abc import Sequence
from itertools import accumulate, takewhile
from pathlib import Path

from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.errors import HydraException

from al_lightning.cli.paths import is_path, is_there
from al_lightning.run.keys import NOT_RECORDED, is_below, key_of

_MULTIRUN = {"-m", "--multirun"}
_INFO = frozenset(["--info", "-i"])
_WITH_VALUE = {
    *(*_INFO, "--cfg", "-c", "--config-dir", "-cd", "--config-name", "-cn"),
    *("--config-path", "-cp", "--package", "-p"),
}
_SECRET = (*NOT_RECORDED, "hydra.job.env_set")
_BREAKS_DOUBLE_QUOTES = set('"$`\\!')  # for a shell


def prepared(arguments: Sequence[str]) -> list[str]:
    """Return the arguments as Hydra can read them.

    Paths may hold what Hydra's grammar has another meaning for, such as ``=``, ``#``, ``(`` or umlauts,
    and begin with ``~``. What may open a service goes into this process's environment, and the argument
    refers to it: Hydra and launchers write their arguments down.
    """
    arguments = _options_first(arguments)
    sweeps = not _MULTIRUN.isdisjoint(arguments)
    return [_prepared(argument, index, sweeps) for index, argument in enumerate(arguments)]


def _options_first(arguments: Sequence[str]) -> list[str]:
    """Return the options and then the overrides: argparse takes overrides only in one piece."""
    options, overrides = list[str](), list[str]()
    for before, argument in zip(["", *arguments], arguments, strict=False):
        is_option = argument.startswith("-") or (before in _WITH_VALUE and "=" not in argument)
        (options if is_option else overrides).append(argument)
    if options and options[-1] in _INFO:  # else the first override would be its value
        options[-1] = "--info=all"
    return [*options, *overrides]


def _prepared(argument: str, index: int, sweeps: bool) -> str:
    key, equals, text = argument.partition("=")
    name = key_of(argument)
    if not equals or argument.startswith("-"):
        return argument
    override = parsed(argument)
    if override is None:  # one text, or several of a sweep
        texts = text.split(",") if sweeps else [text]
    elif not sweeps and is_path(name, text, Path.cwd()) and is_there(text):
        texts = [text]  # a folder may be called a,b or [x]
    elif override.is_sweep_override() or not isinstance(override.value(), str | int | float):
        return argument
    else:
        value = override.value()
        texts = [value if isinstance(value, str) else text]  # a folder may be called 2024
    if is_below(name, _SECRET) and "." in name and len(texts) == 1 and "${" not in text:
        reference = f"${{oc.env:{_keep(texts[0], index)}}}"
        plain = override is None or isinstance(override.value(), str)
        return f"{key}={reference}" if plain else f"{key}='${{oc.decode:{reference}}}'"
    if is_path(name, texts[0], Path.cwd()):
        return f"{key}=" + ",".join(map(_path, texts))
    return argument


def _keep(value: str, index: int) -> str:
    variable = f"AL_LIGHTNING_ARGUMENT_{index}"
    os.environ[variable] = value
    return variable


def _path(text: str) -> str:
    expanded = os.path.expanduser(text)  # noqa: PTH111 - a Path would drop what an address has twice
    argument = f"path={expanded}"
    override = parsed(argument)
    plain = override is not None and not override.is_sweep_override()
    return expanded if plain and override.value() == expanded else quoted(expanded)  # type: ignore[union-attr]


def parsed(argument: str) -> Override | None:
    """Return an argument as Hydra reads it; None if it cannot."""
    try:
        return OverridesParser.create().parse_override(argument)
    except HydraException:
        return None


def quoted(text: str) -> str:
    """Return a text as a value that Hydra reads as just that text."""
    # A backslash stands for itself, but before a quote, where it is doubled.
    parts = [part + "\\" * _trailing(part) for part in text.split("'")]
    return "'" + "\\'".join(parts) + "'"


def _trailing(text: str) -> int:
    return len(text) - len(text.rstrip("\\"))


def readable_forms(arguments: Sequence[str]) -> list[tuple[str, str]]:
    """Return the arguments that Hydra cannot read, each with the form, for a shell, that it can."""
    return [
        (argument, _for_shell(_joined(arguments[index:]) or _readable(argument)))
        for index, argument in enumerate(arguments)
        if "=" in argument and argument[:1] != "-" and parsed(argument) is None
    ]


def _joined(arguments: Sequence[str]) -> str | None:
    """Return the first argument with what a blank has split from it, if that can be read."""
    first, *others = arguments
    rest = takewhile(lambda argument: "=" not in argument and argument[:1] != "-", others)
    forms = [form.rstrip(", ") for form in accumulate([first, *rest], "{} {}".format)]
    return next((form for form in reversed(forms) if parsed(form) is not None), None)


def _readable(argument: str) -> str:
    key, _, text = argument.partition("=")
    if text.startswith("[") and text.endswith("]"):
        parts = ",".join(quoted(part.strip()) for part in text[1:-1].split(","))
        return f"{key}=[{parts}]"
    return f"{key}={quoted(text)}"


def _for_shell(argument: str) -> str:
    if _BREAKS_DOUBLE_QUOTES.isdisjoint(argument):
        return f'"{argument}"'
    return shlex.quote(argument)
