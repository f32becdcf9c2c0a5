"""Caches that runs share: decoded images, embeddings, first fits. All of it can be made again."""

import os
import shutil
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

KINDS = ("images", "embeddings", "fits")
_SHARED_BY = {"embeddings": ".npy", "fits": ".ckpt"}


@dataclass(frozen=True)
class Entry:
    """An entry of a cache.

    Attributes:
        kind: One of :data:`KINDS`.
        paths: The files and folders that it is made of.
        lock: Held while the entry is made or checked.
        size: Bytes on the disk.
        used: When it was last used, in seconds since 1970.
    """

    kind: str
    paths: tuple[Path, ...]
    lock: Path
    size: int
    used: float

    def remove(self) -> bool:
        """Remove it; return False where a process makes or checks it just now."""
        lock = FileLock(self.lock, fallback_to_soft=False)
        try:
            lock.acquire(blocking=False)
        except (Timeout, OSError):
            return False
        try:
            for path in self.paths:
                if path.is_dir() and not path.is_symlink():
                    shutil.rmtree(path, ignore_errors=True)
                else:
                    path.unlink(missing_ok=True)
        finally:
            lock.release()
        return not any(path.exists() for path in self.paths)


def find_entries(cache: Path) -> list[Entry]:
    """Return the entries in a folder of caches, the longest unused first.

    Args:
        cache: ``.cache`` below the folder of the runs.
    """
    found = [*_images(cache / "images"), *_files("embeddings", cache / "embeddings")]
    return sorted([*found, *_files("fits", cache)], key=lambda entry: entry.used)


def note_use(path: Path) -> None:
    """Set the time by which :func:`find_entries` says when something was last used."""
    with suppress(OSError):  # it may be another user's
        os.utime(path)


def _images(folder: Path) -> Iterator[Entry]:
    for path in _listed(folder):
        if path.is_dir() and not path.is_symlink():
            facts = path / "facts.json"
            lock = folder / f"{path.name.partition('-')[0]}.lock"
            yield _entry("images", (path,), lock, facts if facts.exists() else path)


def _files(kind: str, folder: Path) -> Iterator[Entry]:
    ending = _SHARED_BY[kind]
    for path in _listed(folder):
        if path.suffix == ending:
            beside = [path.with_suffix(suffix) for suffix in (".rows", ".json")]
            paths = (path, *(other for other in beside if other.exists()))
            yield _entry(kind, paths, path.with_suffix(".lock"), paths[-1])


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _entry(kind: str, paths: tuple[Path, ...], lock: Path, witness: Path) -> Entry:
    inside = [
        *paths,
        *(file for path in paths if path.is_dir() for file in path.rglob("*") if file.is_file()),
    ]
    size = sum(path.lstat().st_size for path in inside)
    return Entry(kind, paths, lock, size, witness.stat().st_mtime)
