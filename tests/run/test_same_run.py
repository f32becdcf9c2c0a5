import warnings
from pathlib import Path
from typing import Any

import pytest

from al_lightning.run.journal import Journal
from al_lightning.run.same_run import require_same_run
from al_lightning.utils.errors import JournalError
from tests.helpers import start_event

COMPUTED = {"trainer": {"device": "cpu", "precision": "32-true"}}


def begun(folder: Path) -> Journal:
    journal = Journal(folder / "journal.jsonl")
    journal.begin({**start_event(config={"seed": 0, "place": "here"}), **COMPUTED})
    return journal


def start(**changes: Any) -> dict[str, Any]:
    return {**start_event(config={"seed": 0, "place": "here"}), **COMPUTED, **changes}


def test_the_same_run_goes_on_without_a_word(tmp_path: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        require_same_run(begun(tmp_path), start(), ())


@pytest.mark.parametrize(
    ("change", "named"),
    [
        ({"config": {"seed": 1, "place": "here"}}, r"config\.seed: 0 -> 1"),
        ({"config": {"seed": 0, "place": "there"}}, r"config\.place: here -> there"),
        ({"classes": ["top", "middle"]}, "classes"),
        ({"data": {"train": 21, "test": 30, "fingerprint": "f"}}, r"data\.fingerprint"),
        ({"model": {"trainable_parameters": 7}}, r"model\.trainable_parameters: 123 -> 7"),
        ({"trainer": {"device": "cuda", "precision": "32-true"}}, r"trainer\.device: cpu -> cuda"),
    ],
)
def test_another_run_is_refused_naming_what_differs(
    tmp_path: Path, change: dict[str, Any], named: str
) -> None:
    with pytest.raises(JournalError, match=named):
        require_same_run(begun(tmp_path), start(**change), ())


def test_what_is_irrelevant_may_differ(tmp_path: Path) -> None:
    moved = start(config={"seed": 0, "place": "there"})
    require_same_run(begun(tmp_path), moved, ["place"])


def test_other_versions_are_warned_of(tmp_path: Path) -> None:
    with pytest.warns(UserWarning, match=r"torch: 2\.6\.0 -> 2\.7\.0"):
        require_same_run(begun(tmp_path), start(versions={"torch": "2.7.0"}), ())
