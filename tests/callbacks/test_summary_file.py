import json
from pathlib import Path
from typing import Any

import pytest

from al_lightning.callbacks import summary_file as summary
from al_lightning.callbacks.summary_file import SummaryFile
from al_lightning.run.advice.settings import AdviceSettings
from al_lightning.run.summary import summarize
from tests.run.test_summary import NAMES, run_of


def test_the_file_is_the_summary(tmp_path: Path) -> None:
    journal = run_of(tmp_path, (10, 0.5), (20, 0.7))
    SummaryFile(tmp_path / "summary.json", NAMES).on_run_end(journal)
    read: dict[str, Any] = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert read == summarize(journal, NAMES)


def test_a_file_that_says_the_same_is_not_touched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal, path = run_of(tmp_path, (10, 0.5)), tmp_path / "summary.json"
    SummaryFile(path, NAMES).on_run_end(journal)
    with monkeypatch.context() as patch:
        patch.setattr(summary, "write_whole", lambda *_: pytest.fail("written again"))
        SummaryFile(path, NAMES).on_run_end(journal)
        with pytest.raises(pytest.fail.Exception, match="written again"):
            SummaryFile(path, {**NAMES, "seed": 4}).on_run_end(journal)


def test_a_file_that_says_something_else_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "summary.json"
    path.write_text("{}", encoding="utf-8")
    journal = run_of(tmp_path, (10, 0.5))
    SummaryFile(path, NAMES).on_run_end(journal)
    assert json.loads(path.read_text(encoding="utf-8")) == summarize(journal, NAMES)


def test_a_run_that_waits_has_a_summary_with_advice(tmp_path: Path) -> None:
    journal = run_of(tmp_path, (10, 0.5), (20, 0.7), finished=False)
    settings = AdviceSettings(target=0.6)
    SummaryFile(tmp_path / "summary.json", NAMES, settings).on_wait(journal, "label these")
    read = json.loads((tmp_path / "summary.json").read_text(encoding="utf-8"))
    assert read["finished"] is False
    assert read["advice"]["reached"] is True
    assert read["advice"]["agreements"] == [None, None]
    (sentence,) = read["advice"]["sentences"]
    assert "has reached the target of 60.0%" in sentence
    assert "(by the test images, thus used up)" in sentence
