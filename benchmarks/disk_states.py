"""What the disk holds when a process dies at a certain operation, without a death for each."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from journals import VOLATILE

_BOARD = re.compile(r"events\.out\.tfevents\..*")  # TensorBoard's; no run reads one
_PARTIAL = re.compile(r"\.\d+\.partial$")
_OWNER = ".lock.owner"


class DiskStates:
    """Keeps a copy of a folder from before every operation: a kill there leaves just this.

    Args:
        folder: Is copied.
        place: Takes the copies: ``<n>/kill``, and ``<n>/torn`` where half of a write is done.
    """

    def __init__(self, folder: Path, place: Path) -> None:
        self._folder, self._place = folder, place

    def keep(self, number: int, written: tuple[int, Any] | None) -> None:
        """Copy the folder before an operation, which is what `faults.Faults` calls."""
        if self._folder.exists():
            copy(self._folder, self._place / f"{number}" / "kill" / self._folder.name)
        else:
            (self._place / f"{number}" / "kill").mkdir(parents=True)
        if written is not None:
            self._tear(number, *written)

    def _tear(self, number: int, descriptor: int, data: Any) -> None:
        target = self._place / f"{number}" / "torn" / self._folder.name
        copy(self._folder, target)
        path = Path(f"/proc/self/fd/{descriptor}").readlink()
        at = os.lseek(descriptor, 0, os.SEEK_CUR)
        half = memoryview(data).cast("B")
        copied = os.open(target / path.relative_to(self._folder), os.O_RDWR)
        try:
            os.pwrite(copied, half[: half.nbytes // 2], at)
        finally:
            os.close(copied)


def copy(folder: Path, target: Path) -> None:
    """Copy a folder, links as links."""
    shutil.copytree(folder, target, symlinks=True)


def digest(folder: Path) -> str:
    """Return a digest that is equal where a run would go on equally from two folders."""
    found = hashlib.sha256()
    for name, content in sorted(_entries(folder)):
        found.update(f"{name}\0{len(content)}\0".encode() + content)
    return found.hexdigest()


def _entries(folder: Path) -> Iterator[tuple[str, bytes]]:
    for path in folder.rglob("*"):
        name = _PARTIAL.sub(".partial", str(path.relative_to(folder)))
        if _BOARD.fullmatch(path.name):
            yield f"{path.parent.relative_to(folder)}/events", b""
        elif path.is_symlink():
            yield name, os.fsencode(path.readlink())
        elif path.is_dir():
            yield f"{name}/", b""
        else:
            yield name, _lasting(path)


def _lasting(path: Path) -> bytes:
    """Return the content of a file without what changes."""
    content = path.read_bytes()
    if path.name == _OWNER:
        return b""
    if ".json" in path.name:
        lines = [_line(line) for line in content.splitlines(keepends=True)]
        return b"".join(lines)
    return content


def _line(line: bytes) -> bytes:
    try:
        event = json.loads(line)
    except ValueError:
        return line
    return json.dumps(_without(event)).encode() + (b"\n" if line.endswith(b"\n") else b"")


def _without(value: Any) -> Any:
    if isinstance(value, dict):
        return {k: _without(v) for k, v in value.items() if k not in VOLATILE}
    return value
