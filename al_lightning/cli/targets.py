"""The nodes of a configuration that are made into objects, and what their arguments may be."""

import inspect
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

from hydra.utils import get_object

#: What a parameter may be declared as to take a value of a type. No flag means another thing by null.
TAKERS: dict[type, set[Any]] = {
    bool: {bool},
    int: {int, float},
    float: {float},
    str: {str},
    NoneType: {NoneType, bool},
}


def nodes(config: Any, prefix: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield the nodes with a ``_target_``, each with the beginning of its keys, such as "recipe."."""
    if not isinstance(config, dict):
        return
    if "_target_" in config:
        yield prefix, config
    for key, value in config.items():
        yield from nodes(value, f"{prefix}{key}.")


def hints(target: str) -> dict[str, frozenset[Any]]:
    """Return what a target's parameters may be, as far as it is known; a path is given as text."""
    known: dict[str, frozenset[Any]] = {}
    for function in _takers(target):
        known = {**_hints(function), **known}
    return known


def parameters(target: str) -> set[str] | None:
    """Return the names of all arguments that a target takes; None where it may take others, too."""
    taken: list[inspect.Parameter] = []
    try:
        for function in _takers(target):
            own = inspect.signature(function).parameters.values()
            taken += own
            if all(p.kind is not inspect.Parameter.VAR_KEYWORD for p in own):
                return {p.name for p in taken}
    except (TypeError, ValueError):  # compiled code
        return None
    return None


def _takers(target: str) -> Iterator[Callable[..., Any]]:
    """Yield what takes the arguments: a constructor, and those that it hands further options to."""
    try:
        found = get_object(target)
    except Exception:  # no such target, which instantiating it will say
        return
    if not inspect.isclass(found):
        yield found
        return
    for base in found.__mro__:
        if "__init__" not in vars(base):
            continue
        constructor = vars(base)["__init__"]
        yield constructor
        kinds = (p.kind for p in inspect.signature(constructor).parameters.values())
        if inspect.Parameter.VAR_KEYWORD not in kinds:
            return


def _hints(function: Callable[..., Any]) -> dict[str, frozenset[Any]]:
    try:
        found = get_type_hints(function)
        parameters = inspect.signature(function).parameters
    except Exception:  # hints that name nothing, compiled code
        return {}
    named = (p for p in parameters.values() if p.kind is not inspect.Parameter.VAR_KEYWORD)
    return {
        p.name: _types(found[p.name]) | ({NoneType} if p.default is None else set())
        for p in named
        if p.name in found
    }


def _types(hint: Any) -> frozenset[Any]:
    types = get_args(hint) if get_origin(hint) in {Union, UnionType} else (hint,)
    return frozenset(str if each is Path else each for each in types)
