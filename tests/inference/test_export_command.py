import subprocess
import sys
from pathlib import Path

import pytest
import torch

from al_lightning.inference import exports
from al_lightning.inference.export_command import main
from tests.inference.trained_runs import write_journal, write_trained


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    return str(write_trained(tmp_path / "run"))


def test_one_line_says_what_was_written(run: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([run, "--format", "pt2"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("model.pt2: images of 1x8x8 to 3 classes; its probabilities on")
    assert "differ from the run's by at most" in printed.out
    assert torch.export.load("model.pt2").module()(torch.rand(3, 1, 8, 8)).shape == (3, 3)


def test_onnx_is_the_default(
    run: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(exports, "find_spec", lambda name: None if "runtime" in name else object())
    monkeypatch.setattr(exports, "_write_onnx", lambda *given: given[-1].write_bytes(b"graph"))
    assert main([run]) == 0
    assert "not checked, since onnxruntime is not installed" in capsys.readouterr().out
    assert Path("model.onnx").read_bytes() == b"graph"


def test_another_place(run: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exports, "export_run", lambda run, path, kind: path.write_text(kind) * 0.0)
    assert main([run, "--format", "pt2", "--output", "digits.bin"]) == 0
    assert Path("digits.bin").read_text() == "pt2"


def test_an_error_of_usage_is_one_message_and_a_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_journal(tmp_path, rounds=0)
    assert main([str(tmp_path), "--format", "pt2"]) == 1
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err.startswith(f"Error: {tmp_path} has not fitted its classifier yet")


def test_an_interrupted_export_writes_nothing(
    run: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(exports, "_write_pt2", interrupt)
    assert main([run, "--format", "pt2"]) == 130
    assert capsys.readouterr().err == "Interrupted. Nothing was written.\n"
    assert [path.name for path in Path.cwd().iterdir()] == ["run"]


def test_help_answers_without_what_is_heavy() -> None:
    code = (
        f"import sys; from {main.__module__} import _parser as p; p().format_help(); "
        "sys.exit(bool({'torch', 'hydra', 'onnx', 'numpy'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
