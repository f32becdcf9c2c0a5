"""Paths on the command line: one folder is one folder, however it is spelled."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from omegaconf import DictConfig, OmegaConf

from al_lightning.run.keys import NO_EFFECT_ON_RESULTS, is_below

_NAMES_A_PATH = re.compile(r"(^|[._])(path|root|dir|folder|file|sheet)$")
_NAMES_A_COLUMN = re.compile(r"(^|\.)columns\.")  # of a table: one may well be called file
_WEIGHTS = re.compile(r"(^|\.)weights$")  # a file, or the name of published ones
_NO_PATH = re.compile(r"^$|://|^\?\?\?$")  # nothing, an address, not given


def is_path(key: str, value: Any, cwd: Path) -> bool:
    """Return whether a key of the configuration holds the path of a file or folder.

    Args:
        key: Dotted, such as "dataset.path".
        value: Its value.
        cwd: What relative paths are relative to.
    """
    if not isinstance(value, str) or _NO_PATH.search(value):
        return False
    if _WEIGHTS.search(key):
        path = _expanded(value)
        return len(path.parts) > 1 or bool(path.suffix) or is_file(cwd / path)
    return _is_place(key)


def absolute(value: str, cwd: Path) -> str:
    """Return the one spelling of a path: absolute, without links, ``..``, or a trailing separator.

    A link to a file keeps its name: the files that a table names are beside the link.
    """
    path = cwd / _expanded(value)
    if os.path.islink(path) and is_file(path):  # noqa: PTH114 - as below
        return str(Path(os.path.realpath(path.parent)) / path.name)
    return os.path.realpath(path)


def is_there(path: str | Path) -> bool:
    """Return whether there is such a file or folder, as far as one may look."""
    return os.path.exists(path)  # noqa: PTH110 - a Path raises below a closed folder, or by its length


def is_file(path: str | Path) -> bool:
    """Return whether there is such a file, as far as one may look."""
    return os.path.isfile(path)  # noqa: PTH113 - as above


def _expanded(value: str) -> Path:
    return Path(os.path.expanduser(value))  # noqa: PTH111 - a Path fails where ~x is no user's home


def portable(value: str, cwd: Path, output_root: str) -> str:
    """Return the spelling of a path for the name of a run's folder.

    It is relative to the folder that holds ``output_root`` for whatever lies below that, and absolute
    otherwise: the name depends on where things lie, and not on the working folder. Runs and images that
    are moved together keep their names.
    """
    path, beside = Path(absolute(value, cwd)), Path(absolute(output_root, cwd)).parent
    return str(path.relative_to(beside) if path.is_relative_to(beside) else path)


def with_absolute_paths(cfg: DictConfig, cwd: Path) -> DictConfig:
    """Return the configuration with every path in its one spelling."""
    cfg = cfg.copy()
    found = [(k, absolute(v, cwd)) for k, v in _values(cfg) if is_path(k, v, cwd)]
    for key, value in found:
        OmegaConf.update(cfg, key, value)
    return cfg


def places_as_written(cfg: DictConfig, cwd: Path) -> dict[str, str]:
    """Return what says where things are, such as "imgs" or "${oc.env:AL_LIGHTNING_DATA,data}".

    A run records these and not what they stand for: a place decides no result, a folder may be moved,
    and what comes from the environment is not for the disk. A path has one spelling, see
    :func:`portable`: a project must not note that "imgs" is "./imgs/" now.
    """

    def spelled(key: str, raw: str) -> str:
        is_plain = "${" not in raw and is_path(key, raw, cwd)
        return portable(raw, cwd, cfg.output_root) if is_plain else raw

    return {
        key: spelled(key, raw)
        for key, raw in _leaves(OmegaConf.to_container(cfg))
        if isinstance(raw, str)
        if _is_place(key) and is_below(key, NO_EFFECT_ON_RESULTS)
    }


def weights_files(cfg: DictConfig, cwd: Path) -> list[str]:
    """Return the keys of weights that are files: a run records their content besides their path."""
    return [k for k, v in _values(cfg) if _WEIGHTS.search(k) and is_path(k, v, cwd)]


def _is_place(key: str) -> bool:
    return bool(_NAMES_A_PATH.search(key)) and not _NAMES_A_COLUMN.search(key)


def _values(cfg: DictConfig) -> Iterator[tuple[str, Any]]:
    """Yield the leaves, by dotted keys, interpolations resolved."""
    for key, raw in _leaves(OmegaConf.to_container(cfg)):
        interpolated = isinstance(raw, str) and "${" in raw
        yield key, OmegaConf.select(cfg, key) if interpolated else raw


def _leaves(node: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in node.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{prefix}{key}.")
        elif "." not in str(key):  # such a key can be addressed by nothing
            yield f"{prefix}{key}", value
