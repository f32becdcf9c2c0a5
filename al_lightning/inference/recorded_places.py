"""Places in a recorded configuration, which are recorded as they were written."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from al_lightning.utils.errors import UsageError
from al_lightning.utils.nested import leaves

_REFERENCE = re.compile(r"\$\{([^${}]*)\}")  # the innermost one
_ENVIRONMENT = "oc.env:"
_DEEPEST = 20  # references in each other


def resolved(node: Any, config: Mapping[str, Any], key: str) -> Any:
    """Return a part of a configuration with what its references stand for.

    A run records a place as it was written, such as ``${oc.env:AL_LIGHTNING_DATA,data}`` or ``~/pets``:
    what comes from the environment is not for the disk.

    >>> resolved({"root": "${data_root}/cifar"}, {"data_root": "data"}, "dataset")
    {'root': 'data/cifar'}

    Args:
        node: Plain values, nested.
        config: The whole configuration, which the references lead to.
        key: What the part is called, for messages.

    Raises:
        UsageError: If a reference leads nowhere; names its key.
    """
    if isinstance(node, Mapping):
        return {name: resolved(value, config, f"{key}.{name}") for name, value in node.items()}
    if isinstance(node, list):
        return [resolved(value, config, f"{key}[{i}]") for i, value in enumerate(node)]
    return _text(node, config, key) if isinstance(node, str) else node


def _text(text: str, config: Mapping[str, Any], key: str) -> str:
    known = dict(leaves(config))
    for _ in range(_DEEPEST):
        found = _REFERENCE.search(text)
        if found is None:
            return str(Path(text).expanduser()) if text.startswith("~") else text
        value = _value(found[1], known)
        if value is None:
            break
        text = text[: found.start()] + value + text[found.end() :]
    raise UsageError(
        f"{key} was recorded as {text!r}, which leads nowhere here: set the environment variables that "
        "the run had"
    )


def _value(reference: str, known: Mapping[str, Any]) -> str | None:
    if not reference.startswith(_ENVIRONMENT):
        return None if known.get(reference) is None else str(known[reference])
    name, comma, default = reference.removeprefix(_ENVIRONMENT).partition(",")
    return os.environ.get(name.strip(), default.strip() if comma else None)
