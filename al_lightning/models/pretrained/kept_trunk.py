"""A trunk is read from its file once, and copied from then on."""

import functools
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from al_lightning.models.pretrained.trunk import Trunk


def kept(make: Callable[..., Trunk]) -> Callable[..., Trunk]:
    """Return a function that makes the same trunk faster: every round starts from a new classifier.

    The last trunk is kept, with the state of torch's generator before and after it was made. Equal
    arguments and an equal state give a copy, and the state after it, as if it had been made once more.
    A file of weights that has changed is read again.

    Args:
        make: Makes a trunk; draws from torch's generator alone.
    """
    last: dict[object, tuple[Trunk, Tensor]] = {}

    @functools.wraps(make)
    def made(*arguments: Any) -> Trunk:
        key = *map(_identified, arguments), torch.get_rng_state().numpy().tobytes()
        if key not in last:
            last.clear()
            last[key] = make(*arguments), torch.get_rng_state()
        trunk, after = last[key]
        torch.set_rng_state(after)
        return deepcopy(trunk)

    return made


def _identified(argument: object) -> object:
    """Return an argument; the name of a file with its time and size."""
    if not isinstance(argument, str) or not Path(argument).is_file():
        return argument
    status = Path(argument).stat()
    return argument, status.st_mtime_ns, status.st_size
