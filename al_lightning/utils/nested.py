"""Nested mappings, such as configurations, by dotted keys."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any


def leaves(value: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the values of nested mappings with their dotted keys; an empty mapping is a value.

    >>> list(leaves({"budget": {"initial": 20, "total": 100}, "seed": 0}))
    [('budget.initial', 20), ('budget.total', 100), ('seed', 0)]
    """
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from leaves(inner, f"{prefix}.{key}" if prefix else str(key))
    else:
        yield prefix, value


def without(config: Mapping[str, Any], keys: Collection[str]) -> dict[str, Any]:
    """Return nested mappings without some dotted keys; keys that are not there do not matter.

    >>> without({"budget": {"initial": 20, "total": 100}, "seed": 0}, ["budget.total", "mode"])
    {'budget': {'initial': 20}, 'seed': 0}
    """
    return {
        key: without(value, {k.removeprefix(f"{key}.") for k in keys if k.startswith(f"{key}.")})
        if isinstance(value, Mapping)
        else value
        for key, value in config.items()
        if key not in keys
    }
