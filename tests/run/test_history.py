"""What the settings of a project say of its labels."""

from pathlib import Path

import torch
from torch import Tensor

from al_lightning import Journal
from tests.helpers import start_event


def ids(*values: int) -> Tensor:
    return torch.tensor(values)


def test_labels_of_another_oracle_and_imports_are_known_as_such(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    config = {"oracle": {"_target_": "Sheets", "skip_mark": "skip"}}
    journal.begin(start_event(project=True, config=config))
    journal.record_labels(0, ids(1, 2), ids(0, 1), "initial")
    assert journal.labeled_elsewhere() == set()
    journal.record_labels(0, ids(3), ids(0), "imported")
    journal.record_setting("oracle._target_", "Page")
    journal.record_setting("oracle.skip_mark", None)
    journal.record_labels(0, ids(4), ids(0), "initial")
    assert journal.labeled_elsewhere() == {1, 2, 3}
    journal.record_setting("oracle._target_", "Sheets")
    journal.record_setting("oracle.skip_mark", "none")
    assert journal.labeled_elsewhere() == {3, 4}
    assert journal.values_of("oracle.skip_mark") == ["skip", None, "none"]
    assert journal.skip_marks == ["skip", "none"]
    assert journal.values_of("oracle.keys") == [None]
