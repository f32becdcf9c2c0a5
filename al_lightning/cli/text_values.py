"""Text that YAML reads as something else: class names such as 007, 12:30, or no."""

import inspect
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Any, get_args, get_origin

from hydra.core.override_parser.types import Override
from omegaconf import DictConfig, OmegaConf

from al_lightning.cli.arguments import parsed
from al_lightning.cli.targets import TAKERS, hints, nodes
from al_lightning.utils.errors import UsageError

_ITEM = re.compile(r"'(?:\\.|[^'])*'|\"(?:\\.|[^\"])*\"|[^,\[\]]+")  # of a list on the command line


def with_text_as_text(cfg: DictConfig, overrides: Sequence[str]) -> DictConfig:
    """Return the configuration with text wherever a constructor wants text.

    What the command line gave is taken as it was typed. What a YAML file gave is refused, since YAML
    has made 7 of 007 and of 0x7, 750 of 12:30, and false of no.

    Args:
        cfg: With nodes that have a ``_target_``.
        overrides: As given on the command line.

    Raises:
        UsageError: Names the key, the value, and how to write it.
    """
    typed = {o.key_or_group: o for o in map(parsed, overrides) if o is not None}
    cfg = cfg.copy()
    for key, value in list(_mistaken(cfg)):
        if (override := typed.get(key)) is None or override.is_sweep_override():
            raise UsageError(_refusal(key, value))
        OmegaConf.update(cfg, key, _as_typed(override, value))
    return cfg


def _mistaken(cfg: DictConfig) -> Iterator[tuple[str, Any]]:
    """Yield the keys that hold something else than the text that they should hold."""
    for prefix, node in nodes(OmegaConf.to_container(cfg, resolve=True)):
        known = hints(node["_target_"])
        for key, value in node.items():
            if key in known and _should_be_text(known[key], value):
                yield f"{prefix}{key}", value


def _should_be_text(types: Collection[Any], value: Any) -> bool:
    if isinstance(value, list):
        return any(map(_of_texts, types)) and not all(isinstance(item, str) for item in value)
    taken = TAKERS.get(type(value)) if value is not None else None
    return taken is not None and str in types and taken.isdisjoint(types)


def _of_texts(hint: Any) -> bool:
    container = get_origin(hint)
    return (
        inspect.isclass(container)
        and issubclass(container, Sequence)
        and get_args(hint)[:1] == (str,)
    )


def _as_typed(override: Override, value: Any) -> Any:
    """Return what the command line gave, as text, whatever Hydra has read in it."""
    typed = str(override.input_line).partition("=")[2]
    if not isinstance(value, list):
        return typed
    texts = [text.strip() for text in _ITEM.findall(typed)]
    return [
        item if isinstance(item, str) else text for item, text in zip(value, texts, strict=True)
    ]


def _refusal(key: str, value: Any) -> str:
    wrong = next(i for i in value if not isinstance(i, str)) if isinstance(value, list) else value
    return (
        f"{key} must be text, but holds {wrong!r}: YAML reads 007 without quotes as 7, 12:30 as 750 "
        "and no as False. Write the value in quotes in the YAML file, such as '007'"
    )
