import json
import os
import subprocess
import sys
from typing import Any

import pytest

SCRIPT = """
import ctypes, json, os, sys

calls = []

class Libc:
    def mallopt(self, *arguments):
        calls.append(arguments)

if {faked}:
    ctypes.CDLL = lambda name: Libc()
from al_lightning.process import prepare_process
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
