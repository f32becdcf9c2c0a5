"""Seconds of a call, and the memory of this process, which Linux alone tells so."""

import ctypes
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

_SAMPLED_EVERY = 0.02  # seconds


def timed(call: Callable[[], object]) -> float:
    """Return the wall-clock seconds of a call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def by_turns(ways: Mapping[str, Callable[[], object]], repeats: int) -> dict[str, list[float]]:
    """Return the processor seconds of calls that are made by turns, after one that warms up."""
    times: dict[str, list[float]] = {name: [] for name in ways}
    for repeat in range(repeats + 1):
        for name, call in ways.items():
            start = time.process_time()
            call()
            if repeat:
                times[name].append(round(time.process_time() - start, 4))
    return times


def memory_bytes(field: str) -> int:
    """Return a field of /proc/self/status: VmRSS (resident), VmHWM (its peak), RssAnon (anonymous)."""
    lines = Path("/proc/self/status").read_text(encoding="ascii").splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith(f"{field}:"))


def reset_peak_memory() -> int:
    """Set VmHWM, the peak of resident memory, to what is resident now, and return that."""
    ctypes.CDLL(None).malloc_trim(0)  # else what was freed before would be used again
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    return memory_bytes("VmRSS")


class PeakMemory:
    """Samples anonymous memory within a block: the system may drop pages of mapped files.

    Attributes:
        bytes: The most that was seen.
    """

    def __enter__(self) -> "PeakMemory":
        self.bytes = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _sample(self) -> None:
        while True:
            self.bytes = max(self.bytes, memory_bytes("RssAnon"))
            if self._done.wait(_SAMPLED_EVERY):
                return
