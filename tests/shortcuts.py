"""What takes longer than a tiny fit and comes to the same every time: done once, or not at all.

Other packages are what spends the time; users pay for it once a run, and tests some thousand times.
"""

import gc
import os
from functools import cache
from importlib.metadata import entry_points, version
from typing import Any

import torch
from lightning.fabric.utilities import registry
from omegaconf import _utils, base, grammar_parser

from al_lightning.run import own_code, provenance


def take() -> None:
    """Take all shortcuts, for as long as this process lives."""
    # Metadata of packages: every trainer of Lightning reads them all, and every run some.
    _replace(registry, "entry_points", cache(entry_points))
    for module in (own_code, provenance):
        _replace(module, "version", cache(version))
    # Every composition parses the same interpolations, and every file makes a class for its loader.
    parse = cache(grammar_parser.parse)
    for module in (_utils, base):
        _replace(module, "parse", parse)
    _replace(_utils, "get_yaml_loader", cache(_utils.get_yaml_loader))
    # Whoever seeds torch seeds devices, too; those that are absent note the whole stack for later.
    _replace(torch.cuda, "device_count", cache(torch.cuda.device_count))
    for device in (torch.cuda, torch.xpu, torch.mtia):
        if not device.is_available():
            _replace(device, "manual_seed_all", _seed_nothing)
    # Python looks for garbage after every 700 new objects, and torch's modules have half a million.
    gc.set_threshold(50_000, 20, 20)
    # Nothing here has to survive a power cut; what asks for it is replaced where that is tested.
    _replace(os, "fsync", lambda _descriptor: None)


def _replace(module: Any, name: str, by: Any) -> None:
    assert callable(getattr(module, name))
    setattr(module, name, by)


def _seed_nothing(seed: int) -> None:
    """Seed all of no devices."""
