"""Provenance of a run: configuration, versions, hardware."""

import hashlib
import json
import math
import os
import platform
import sys
from collections.abc import Iterable, Mapping
from functools import cache, partial
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from types import FunctionType
from typing import TYPE_CHECKING, Any

import torch

from al_lightning.utils.nested import leaves

if TYPE_CHECKING:
    from torch import nn

_PACKAGES = (
    "al-lightning",
    "torch",
    "torchvision",
    "lightning",
    "torchmetrics",
    "hydra-core",
    "numpy",
)
_ARITHMETIC = (  # of MKL, oneDNN and CUDA: other instructions, or fewer bits than requested
    *("MKL_CBWR", "MKL_ENABLE_INSTRUCTIONS", "ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA"),
    *("ONEDNN_DEFAULT_FPMATH_MODE", "DNNL_DEFAULT_FPMATH_MODE"),
    *("NVIDIA_TF32_OVERRIDE", "TORCH_ALLOW_TF32_CUBLAS_OVERRIDE"),
)
_SHORT = 100  # entries of a list that is a setting
_HOUSE = Path(__file__).parents[1]  # all of this package's code
_VERSIONED = ("torch", "torchvision", "lightning", "torchmetrics")


def config_hash(config: Mapping[str, Any]) -> str:
    """Return a digest of a configuration, 16 hex digits; the order of keys does not matter."""
    text = json.dumps(config, sort_keys=True, allow_nan=False)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def describe(thing: object) -> Any:
    """Return an object as plain values: its type and its settings.

    Functions and classes are named. Attributes that are neither plain, nor short lists or mappings, nor
    objects of that kind (tensors, sets, ...) are left out.
    """
    return _describe(thing, ())


def _describe(thing: object, around: tuple[int, ...]) -> Any:
    """Describe a thing inside of others, which it may refer to."""
    match thing:
        case float() if not math.isfinite(thing):
            return str(thing)  # JSON has none
        case None | bool() | int() | float() | str():
            return thing
        case FunctionType() | type():
            return f"{thing.__module__}.{thing.__qualname__}"
        case partial():
            held = {"function": thing.func, "arguments": thing.args, **thing.keywords}
        case Mapping() if len(thing) <= _SHORT:
            held = {str(key): value for key, value in thing.items()}
        case list() | tuple() if len(thing) <= _SHORT:
            return [_describe(value, (*around, id(thing))) for value in thing]
        case _:
            held = dict(getattr(thing, "__dict__", {}))
    if isinstance(thing, Mapping):
        kind = {}
    else:
        kind = {"type": f"{type(thing).__module__}.{type(thing).__qualname__}"}
    inside = (*around, id(thing))
    kept = {k: _describe(v, inside) for k, v in held.items() if _is_describable(v, inside)}
    return {**kind, **kept}


def _is_describable(value: object, around: tuple[int, ...]) -> bool:
    if id(value) in around or isinstance(value, torch.Tensor):
        return False
    if isinstance(value, list | tuple | Mapping):
        inner = value.values() if isinstance(value, Mapping) else value
        inside = (*around, id(value))
        return len(value) <= _SHORT and all(_is_describable(v, inside) for v in inner)
    plain = isinstance(value, bool | int | float | str | None)
    return plain or hasattr(value, "__dict__") or isinstance(value, FunctionType | type)


def differing_keys(recorded: Mapping[str, Any], current: Mapping[str, Any]) -> list[str]:
    """Describe where two configurations differ, one ``key: recorded -> current`` each, sorted.

    A key that is absent is one that is None: a later version may know more keys.
    """
    old, new = dict(leaves(recorded)), dict(leaves(current))
    absent = "(absent)"
    return [
        f"{key}: {old.get(key, absent)} -> {new.get(key, absent)}"
        for key in sorted(old.keys() | new.keys())
        if old.get(key) != new.get(key)
    ]


def versions() -> dict[str, str]:
    """Return the versions of Python and of the packages that results depend on."""
    found = {"python": platform.python_version()}
    for name in _PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:  # run from a source tree
            found[name] = "not installed"
    return found


def code_digest(module: "nn.Module") -> str:
    """Return a digest of the code that computes with a module: this package's, and its own classes'.

    What the versions of other packages say already is left out.
    """
    homes = {type(part).__module__ for part in module.modules()}
    homes = {name for name in homes if name.partition(".")[0] not in _VERSIONED}
    named = (getattr(sys.modules.get(name), "__file__", None) for name in homes)
    own = {Path(file) for file in named if file}
    digest = _digest_of_files(sorted(file for file in own if _HOUSE not in file.parents))
    return hashlib.sha256(_digest_of_house() + digest).hexdigest()[:16]


@cache  # what runs is the code that was imported, whatever the files become
def _digest_of_house() -> bytes:
    return _digest_of_files(sorted(_HOUSE.rglob("*.py")))


def _digest_of_files(files: Iterable[Path]) -> bytes:
    digest = hashlib.sha256()
    for file in files:
        digest.update(hashlib.sha256(file.read_bytes()).digest())
    return digest.digest()


def hardware() -> dict[str, Any]:
    """Return the hardware that the bits of the results depend on: processor, threads, accelerator.

    And the environment variables that change the arithmetic of a processor, where any is set.
    """
    arithmetic = {name: os.environ[name] for name in _ARITHMETIC if os.environ.get(name)}
    return {
        "machine": platform.machine(),
        "processor": _processor(),
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "cores": os.cpu_count(),
        "threads": torch.get_num_threads(),
        "accelerator": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "system": platform.system(),
        **({"arithmetic": arithmetic} if arithmetic else {}),
    }


def reproducible(computation: Mapping[str, str]) -> dict[str, Any]:
    """Return whether the same run has the same bits, and under which conditions.

    Args:
        computation: Where it computes: ``device`` ("cpu", "cuda", ...), and ``devices`` if there are
            several.

    Returns:
        ``bitwise``: whether it does, as far as the hardware promises that. ``given``: what must be the
        same. Another number of threads or of devices adds up in another order, and its last bits may in
        the end select other images.
    """
    given = ["config", "data", "versions", "hardware.processor", "hardware.threads"]
    return {
        "bitwise": computation["device"] == "cpu" or torch.are_deterministic_algorithms_enabled(),
        "given": [*given, *(["trainer.devices"] if "devices" in computation else [])],
    }


def peak_rss_bytes() -> int:
    """Return the most memory that this process has held so far, in bytes."""
    if sys.platform == "win32":
        import psutil  # noqa: PLC0415 - a dependency on Windows alone

        return int(psutil.Process().memory_info().peak_wset)
    if platform.system() == "Linux":
        # Not getrusage: its peak begins with that of the process that started this one.
        status = Path("/proc/self/status").read_text(encoding="utf-8")
        return 1024 * int(status.split("VmHWM:", 1)[1].split(maxsplit=1)[0])
    import resource  # noqa: PLC0415 - Unix alone

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024  # macOS counts bytes, others KiB


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    lines = cpuinfo.read_text(encoding="utf-8").splitlines() if cpuinfo.exists() else []
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()
