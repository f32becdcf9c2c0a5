import os
import subprocess
import sys

import pytest

from al_lightning.utils.command import exit_status
from al_lightning.utils.errors import DataError


def raises(error: BaseException) -> str:
    raise error


def test_what_was_done_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status(lambda: "done") == 0
    assert capsys.readouterr() == ("done\n", "")


def test_an_error_of_usage_is_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status(lambda: raises(DataError("no such folder"))) == 1
    assert capsys.readouterr() == ("", "Error: no such folder\n")


def test_what_the_system_refuses_is_a_message(capsys: pytest.CaptureFixture[str]) -> None:
    error = PermissionError(13, "Permission denied", "run/.lock")
    assert exit_status(lambda: raises(error)) == 1
    assert capsys.readouterr().err == "Error: [Errno 13] Permission denied: 'run/.lock'\n"


def test_an_interruption_has_a_status_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_status(lambda: raises(KeyboardInterrupt())) == 130
    assert capsys.readouterr().err == "Interrupted. Nothing was written.\n"


def test_other_errors_are_not_hidden() -> None:
    with pytest.raises(ZeroDivisionError):
        exit_status(lambda: raises(ZeroDivisionError()))


def test_a_reader_who_has_gone_is_no_error() -> None:
    """As in ``... | head``: the output goes into a pipe that nobody reads any more."""
    code = "from al_lightning.utils.command import exit_status; exit(exit_status(lambda: 'text'))"
    reader, writer = os.pipe()
    os.close(reader)
    try:
        ended = subprocess.run(
            [sys.executable, "-c", code], stdout=writer, stderr=subprocess.PIPE, check=False
        )
    finally:
        os.close(writer)
    assert (ended.returncode, ended.stderr) == (0, b"")
