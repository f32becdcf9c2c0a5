import os
import re
import signal
import socket
import subprocess
import sys
from pathlib import Path
from threading import Event

import pytest

from al_lightning.utils.locks import exclusive, only_one
from tests.background import DEADLINE, Background

HOLD = """
import sys
from pathlib import Path
from al_lightning.utils.locks import exclusive
with exclusive(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_free_lock_is_taken_at_once_and_its_folder_made(tmp_path: Path) -> None:
    told: list[str] = []
    for _ in range(2):
        with exclusive(tmp_path / "new" / "lock", lambda: told.append("waiting")):
            pass
    assert not told


def test_who_comes_second_is_told_and_waits(tmp_path: Path) -> None:
    order: list[str] = []
    waiting = Event()

    def told() -> None:
        order.append("told")
        waiting.set()

    def second() -> None:
        with exclusive(tmp_path / "lock", told):
            order.append("second")

    with exclusive(tmp_path / "lock"):
        thread = Background(second)
        assert waiting.wait(DEADLINE)
        order.append("first ends")
    thread.end()
    assert order == ["told", "first ends", "second"]


def test_an_error_in_the_block_frees_the_lock(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="inside"), exclusive(tmp_path / "lock"):
        raise ValueError("inside")
    with exclusive(tmp_path / "lock", lambda: pytest.fail("still held")):
        pass


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_the_lock_of_a_killed_process_is_free(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    holder.kill()
    assert holder.wait() == -signal.SIGKILL
    with exclusive(path, lambda: pytest.fail("still held")):
        pass


def test_who_holds_a_lock_is_named_to_the_second(tmp_path: Path) -> None:
    path = tmp_path / "run" / ".lock"
    me = f"process {os.getpid()} on {socket.gethostname()}"

    def second() -> None:
        with only_one(path):
            pytest.fail("taken twice")

    with only_one(path), pytest.raises(BlockingIOError, match=re.escape(me)):
        second()
    assert not path.with_name(".lock.owner").exists()
    with only_one(path):  # free again
        pass


def test_who_may_wait_is_told_for_whom(tmp_path: Path) -> None:
    order: list[str] = []
    waiting = Event()

    def told(who: str) -> None:
        order.append(who)
        waiting.set()

    def second() -> None:
        with only_one(tmp_path / "lock", told):
            order.append("second")

    with only_one(tmp_path / "lock"):
        thread = Background(second)
        assert waiting.wait(DEADLINE)
    thread.end()
    assert order == [f"process {os.getpid()} on {socket.gethostname()}", "second"]
