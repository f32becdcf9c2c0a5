"""Checks of arguments: kinds, ranges, what can be called how."""

import inspect
import json
import operator
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, SupportsIndex, cast

from al_lightning.utils.errors import UsageError


def require_kind(name: str, value: object, *kinds: type) -> None:
    """Check that an argument is of one of some types; None stands for itself.

    Raises:
        UsageError: If it is of another; names it.
    """
    if not any(value is None if kind is type(None) else isinstance(value, kind) for kind in kinds):
        named = " or ".join("None" if kind is type(None) else kind.__name__ for kind in kinds)
        raise UsageError(f"{name} must be a {named}, not {value!r:.200}")


def require_names(name: str, values: object) -> None:
    """Check that an argument is several texts, and not one, whose letters would be taken.

    Raises:
        UsageError: If it is not; names it.
    """
    if not isinstance(values, Collection) or not all(isinstance(v, str) for v in values):
        raise UsageError(f"{name} must be a list of texts, not {values!r}")
    if isinstance(values, str):
        raise UsageError(f"{name} must be a list of texts, such as [{values!r}], not one text")


def whole_number(name: str, value: object, least: int = 0) -> int:
    """Return a whole number of at least ``least`` as Python's own, such as one of NumPy's.

    Raises:
        UsageError: If it is none; names it.
    """
    try:
        number = operator.index(cast("SupportsIndex", value))
    except TypeError:
        number = least - 1
    if number < least or isinstance(value, bool):
        raise UsageError(f"{name} must be a whole number of at least {least}, not {value!r}")
    return number


def require_within(name: str, value: object, interval: str) -> None:
    """Check that an argument is a number in an interval.

    Args:
        name: Of the argument.
        value: The argument.
        interval: In brackets, with the ends or without them: "[0, 1)", "(0, inf)".

    Raises:
        UsageError: If it is not; names it.
    """
    low, high = map(float, interval[1:-1].split(","))
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if number and low < cast("float", value) < high:
        return
    if not number or not (
        (value == low and "[" in interval) or (value == high and "]" in interval)
    ):
        raise UsageError(f"{name} must be in {interval}, not {value!r}")


def require_plain(name: str, values: object) -> None:
    """Check that a mapping can be written into a journal.

    Raises:
        UsageError: If it cannot; names the part of it, such as "config.recipe.lr".
    """
    require_kind(name, values, Mapping)
    if (found := _not_plain(name, values)) is not None:
        where, error = found
        raise UsageError(
            f"{where} must hold plain values, which JSON can hold (texts, finite numbers, lists, "
            f"mappings): {error}"
        ) from error


def _not_plain(name: str, value: object) -> tuple[str, Exception] | None:
    """Return the innermost part of a value that JSON cannot hold, dotted, and why; None if it can."""
    try:
        json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        inner = (_not_plain(f"{name}.{key}", part) for key, part in _parts(value))
        in_circles = "Circular" in str(error)
        return (name, error) if in_circles else next(filter(None, inner), (name, error))
    return None


def _parts(value: object) -> Iterable[tuple[object, object]]:
    if isinstance(value, Mapping):
        return value.items()
    return enumerate(value) if isinstance(value, list | tuple) else ()


def why_not_callable(function: Callable[..., Any], count: int) -> str | None:
    """Say why a function cannot be called with so many positional arguments; None if it can."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # compiled code does not say
        return None
    try:
        signature.bind(*range(count))
    except TypeError as error:
        return str(error)
    return None


def name_of(function: object) -> str:
    """Return what a function, or an object that can be called, is called."""
    return str(getattr(function, "__name__", type(function).__name__))


def kind_of(value: object) -> str:
    """Return what an object is, for a message that refuses it."""
    if value is None:
        return "None"
    return f"the class {value.__name__}" if isinstance(value, type) else type(value).__name__
