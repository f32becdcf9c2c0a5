import json
import os
import subprocess
import sys
from typing import Any

import pytest
import torch

from al_lightning.utils.process import disable_nvml_polling

IMPORTING = """
import gc, json, sys
from al_lightning.utils.process import freeze_imports_from_gc

{before}
enabled = []
with freeze_imports_from_gc():
    enabled.append(gc.isenabled())
    import torch
enabled.append(gc.isenabled())
print(json.dumps({{"enabled": enabled, "frozen": gc.get_freeze_count()}}))
"""

SCRIPT = """
import ctypes, json, os, sys

calls = []

class Libc:
    def mallopt(self, *arguments):
        calls.append(arguments)

if {faked}:
    ctypes.CDLL = lambda name: Libc()
from al_lightning.utils.process import prepare_process
prepare_process()
torch = "torch" in sys.modules
waiting = [os.environ.get(name) for name in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")]
print(json.dumps({{"waiting": waiting, "malloc": calls, "torch": torch}}))
"""


def prepared(*, faked: bool = True, **variables: str) -> dict[str, Any]:
    """What a fresh process looks like after its preparation, under these environment variables."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("OMP_", "GOMP_", "MALLOC_"))
    }
    output = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(faked=faked)],
        env={**inherited, **variables},
        capture_output=True,
        check=True,
    ).stdout
    found: dict[str, Any] = json.loads(output)
    return found


def test_threads_spin_for_a_moment_and_then_wait_asleep() -> None:
    assert prepared()["waiting"] == ["passive", "30000"]


def test_what_the_environment_says_of_waiting_is_left_alone() -> None:
    assert prepared(OMP_WAIT_POLICY="active")["waiting"] == ["active", None]
    assert prepared(GOMP_SPINCOUNT="100")["waiting"] == [None, "100"]


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is Linux's")
def test_freed_memory_is_kept() -> None:
    threshold, trim = -3, -1  # M_MMAP_THRESHOLD and M_TRIM_THRESHOLD of malloc.h
    assert sorted(prepared()["malloc"]) == [[threshold, 2**28], [trim, 2**31 - 1]]


def test_what_the_environment_says_of_memory_is_left_alone() -> None:
    assert prepared(MALLOC_TRIM_THRESHOLD_="2")["malloc"] == []
    assert prepared(MALLOC_ARENA_MAX="2")["malloc"] == []


def test_it_comes_before_torch() -> None:
    expected = {"waiting": ["passive", "30000"], "malloc": [], "torch": False}
    assert prepared(faked=False) == expected


def importing(before: str = "") -> dict[str, Any]:
    """What the collector of a fresh process does while torch is imported, and has frozen then."""
    script = IMPORTING.format(before=before)
    output = subprocess.run([sys.executable, "-c", script], capture_output=True, check=True).stdout
    found: dict[str, Any] = json.loads(output)
    return found


def test_what_is_freeze_imports_from_gc_is_not_looked_at() -> None:
    found = importing()
    assert found["enabled"] == [False, True]
    assert found["frozen"] > 100_000


@pytest.mark.parametrize(
    ("before", "enabled"), [("import torch", [True, True]), ("gc.disable()", [False, False])]
)
def test_a_process_that_was_set_up_otherwise_is_left_alone(
    before: str, enabled: list[bool]
) -> None:
    assert importing(before) == {"enabled": enabled, "frozen": 0}


@pytest.mark.parametrize("there", [True, False])
def test_where_no_gpu_is_torch_does_not_look_again(
    monkeypatch: pytest.MonkeyPatch, *, there: bool
) -> None:
    variable = "PYTORCH_NVML_BASED_CUDA_CHECK"
    monkeypatch.setenv(variable, "1")  # as Lightning leaves it
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there)
    disable_nvml_polling()
    assert os.environ[variable] == ("1" if there else "0")
