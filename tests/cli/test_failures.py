import os
from pathlib import Path

import pytest
import torch
from hydra.errors import CompactHydraException, HydraException
from yaml import YAMLError

from al_lightning.cli.failures import JobError, is_out_of_memory, shown_errors
from tests.command_line import QUICK, fork


def test_a_run_that_cannot_be_made_is_one_message_and_nothing_else(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with pytest.raises(SystemExit) as left, shown_errors(["batch_size=5"]):
        raise JobError("Error: http://me:pw@host is away")
    assert left.value.code == 1
    assert capsys.readouterr().err == "Error: http://***@host is away\n"
    assert "HYDRA_FULL_ERROR" not in os.environ


def test_what_was_meant_is_said_where_the_configuration_could_not_be_composed(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with pytest.raises(SystemExit), shown_errors(["batch_size=5"]):
        raise CompactHydraException("Could not override")
    assert "did you mean recipe.batch_size?" in capsys.readouterr().err


def test_the_readable_form_of_an_argument_is_shown(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with pytest.raises(SystemExit), shown_errors(["names.strategy=a=b"]):
        raise CompactHydraException("mismatched input '='")
    said = capsys.readouterr().err
    assert "\"names.strategy='a=b'\"" in said
    assert "mismatched" not in said


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            CompactHydraException(
                "Ambiguous value for argument 'strategy=l2,kl'\n1. To use it as ..."
            ),
            "Error: strategy=l2,kl has several values. For a run of each, add -m\n",
        ),
        (
            CompactHydraException(
                "Ambiguous value for argument 'budget.query=5,10'\n1. To use it ..."
            ),
            "Error: budget.query=5,10 has several values. For a run of each, add -m. For one list, "
            "write it in brackets: budget.query=[5,10]\n",
        ),
        (
            CompactHydraException(
                "Ambiguous value for argument 'output_root=a,b'\n1. To use it ..."
            ),
            "Error: output_root=a,b has several values. For a run of each, add -m. For one path, write "
            "it in quotes: \"output_root='a,b'\"\n",
        ),
        (
            YAMLError("in mine.yaml, line 1: a duplicate key"),
            "Error: in mine.yaml, line 1: a duplicate key\n",
        ),
    ],
)
def test_errors_of_hydra_and_yaml_become_advice(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    error: Exception,
    said: str,
) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with pytest.raises(SystemExit), shown_errors([]):
        raise error
    assert capsys.readouterr().err == said


def test_the_variable_for_full_errors_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    with pytest.raises(JobError), shown_errors([]):
        raise JobError("Error")
    assert os.environ["HYDRA_FULL_ERROR"] == "1"


@pytest.mark.skipif(os.name == "nt", reason="Windows has no pipes of this kind")
@pytest.mark.parametrize("flags", [(), ("-m",)])
def test_a_run_whose_output_is_read_no_further_is_no_failure(
    tmp_path: Path, flags: tuple[str, ...]
) -> None:
    reading, writing = os.pipe()
    os.close(reading)  # as if `head` had read enough
    result = fork(tmp_path, *flags, *QUICK, output=writing)
    os.close(writing)
    assert result.returncode == 141
    assert "the output was closed" in result.stderr
    for word in ("failed", "Traceback", "Exception ignored"):
        assert word not in result.stderr


def test_what_hydra_refuses_in_a_sweep_is_one_message(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with pytest.raises(SystemExit), shown_errors(["-m"]):
        raise HydraException("BasicSweeper does not support sweep type : X")
    assert capsys.readouterr().err == "BasicSweeper does not support sweep type : X\n"


def test_an_error_of_a_folder_is_one_message_and_one_of_the_program_is_not(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("HYDRA_FULL_ERROR", raising=False)
    with pytest.raises(SystemExit), shown_errors([]):
        raise NotADirectoryError(20, "Not a directory", "outputs/digits")
    assert capsys.readouterr().err == "Error: [Errno 20] Not a directory: 'outputs/digits'\n"
    for error in (ValueError("of ours"), RecursionError("of ours")):
        with pytest.raises(type(error), match="of ours"), shown_errors([]):
            raise error


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to"), True),
        (RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate"), True),
        (torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"), True),
        (MemoryError(), True),
        (RuntimeError("mat1 and mat2 shapes cannot be multiplied"), False),
    ],
)
def test_memory_that_has_run_out(error: Exception, expected: bool) -> None:
    assert is_out_of_memory(error) == expected
