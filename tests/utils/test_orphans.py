import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.background import DEADLINE

CHILD = """
import os, signal, sys, time
from al_lightning.utils.orphans import end_with_parent
if sys.argv[2] == "in order":
    signal.signal(signal.SIGTERM, lambda *_: (open(sys.argv[1] + ".stopped", "w").close(), os._exit(0)))
for _ in range(2):
    end_with_parent(os.getppid(), grace=0.0 if sys.argv[2] == "at once" else 60.0)
open(sys.argv[1], "w").write(str(os.getpid()))
time.sleep(600)
"""
PARENT = "import subprocess, sys; subprocess.run([sys.executable, '-c', *sys.argv[1:]])"


def _wait(until: Callable[[], object]) -> None:
    end = time.monotonic() + DEADLINE
    while not until():
        assert time.monotonic() < end
        time.sleep(0.05)


def _is_gone(number: int) -> bool:
    try:
        state = Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return True
    return state == "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("how", ["at once", "in order"])
def test_a_process_ends_with_the_one_that_has_started_it(how: str, tmp_path: Path) -> None:
    note = tmp_path / "child"
    parent = subprocess.Popen([sys.executable, "-c", PARENT, CHILD, str(note), how])
    _wait(lambda: note.exists() and note.read_text())
    child = int(note.read_text())
    assert not _is_gone(child)
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    _wait(lambda: _is_gone(child))
    assert Path(f"{note}.stopped").exists() == (how == "in order")
