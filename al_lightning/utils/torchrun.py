"""What torchrun says of this process in its environment; torch is not imported."""

import os
from collections.abc import Mapping

_ALL = frozenset(("TORCHELASTIC_RUN_ID", "RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE"))


def by_torchrun(environment: Mapping[str, str] = os.environ) -> bool:
    """Return whether torchrun, or torch's launcher, has started this process."""
    return environment.keys() >= _ALL


def rank() -> int:
    """Return which of the ranks this process is, from 0."""
    return _number("RANK", 0)


def world_size() -> int:
    """Return the number of ranks; 1 without torchrun."""
    return _number("WORLD_SIZE", 1)


def local_world_size() -> int:
    """Return how many ranks there are on this machine."""
    return _number("LOCAL_WORLD_SIZE", 1)


def _number(name: str, without: int) -> int:
    # Some of the variables mean nothing: they may be left over from something else.
    return int(os.environ[name]) if by_torchrun() else without
