"""How much memory there is, and how amounts of it are written."""

import math
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path


def memory_limit(limit: int | float | str) -> int | None:
    """Return a limit in bytes; "auto" is the memory that is available now.

    Returns:
        Bytes; None where it is not known what is available.
    """
    return available_bytes() if limit == "auto" else parse_bytes(limit)


def parse_bytes(size: int | float | str) -> int:
    """Return a size in bytes, given as a number or as a text such as "4GB" or "1.5 GiB".

    Raises:
        ValueError: If it is no such thing, or not positive.
    """
    found = re.fullmatch(r"\s*([0-9.]+(?:e\+?[0-9]+)?)\s*(?:([kmgt])(i?))?b?\s*", str(size).lower())
    if isinstance(size, bool) or found is None:
        raise ValueError(f"{size!r} is no size such as 4GB, 500MB or a number of bytes")
    number, unit, binary = found.groups()
    factor = (1024 if binary else 1000) ** (" kmgt".index(unit) if unit else 0)
    size_bytes = float(number) * factor
    if not 1 <= size_bytes < math.inf:
        raise ValueError(f"{size!r} is less than a byte, or without end")
    return int(size_bytes)


def available_bytes(root: Path = Path("/")) -> int | None:
    """Return the memory that this process can still take without driving others out, in bytes.

    The least of what the machine has and of what each control group (of a container, or of a job of a
    queue) leaves. None where the system does not say.

    Args:
        root: Where the system's own files are.
    """
    room = [*_machine_room(root), *_group_rooms(root)]
    return min(room) if room else None


def _machine_room(root: Path) -> Iterator[int]:
    if sys.platform == "win32":
        import psutil  # noqa: PLC0415 - a dependency on Windows alone

        yield int(psutil.virtual_memory().available)
    elif (meminfo := root / "proc" / "meminfo").exists():
        found = re.search(r"^MemAvailable:\s+(\d+) kB", meminfo.read_text(encoding="utf-8"), re.M)
        if found:
            yield 1024 * int(found[1])
    elif sys.platform == "darwin":  # does not say what is free; what there is bounds it
        yield os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


# Of both versions of control groups: the folder, then the files for limit, usage, and cached files.
_GROUP_FILES = {
    "": ("", "memory.max", "memory.current", "inactive_file"),
    "memory": ("memory", "memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"),
}


def _group_rooms(root: Path) -> Iterator[int]:
    """Yield the bytes that each control group above this process leaves free."""
    groups = root / "proc" / "self" / "cgroup"
    lines = groups.read_text(encoding="utf-8").splitlines() if groups.exists() else []
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if controllers not in _GROUP_FILES:
            continue
        folder, limit, usage, cached = _GROUP_FILES[controllers]
        top = root / "sys" / "fs" / "cgroup" / folder
        own = top / path.strip("/")
        for group in (own, *own.parents):
            if (
                group.is_relative_to(top)
                and (room := _room(group, limit, usage, cached)) is not None
            ):
                yield room


def _room(group: Path, limit: str, usage: str, cached: str) -> int | None:
    try:
        most = int((group / limit).read_text(encoding="utf-8"))
        used = int((group / usage).read_text(encoding="utf-8"))
        counters = (group / "memory.stat").read_text(encoding="utf-8")
    except (OSError, ValueError):  # "max" is no limit; a container may not see the groups above it
        return None
    reclaimable = re.search(rf"^{cached} (\d+)$", counters, re.M)
    return max(most - used + (int(reclaimable[1]) if reclaimable else 0), 0)
