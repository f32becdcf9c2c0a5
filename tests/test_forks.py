import json
import os
import signal
import sys
import time
from pathlib import Path

import pytest

from tests.background import DEADLINE
from tests.forks import Fork

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no forks")
HERE = "tests.test_forks"


def describe(*arguments: object) -> None:
    facts = {
        "arguments": arguments,
        "argv": sys.argv,
        "folder": os.getcwd(),  # noqa: PTH109
        "variable": os.environ.get("OF_A_TEST"),
        "leads": os.getsid(0) == os.getpid(),
    }
    sys.stdout.write(json.dumps(facts))
    sys.stderr.write("äh")


def leave(code: int) -> None:
    sys.exit(code)


def fail() -> None:
    raise ValueError("on purpose")


def rest() -> None:
    time.sleep(DEADLINE)


def test_a_call_has_its_own_arguments_folder_and_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OF_A_TEST", "changed")
    done = Fork(f"{HERE}:describe", 1, "two", folder=tmp_path, argv=["a=b"]).wait()
    assert json.loads(done.stdout) == {
        "arguments": [1, "two"],
        "argv": ["al_lightning", "a=b"],
        "folder": str(tmp_path),
        "variable": "changed",
        "leads": True,
    }
    assert (done.returncode, done.stderr) == (0, "äh")


def test_its_status_is_that_of_a_program(tmp_path: Path) -> None:
    assert Fork(f"{HERE}:leave", 3, folder=tmp_path).wait().returncode == 3
    failed = Fork(f"{HERE}:fail", folder=tmp_path).wait()
    assert failed.returncode == 1
    assert failed.stderr.endswith("ValueError: on purpose\n")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_signals_do_what_they_do_to_a_program(tmp_path: Path, number: signal.Signals) -> None:
    resting = Fork(f"{HERE}:rest", folder=tmp_path)
    os.kill(resting.pid, number)
    done = resting.wait()
    if number == signal.SIGINT:
        assert done.stderr.endswith("KeyboardInterrupt\n")
    else:
        assert done.returncode == -number


def test_what_a_test_changes_is_not_seen_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tests.test_forks.HERE", "elsewhere")
    assert Fork("tests.test_forks:show", folder=tmp_path).wait().stdout == "tests.test_forks"


def show() -> None:
    sys.stdout.write(HERE)
