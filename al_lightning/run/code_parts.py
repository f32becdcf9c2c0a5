"""The parts of functions, objects and layers that decide what they compute."""

import dis
import types
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, TypeGuard

import lightning as L
import numpy as np
from torch import Tensor, nn

_LARGE = 10_000  # elements of a tensor that is data, not a setting
_LOADS = frozenset(["LOAD_GLOBAL", "LOAD_NAME"])
_OF_LIGHTNING = frozenset(vars(L.LightningModule()))


def is_code(value: object) -> TypeGuard[types.CodeType]:
    """Say whether a constant of a function is the code of an inner one."""
    return isinstance(value, types.CodeType)


def used_names(code: types.CodeType) -> Iterator[str]:
    """Yield the names of globals and attributes that code uses, and that its inner functions use."""
    yield from code.co_names
    for inner in filter(is_code, code.co_consts):
        yield from used_names(inner)


def global_names(code: types.CodeType) -> Iterator[str]:
    """Yield the names of globals that code uses, and that its inner functions use."""
    yield from (s.argval for s in dis.get_instructions(code) if s.opname in _LOADS)
    for inner in filter(is_code, code.co_consts):
        yield from global_names(inner)


def cell_content(cell: types.CellType) -> object:
    """Return the value that a closure holds; None of one that is not filled yet."""
    try:
        return cell.cell_contents
    except ValueError:
        return None


def attributes(value: object) -> Mapping[str, Any]:
    """Return the attributes of an object, those in slots included."""
    slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
    in_slots = {name: getattr(value, name) for name in slots if hasattr(value, name)}
    own = getattr(value, "__dict__", None)
    return {**in_slots, **(own if isinstance(own, Mapping) else {})}


def state_of(value: object) -> dict[str, Any]:
    """Return the attributes of an object; of a module, without weights and Lightning's own."""
    state: Mapping[str, Any] = attributes(value)
    if isinstance(value, nn.Module):
        state = {k: v for k, v in state.items() if k not in _OF_LIGHTNING or k == "_hparams"}
    return {k: v for k, v in state.items() if not isinstance(v, Path)}


def layer_settings(layer: object) -> dict[str, Any]:
    """Return the settings of a layer, such as its stride."""
    return {
        key: value
        for key, value in vars(layer).items()
        if not key.startswith("_") and key != "training" and _is_number(value)
    }


def _is_number(value: object) -> bool:
    numbers = value if isinstance(value, tuple) else (value,)
    return all(isinstance(number, bool | int | float | None) for number in numbers)


def array_text(value: Tensor | np.ndarray[Any, Any]) -> str:
    """Return the shape of an array, and its content where it is as small as a setting."""
    about = f"{value.dtype} {tuple(value.shape)}"
    if isinstance(value, nn.Parameter) or np.prod(value.shape) > _LARGE:
        return about
    plain = value.detach().cpu().tolist() if isinstance(value, Tensor) else value.tolist()
    return f"{about} {plain}"
