"""Faults of a disk: what changes files below a folder is counted, and one operation goes wrong."""

import builtins
import errno
import io
import os
import signal
from collections.abc import Callable, Collection
from mmap import mmap
from pathlib import Path
from threading import RLock
from typing import Any, Literal, get_args

Kind = Literal["kill", "torn", "ENOSPC", "EIO"]
KINDS: tuple[Kind, ...] = get_args(Kind)

#: What is counted. The letters are how `Operations.names` writes them down.
OPERATIONS = {"write": "w", "open": "o", "truncate": "t", "posix_fallocate": "f", "fsync": "s"}
OPERATIONS |= {"mkdir": "m", "link": "l", "symlink": "y", "rename": "r", "replace": "R"}
OPERATIONS |= {"unlink": "u", "remove": "x", "rmdir": "d"}
TAKES_ROOM = {"write", "open", "truncate", "mkdir", "rename", "replace", "posix_fallocate"}
Watch = Callable[[int, tuple[int, Any] | None], None]
_CHANGES = os.O_CREAT | os.O_TRUNC | os.O_WRONLY | os.O_RDWR


class Operations:
    """Counts the operations of processes that are forked one after the other.

    Args:
        capacity: How many operations can be written down.
    """

    def __init__(self, capacity: int = 1 << 16) -> None:
        self._shared = mmap(-1, capacity)  # forks see each other's

    def add(self, operation: str) -> int:
        """Write an operation down; return how many came before it."""
        count = len(self.names)
        self._shared[count : count + 1] = OPERATIONS[operation].encode()
        return count

    def clear(self) -> None:
        """Begin anew."""
        self._shared[: len(self.names)] = bytes(len(self.names))

    @property
    def names(self) -> str:
        """A letter an operation, oldest first."""
        return self._shared[: self._shared.find(b"\0")].decode()


class Faults:
    """Lets one operation below a folder go wrong, in this process.

    Args:
        root: The folder; what happens elsewhere is left alone.
        operations: Where operations are counted.
        kind: ``kill``: SIGKILL instead of the operation. ``torn``: SIGKILL in the middle of a write.
            ``EIO``: this operation alone fails. ``ENOSPC``: from it on, all that take room fail.
        at: Which operation, from 0; None for none.
        ignored: Folders below the root, by name, which are left alone too.
        watch: Called before each operation with its number, and, of a write, with the descriptor
            and what is written.
    """

    def __init__(
        self,
        root: Path,
        operations: Operations,
        kind: Kind | None = None,
        at: int | None = None,
        ignored: Collection[str] = (),
        watch: Watch | None = None,
    ) -> None:
        self._watch = watch
        self._root = os.path.realpath(root)
        self._operations, self._kind, self._at = operations, kind, at
        self._ignored = set(ignored)
        self._full = False
        self._lock = RLock()

    def install(self) -> None:
        """Stand between Python and the system until the process ends."""
        for name in set(OPERATIONS) - {"open", "write"}:
            for alias in {name, f"f{name}" if name == "truncate" else name}:
                setattr(os, alias, self._counted(name, getattr(os, alias)))
        os_open, os_write, plain = os.open, os.write, io.open

        def open_descriptor(path: Any, flags: int, *rest: Any, **options: Any) -> int:
            if flags & _CHANGES:
                self.meet("open", path, options.get("dir_fd"))
            return os_open(path, flags, *rest, **options)

        def write(descriptor: int, data: Any) -> int:
            self.meet("write", descriptor, write=lambda part: os_write(descriptor, part), data=data)
            return os_write(descriptor, data)

        def open_file(file: Any, mode: str = "r", *rest: Any, **options: Any) -> Any:
            if isinstance(file, int) or not set(mode) & set("wax+") or not self._concerns(file):
                return plain(file, mode, *rest, **options)
            return self._opened(file, mode, *rest, **options)

        patched: dict[str, Any] = {"open": open_descriptor, "write": write}
        for name, call in patched.items():
            setattr(os, name, call)
        for module in (io, builtins):
            vars(module)["open"] = open_file

    def meet(
        self,
        operation: str,
        target: Any,
        folder: int | None = None,
        write: Callable[[Any], object] | None = None,
        data: Any = b"",
    ) -> None:
        """Count an operation, and let it fail where it must."""
        if not self._concerns(target, folder):
            return
        with self._lock:
            number = self._operations.add(operation)
            here = number == self._at
            if self._watch is not None:
                self._watch(number, None if write is None else (target, data))
            if here and self._kind == "torn" and write is not None:
                write(memoryview(data).cast("B")[: memoryview(data).nbytes // 2])
            if here and self._kind in ("kill", "torn"):
                os.kill(os.getpid(), signal.SIGKILL)
            self._full = self._full or (here and self._kind == "ENOSPC")
        if here and self._kind == "EIO":
            raise OSError(errno.EIO, os.strerror(errno.EIO), str(target))
        if self._full and operation in TAKES_ROOM:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(target))

    def _concerns(self, target: Any, folder: int | None = None) -> bool:
        if isinstance(target, int):
            path = _path_of(target)
        else:
            base = "." if folder is None else _path_of(folder)
            path = os.path.abspath(os.path.join(base, os.fsdecode(target)))  # noqa: PTH100, PTH118
        inside = path == self._root or path.startswith(f"{self._root}/")
        return inside and not self._ignored.intersection(path.removeprefix(self._root).split("/"))

    def _counted(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(target: Any, *rest: Any, **options: Any) -> Any:
            self.meet(name, target, options.get("dir_fd"))
            return call(target, *rest, **options)

        return counted

    def _opened(
        self,
        file: Any,
        mode: str,
        buffering: int = -1,
        encoding: str | None = None,
        errors: str | None = None,
        newline: str | None = None,
    ) -> Any:
        """Do what ``open`` does, on a file whose writes are counted."""
        self.meet("open", file)
        raw = _File(file, mode.replace("b", "").replace("t", ""))
        raw.faults = self
        if buffering == 0:
            return raw
        buffer = io.BufferedRandom(raw) if "+" in mode else io.BufferedWriter(raw)
        if "b" in mode:
            return buffer
        text = io.TextIOWrapper(buffer, encoding, errors, newline, line_buffering=buffering == 1)
        text.mode = mode  # type: ignore[misc]
        return text


def _path_of(descriptor: int) -> str:
    return str(Path(f"/proc/self/fd/{descriptor}").readlink())


class _File(io.FileIO):
    """A file whose writes meet faults."""

    faults: Faults

    def write(self, data: Any) -> int:
        self.faults.meet("write", self.fileno(), write=super().write, data=data)
        return super().write(data)

    def truncate(self, size: int | None = None) -> int:
        self.faults.meet("truncate", self.fileno())
        return super().truncate(size)
