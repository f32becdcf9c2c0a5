import pytest
import torch

from al_lightning.run.image_change import ImageChange
from al_lightning.run.journal import Journal
from al_lightning.run.label_rows import LabelRow, label_rows
from tests.helpers import round_event, start_event

NOW = "2026-11-29T23:16:05+00:00"


def test_every_labeled_corrected_or_skipped_image_has_a_row(
    tmp_path: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("al_lightning.run.journal.utc_now", lambda: NOW)
    journal = Journal(f"{tmp_path}/journal.jsonl")
    journal.begin({"project": True, **start_event()})
    journal.record_labels(0, torch.tensor([9]), torch.tensor([1]), "validation")
    journal.record_labels(0, torch.tensor([4, 2]), torch.tensor([0, 1]), "initial")
    journal.record_round(round_event(0, 3))
    pair = torch.tensor([7, 5]), torch.tensor([2, 0])
    journal.record_labels(1, *pair, "query", torch.tensor([8]), by=["Ada", "Ben"])
    journal.record_correction(torch.tensor([2]), torch.tensor([0]), "Cleo")
    journal.record_correction(torch.tensor([2, 7]), torch.tensor([2, 1]), ["Ada", "Dora"])
    assert label_rows(journal) == [
        LabelRow(9, 1, "validation", 0),
        LabelRow(4, 0, "initial", 0),
        LabelRow(2, 2, "initial", 0, "Ada", NOW, corrected=0),
        LabelRow(7, 1, "query", 1, "Dora", NOW, corrected=2),
        LabelRow(5, 0, "query", 1, "Ben", NOW),
        LabelRow(8, None, "query", 1, "", NOW),
    ]
    assert [row.id for row in label_rows(journal) if row.is_skipped] == [8]


def test_a_label_that_is_confirmed_keeps_what_it_was_before(tmp_path: object) -> None:
    journal = Journal(f"{tmp_path}/journal.jsonl")
    journal.begin({"project": True, **start_event()})
    journal.record_labels(0, torch.tensor([4, 2]), torch.tensor([0, 1]), "initial")
    journal.record_correction(torch.tensor([2]), torch.tensor([0]), "Cleo")
    journal.record_images(ImageChange(20, 0, changed=[4, 2]))
    journal.record_correction(torch.tensor([4, 2]), torch.tensor([0, 0]), "Ada")
    assert [(row.id, row.by, row.corrected) for row in label_rows(journal)] == [
        (4, "Ada", None),
        (2, "Ada", 1),
    ]
