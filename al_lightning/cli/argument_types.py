"""Arguments of another type than their constructor declares, such as the text ``no`` for a flag."""

from collections.abc import Collection
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from omegaconf import DictConfig, OmegaConf

from al_lightning.cli.targets import TAKERS, hints, nodes, parameters
from al_lightning.utils.errors import UsageError
from al_lightning.utils.hints import did_you_mean

_WORDS: dict[Any, tuple[str, ...]] = {
    bool: ("true", "false"),
    int: ("a whole number",),
    float: ("a number",),
    str: ("text",),
    NoneType: ("null",),
}
_MISSING = "???"  # which OmegaConf refuses


def require_declared_types(cfg: DictConfig) -> None:
    """Refuse numbers, texts and flags that are none; Hydra hands ``no`` over as a text, which is true.

    What is declared as something else, such as a list or a module, is for its constructor to check.

    Args:
        cfg: With nodes that have a ``_target_``.

    Raises:
        UsageError: Names the key, what it may be, and what it is; or a key that nothing takes.
    """
    _require_known_arguments(cfg)
    mistakes = [
        (f"{prefix}{key}", types, value)
        for prefix, node in nodes(OmegaConf.to_container(cfg, resolve=True))
        for key, types in hints(node["_target_"]).items()
        if key in node and not _is_made(value := node[key]) and not _fits(types, value)
    ]
    if mistakes:  # a value itself, before what refers to it
        key, types, value = min(mistakes, key=lambda mistake: _refers(cfg, mistake[0]))
        raise UsageError(f"{key} must be {_in_words(types)}, not {value!r}")


def _require_known_arguments(cfg: DictConfig) -> None:
    for prefix, node in nodes(OmegaConf.to_container(cfg)):
        known = parameters(node["_target_"])
        for key in node:
            if known is not None and key not in known and not key.startswith("_"):
                names = [f"{prefix}{name}" for name in known]
                raise UsageError(f"There is no {prefix}{key}{did_you_mean(prefix + key, names)}")


def _refers(cfg: DictConfig, key: str) -> bool:
    parent, _, last = key.rpartition(".")
    node = OmegaConf.select(cfg, parent)
    return isinstance(node, DictConfig) and OmegaConf.is_interpolation(node, last)


def _is_made(value: Any) -> bool:
    """Return whether a value is made into an object, or has yet to be given."""
    return value == _MISSING or (isinstance(value, dict) and "_target_" in value)


def _fits(types: Collection[Any], value: Any) -> bool:
    literals = [literal for each in types for literal in _literals(each)]
    others = {each for each in types if not _literals(each)}
    if any(type(value) is type(literal) and value == literal for literal in literals):
        return True
    return not others <= _WORDS.keys() or not TAKERS.get(type(value), set()).isdisjoint(others)


def _literals(declared: Any) -> tuple[Any, ...]:
    return get_args(declared) if get_origin(declared) is Literal else ()


def _in_words(types: Collection[Any]) -> str:
    named = [word for each, words in _WORDS.items() if each in types for word in words]
    if int in types and float in types:
        named.remove("a whole number")
    *others, last = [*named, *(str(literal) for each in types for literal in _literals(each))]
    return f"{', '.join(others)} or {last}" if others else last
