"""How a project continues under another configuration."""

from pathlib import Path
from typing import Any

from al_lightning.run.journal import Journal
from al_lightning.run.project import Setting, changed_settings, continued
from tests.helpers import start_event

CONFIG: dict[str, Any] = {"budget": {"total": 9}, "strategy": "margin", "seed": 0, "threads": 1}


def project(path: Path) -> Journal:
    journal = Journal(path / "journal.jsonl")
    journal.begin({"project": True, **start_event(config=CONFIG), "model": {"weights": "old"}})
    return journal


def test_open_keys_that_differ_are_settings(tmp_path: Path) -> None:
    now = {**CONFIG, "budget": {"total": 20, "query": 5}, "strategy": None, "seed": 3, "threads": 2}
    found = changed_settings(project(tmp_path), now, ["budget.query"])
    assert found == [Setting("budget.total", 9, 20), Setting("strategy", "margin", None)]


def test_a_recorded_setting_is_no_longer_a_change(tmp_path: Path) -> None:
    journal, now = project(tmp_path), {**CONFIG, "budget": {"total": 20}}
    for setting in changed_settings(journal, now, []):
        journal.record_setting(setting.key, setting.after)
    assert changed_settings(journal, now, []) == []
    assert changed_settings(Journal(journal.path), now, []) == []


def test_later_fits_are_identified_by_what_the_project_has_now(tmp_path: Path) -> None:
    journal = project(tmp_path)
    journal.record_setting("budget.total", 20)
    now = {**start_event(config={}), "versions": {"torch": "new"}, "model": {"weights": "new"}}
    found = continued(journal, now)
    assert found["config"] == {**CONFIG, "budget": {"total": 20}}
    assert found["model"] == {"weights": "new"}
    assert found["versions"] == start_event()["versions"]


def test_a_run_is_identified_by_its_start(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.begin(start_event(config=CONFIG))
    assert continued(journal, {"model": {"weights": "new"}}) == journal.start
