"""Caches that runs share: decoded images, embeddings, first fits. All of it can be made again."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

KINDS = ("images", "embeddings", "fits")
_SHARED_BY = {"embeddings": (".npy", ".part"), "fits": (".ckpt",)}


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
            yield _entry("images", (path,), lock, [facts if facts.exists() else path])


def _files(kind: str, folder: Path) -> Iterator[Entry]:
    found: dict[str, list[Path]] = {}
    for path in _listed(folder):
        if path.suffix != ".lock" and path.is_file():
            found.setdefault(path.name.partition(".")[0], []).append(path)
    for name, paths in found.items():
        if any(path.suffix in _SHARED_BY[kind] for path in paths):
            yield _entry(kind, paths, folder / f"{name}.lock", paths)


def _listed(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _entry(kind: str, paths: Sequence[Path], lock: Path, touched: Sequence[Path]) -> Entry:
    """Return an entry, without what a running process removes meanwhile.

    Args:
        kind: One of :data:`KINDS`.
        paths: What it is made of.
        lock: Its lock.
        touched: Which of its files tell when it was last used.
    """
    size, used = 0, 0.0
    for each in [*paths, *(inside for path in paths for inside in path.rglob("*"))]:
        with suppress(FileNotFoundError):
            size += each.lstat().st_size
    for each in touched:
        with suppress(FileNotFoundError):
            used = max(used, each.stat().st_mtime)
    return Entry(kind, tuple(paths), lock, size, used)
