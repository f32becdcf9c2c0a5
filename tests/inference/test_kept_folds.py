from pathlib import Path

import pytest
import torch

from al_lightning import Journal, OutOfFold
from al_lightning.inference.kept_folds import folds_of, kept_calibration, kept_folds
from al_lightning.inference.present_pool import present
from tests.helpers import start_event
from tests.inference.trained_runs import CALIBRATION, write_journal

FOUND = OutOfFold(
    torch.tensor([0, 1]),
    torch.tensor([0, 1]),
    torch.tensor([0, 1]),
    torch.tensor([[2.0, 0.0, 1.0], [0.0, 1.0, -1.0]]),
)


def fail() -> OutOfFold:
    raise AssertionError("computed again")


def same(one: OutOfFold | None, other: OutOfFold) -> bool:
    return one is not None and all(
        torch.equal(getattr(one, name), getattr(other, name)) for name in vars(other)
    )


def test_they_are_computed_once(tmp_path: Path) -> None:
    journal = write_journal(tmp_path)
    assert kept_folds(journal, "a fit", journal.pool) is None
    assert same(folds_of(journal, "a fit", journal.pool, "d1", lambda: FOUND), FOUND)
    assert same(folds_of(journal, "a fit", journal.pool, "d1", fail), FOUND)
    assert same(kept_folds(Journal(tmp_path / "journal.jsonl"), "a fit", journal.pool), FOUND)
    assert kept_folds(journal, "another fit", journal.pool) is None


def test_corrected_labels_need_others(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.begin({"project": True, **start_event()})
    journal.record_labels(0, torch.tensor([0, 1]), torch.tensor([0, 1]), "initial")
    folds_of(journal, "a fit", journal.pool, "d1", lambda: FOUND)
    journal.record_correction(torch.tensor([1]), torch.tensor([2]), "Ada")
    assert kept_folds(journal, "a fit", journal.pool) is None


def test_other_images_and_images_that_have_gone_need_others(tmp_path: Path) -> None:
    journal = write_journal(tmp_path)
    folds_of(journal, "a fit", journal.pool, "d1", lambda: FOUND)
    assert kept_folds(journal, "a fit", journal.pool, "d1") is not None
    assert kept_folds(journal, "a fit", journal.pool, "d2") is None
    without = present(journal.pool, journal.pool.labeled_ids[:1].tolist())
    assert kept_folds(journal, "a fit", without, "d1") is None


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 torn"])
def test_a_damaged_file_is_warned_of_and_made_again(tmp_path: Path, content: bytes) -> None:
    journal = write_journal(tmp_path)
    (tmp_path / "out_of_fold.npz").write_bytes(content)
    with pytest.warns(UserWarning, match=r"out_of_fold\.npz cannot be used, and is made again"):
        assert same(folds_of(journal, "a fit", journal.pool, "d1", lambda: FOUND), FOUND)
    assert same(kept_folds(journal, "a fit", journal.pool), FOUND)


def test_where_they_cannot_be_kept_they_are_computed_all_the_same(tmp_path: Path) -> None:
    journal = write_journal(tmp_path)
    (tmp_path / "out_of_fold.npz").mkdir()  # root may write into a read-only folder
    with pytest.warns(UserWarning, match="Out-of-fold predictions are not kept"):
        assert same(folds_of(journal, "a fit", journal.pool, "d1", lambda: FOUND), FOUND)


def test_validation_labels_come_first(tmp_path: Path) -> None:
    journal = write_journal(tmp_path, calibration=CALIBRATION)
    folds_of(journal, "somewhere", journal.pool, "d1", lambda: FOUND)
    found = kept_calibration(journal, "somewhere")
    assert found is not None
    assert found.as_event() == CALIBRATION


def test_weights_of_another_fit_have_no_calibration(tmp_path: Path) -> None:
    assert kept_calibration(write_journal(tmp_path, calibration=CALIBRATION), "newer") is None


def test_without_validation_labels_kept_predictions_count(tmp_path: Path) -> None:
    journal = write_journal(tmp_path)
    assert kept_calibration(journal, "somewhere") is None
    folds_of(journal, "somewhere", journal.pool, "d1", lambda: FOUND)
    assert kept_calibration(journal, "somewhere") == FOUND.calibration()
