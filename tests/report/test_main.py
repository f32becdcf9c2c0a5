import subprocess
import sys
from pathlib import Path

import pytest

from al_lightning.report.__main__ import main
from al_lightning.report.figures import gallery
from tests.report.helpers import a_run, a_study, write_run, write_runs


@pytest.fixture(autouse=True)
def no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gallery, "to_png", lambda figure: b"pixels")
    monkeypatch.setattr(gallery, "to_svg", lambda figure: "<svg/>")


def test_the_verdict_the_problems_and_the_places_are_printed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_runs(tmp_path, a_study({"random": 0.0, "margin": 0.06}))
    write_run(tmp_path, a_run("margin", 0, start="elsewhere", folder="odd"))
    assert main([str(tmp_path), "--title", "Mine"]) == 0
    printed = capsys.readouterr()
    assert printed.out.startswith("On toys with the cnn, margin beats random")
    assert str(tmp_path / "report" / "report.html") in printed.out
    assert "odd is left out" in printed.err
    assert "<h1>Mine</h1>" in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")


def test_another_folder_for_the_report(tmp_path: Path) -> None:
    run = write_run(tmp_path, a_run())
    assert main([str(run), "--output", str(tmp_path / "elsewhere")]) == 0
    assert (tmp_path / "elsewhere" / "report.html").exists()
    assert not (run / "report").exists()


def test_an_error_of_usage_is_one_message_and_a_status(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path)]) == 1
    assert capsys.readouterr().err == f"Error: There is no run to report on in {tmp_path}\n"


def test_the_rules_of_the_journals_hold_where_none_are_given(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    planned = {"report": {"margin": 0.3, "difference": 1.0, "looks": [5]}}
    write_runs(tmp_path, a_study({"random": 0.0, "margin": 0.06}, seeds=4, config=planned))
    assert main([str(tmp_path)]) == 0
    said = capsys.readouterr().out
    assert "nothing is claimed: no strategy has more than 4 seeds in common" in said
    assert "Rules that are not the defaults: report.margin=0.3 and report.looks=[5]." in said
    assert main([str(tmp_path), "--looks", "4"]) == 0
    said = capsys.readouterr().out
    assert "margin beats random" in said
    assert "report.margin=0.3 and report.looks=[4]." in said
    assert main([str(tmp_path), "--looks", "4", "3"]) == 1
    assert "report.looks must be ascending" in capsys.readouterr().err


def test_help_answers_without_what_is_heavy() -> None:
    code = (
        "import sys; from al_lightning.report.__main__ import _parser; _parser().format_help(); "
        "sys.exit(bool({'torch', 'matplotlib', 'scipy'} & sys.modules.keys()))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_metric_that_cannot_be_computed_is_one_message(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_run(tmp_path, a_run())
    assert main([str(tmp_path), "--metric", "cohen_kapa"]) == 1
    assert "did you mean CohenKappa?" in capsys.readouterr().err
    assert main([str(tmp_path), "--metric", "cohen_kappa"]) == 1
    assert "round_00.npz is not there" in capsys.readouterr().err
    assert not (tmp_path / "report").exists()
