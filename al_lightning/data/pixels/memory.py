"""How much memory there is for data."""

import os
import sys
from pathlib import Path

import torch

_CGROUP = Path("/sys/fs/cgroup")
_MEMINFO = Path("/proc/meminfo")


def available_memory(meminfo: Path = _MEMINFO, cgroup: Path = _CGROUP) -> int:
    """Return how many bytes this process may still take without anybody being pushed out.

    Args:
        meminfo: Where Linux says how much is free, or could be.
        cgroup: Where Linux says how much a container may take.
    """
    if not meminfo.exists():
        return _of_other_systems()
    text = meminfo.read_text(encoding="ascii")
    free = 1024 * int(text.split("MemAvailable:", 1)[1].split(maxsplit=1)[0])
    try:
        limit = int((cgroup / "memory.max").read_text(encoding="ascii"))
        used = int((cgroup / "memory.current").read_text(encoding="ascii"))
        used -= _reclaimable((cgroup / "memory.stat").read_text(encoding="ascii"))
    except (OSError, ValueError):  # no container, or one without a limit, which says "max"
        return free
    return max(0, min(free, limit - used))


def free_on(device: torch.device) -> int:
    """Return how many bytes are free in the own memory of a device; 0 where that is unknown."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 0


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _reclaimable(stat: str) -> int:
    """Return how much of what a container holds are files that the system may drop."""
    values = dict(line.split() for line in stat.splitlines())
    return int(values.get("inactive_file", 0)) + int(values.get("active_file", 0))


def _of_other_systems() -> int:
    if sys.platform == "win32":
        import psutil  # noqa: PLC0415 - a dependency on Windows alone

        return int(psutil.virtual_memory().available)
    # macOS does not say what is free in a way that Python knows: half of all may be.
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2
