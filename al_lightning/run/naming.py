"""The names of folders: what a run or a sweep is, and never when it was."""

import re
from collections.abc import Sequence
from hashlib import sha256

from al_lightning.run.keys import NOT_IN_FOLDER, NOT_OF_A_RUN, is_below, key_of

_IN_FOLDER_ALREADY = ("dataset", "model", "strategy", "seed")
_LONGEST = 100  # characters of a folder's name; Windows allows 260 for a whole path


def run_name(seed: int, overrides: Sequence[str]) -> str:
    """Return the last part of a run's folder: the seed, then what else was overridden, sorted.

    Args:
        seed: The run's.
        overrides: As they were given on the command line, such as "budget.query=5".
    """
    others = sorted(
        o for o in overrides if key_of(o) not in _IN_FOLDER_ALREADY and o not in NOT_OF_A_RUN
    )
    return folder_name([f"seed={seed}", *_naming(others)])


def sweep_name(overrides: Sequence[str]) -> str:
    """Return the name of a sweep's folder: all that was overridden, sorted."""
    return folder_name(_naming(sorted(overrides))) or "default"


def _naming(overrides: Sequence[str]) -> list[str]:
    """Return the overrides that a folder is named after."""
    return [o for o in overrides if not is_below(key_of(o), NOT_IN_FOLDER)]


def folder_name(parts: Sequence[str]) -> str:
    """Join the parts; replace what a file system would not take, cut what is too long, stay unique."""
    full = ",".join(parts)
    name = re.sub(r"[^A-Za-z0-9_.,=+\[\]-]", "-", full)
    if name == full and len(name) <= _LONGEST:
        return name
    digest = sha256(full.encode()).hexdigest()[:8]
    return f"{name[: _LONGEST - len(digest) - 1]}-{digest}"
