import json
from pathlib import Path

import pytest

from tests.command_line import QUICK, Here, comparable, only_journal


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Here:
    return Here(monkeypatch, capfd)


def test_advice_is_printed_and_summed_up_and_changes_no_result(tmp_path: Path, here: Here) -> None:
    folders = [tmp_path / name for name in ("advised", "plain")]
    outputs = []
    for folder, choice in zip(folders, ("advice.images=50", "advice=null"), strict=True):
        folder.mkdir()
        outcome = here(folder, *QUICK, choice)
        assert outcome.returncode == 0, outcome.stderr
        outputs.append(outcome.stdout)
    advised, plain = (only_journal(folder) for folder in folders)
    assert outputs[0].count("of 50 pool images changed since the last round") == 2
    assert "pool images" not in outputs[1]
    summary = json.loads((advised.parent / "summary.json").read_text())
    assert len(summary["advice"]["sentences"]) >= 2
    assert "advice" not in json.loads((plain.parent / "summary.json").read_text())
    assert not (plain.parent / "agreement").exists()
    assert [advised.parent.name] == [plain.parent.name]  # a run's folder does not depend on it
    start, *events = comparable(advised)
    other_start, *others = comparable(plain)
    assert events == others
    assert start["config_hash"] == other_start["config_hash"]


@pytest.mark.parametrize("wrong", ["advice.target=95", "advice.images=-1", "advice.kappa=2"])
def test_wrong_settings_are_refused_before_anything_is_begun(
    tmp_path: Path, here: Here, wrong: str
) -> None:
    outcome = here(tmp_path, *QUICK, wrong)
    assert outcome.returncode != 0
    assert f"{wrong.partition('=')[0]} must be" in outcome.stderr + outcome.stdout
    assert not [*tmp_path.glob("outputs/**/journal.jsonl")]


def test_advice_that_is_no_group_of_settings_is_refused(tmp_path: Path, here: Here) -> None:
    outcome = here(tmp_path, *QUICK, "advice=false")
    assert outcome.returncode != 0
    assert "advice=null" in outcome.stderr + outcome.stdout
