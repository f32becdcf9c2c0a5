"""Settings of the process that must be made before torch is imported."""

import ctypes
import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SPINS = "30000"  # a fraction of a millisecond
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # of glibc's mallopt
# Larger blocks are few, and gain little by being kept; a heap that keeps them can grow, where a small
# block lands in the hole of one and makes it too small for the next.
_KEEP_BYTES = 2**28
_TRIM_BYTES = 2**31 - 1  # mallopt takes an int


def prepare_process() -> None:
    """Limit the spinning of waiting threads, and keep freed memory.

    OpenMP's threads spin while they wait for each other. On busy cores, long spinning makes a training
    step several times slower; on idle cores, sleeping at once makes it half as long again. So threads
    spin briefly, and then sleep. glibc returns large freed blocks to the system, which maps them again
    page by page: with kept blocks, a forward pass over 1,024 images took half the time. See
    docs/performance.md.

    Existing settings of the environment (``OMP_WAIT_POLICY``, ``MALLOC_TRIM_THRESHOLD_``, ...) are
    kept.
    """
    if not {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT"} & os.environ.keys():
        os.environ["OMP_WAIT_POLICY"] = "passive"
        os.environ["GOMP_SPINCOUNT"] = _SPINS  # GNU's, which torch uses on Linux, reads it first
    if sys.platform == "linux" and not any(name.startswith("MALLOC_") for name in os.environ):
        _keep_freed_memory()


@contextmanager
def freeze_imports_from_gc() -> Iterator[None]:
    """Keep the objects of the modules that the block imports out of garbage collection.

    torch, Lightning and their dependencies are half a million objects. Garbage collection during the
    import and at the end of the process took a third of the time from `import lightning` to the exit.
    If torch is imported already, nothing is changed: other objects may become garbage.
    """
    if "torch" in sys.modules or not gc.isenabled():
        yield
        return
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()


def disable_nvml_polling() -> None:
    """Stop torch from polling NVML on machines without a GPU; call it after Lightning's import.

    Lightning makes torch load the driver's library (NVML) at every check for a GPU, because a process
    that initialises CUDA cannot be forked. The fused optimisers check at every step, which took a fifth
    of their time.
    """
    import torch  # noqa: PLC0415 - slow

    if not torch.cuda.is_available():
        os.environ["PYTORCH_NVML_BASED_CUDA_CHECK"] = "0"


def usable_cores() -> int:
    """Return how many cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _keep_freed_memory() -> None:
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:  # musl has none
        mallopt(_MMAP_THRESHOLD, _KEEP_BYTES)
        mallopt(_TRIM_THRESHOLD, _TRIM_BYTES)
