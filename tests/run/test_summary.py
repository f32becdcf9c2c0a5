from pathlib import Path

import pytest
import torch

from al_lightning.run.image_change import ImageChange
from al_lightning.run.journal import Journal
from al_lightning.run.summary import summarize, validation_score
from al_lightning.utils.intervals import wilson_interval
from tests.helpers import round_event, start_event

NAMES = {"dataset": "digits", "model": "cnn", "strategy": "margin", "seed": 3}


def run_of(path: Path, *rounds: tuple[int, float], finished: bool = True) -> Journal:
    """A run with so many labels, and that accuracy, round by round."""
    journal = Journal(path / "journal.jsonl")
    journal.begin(start_event(train=100))
    bought = 0
    for index, (labels, accuracy) in enumerate(rounds):
        ids = torch.arange(bought, labels)
        origin = "query" if index else "initial"
        journal.record_labels(index, ids, torch.zeros_like(ids), origin)  # type: ignore[arg-type]
        journal.record_round(round_event(index, labels, accuracy))
        bought = labels
    if finished:
        journal.end("budget")
    return journal


def test_summary_says_what_the_journal_says(tmp_path: Path) -> None:
    journal = run_of(tmp_path, (10, 0.5), (20, 0.7), (50, 0.9))
    seconds = {"fit": 1.0, "test": 0.5, "score": 0.25, "select": 0.125}
    assert summarize(journal, NAMES) == {
        **NAMES,
        "trainable_parameters": 123,
        "test_images": 30,
        "validation_labels": 0,
        "corrections": 0,
        "to_review": 0,
        "rounds": [
            {
                "round": index,
                "labels_bought": labels,
                "accuracy": accuracy,
                "nll": 1.25,
                "accuracy_interval": pytest.approx(wilson_interval(accuracy, 30)),
                "seconds": seconds,
                "steps": 10,
            }
            for index, labels, accuracy in ((0, 10, 0.5), (1, 20, 0.7), (2, 50, 0.9))
        ],
        "aubc": pytest.approx((0.6 * 10 + 0.8 * 30) / 40),
        "validation_aubc": None,
        "aubc_from": 10,
        "aubc_to": 50,
        "seconds": pytest.approx(3 * 1.875),
        "finished": True,
    }


def test_the_accuracy_on_validation_labels_has_an_interval_of_its_own(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.begin(start_event(train=100))
    journal.record_labels(0, torch.arange(20), torch.zeros(20, dtype=torch.int64), "validation")
    journal.record_labels(0, torch.tensor([30, 31]), torch.tensor([0, 1]), "initial")
    measured = {"validation": {"accuracy": 0.6}, "metrics": {}}
    journal.record_round({**round_event(0, 22), **measured})
    summary = summarize(journal, NAMES)
    assert summary["validation_labels"] == 20
    (entry,) = summary["rounds"]
    assert "accuracy_interval" not in entry
    interval = pytest.approx([0.3866, 0.7812], abs=5e-5)
    assert entry["validation"] == {"accuracy": 0.6, "accuracy_interval": interval}


def project_of(tmp_path: Path) -> Journal:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.begin({"project": True, **start_event(train=100)})
    journal.record_labels(0, torch.tensor([30, 31]), torch.tensor([0, 1]), "initial")
    return journal


def test_an_interval_is_of_the_validation_labels_that_a_round_had(tmp_path: Path) -> None:
    journal, measured = project_of(tmp_path), {"validation": {"accuracy": 0.6}, "metrics": {}}
    journal.record_round({**round_event(0, 2), "metrics": {}})
    for index, ids in ((1, torch.arange(20)), (2, torch.arange(40, 60))):
        journal.record_labels(index, ids, torch.zeros_like(ids), "validation")
        journal.record_round({**round_event(index, 20 * index + 2), **measured})
    journal.record_images(ImageChange(size=100, test=30, gone=[0, 1, 2, 99]))
    journal.record_round({**round_event(3, 42), **measured})
    none, *rounds = summarize(journal, NAMES)["rounds"]
    assert "validation" not in none
    assert [entry["validation_labels"] for entry in rounds] == [20, 40, 37]
    for entry in rounds:
        interval = wilson_interval(0.6, entry["validation_labels"])
        assert entry["validation"]["accuracy_interval"] == pytest.approx(interval)


def test_a_label_that_is_confirmed_is_no_correction(tmp_path: Path) -> None:
    journal = project_of(tmp_path)
    journal.record_images(ImageChange(size=100, test=30, changed=[30, 31, 32]))
    summary = summarize(journal, NAMES)
    assert (summary["to_review"], summary["corrections"]) == (2, 0)
    journal.record_correction(torch.tensor([30, 31]), torch.tensor([0, 2]), "Ada")
    summary = summarize(journal, NAMES)
    assert (summary["to_review"], summary["corrections"]) == (0, 1)


@pytest.mark.parametrize(
    ("rounds", "expected"),
    [
        ([(10, 0.5), (20, 0.7), (50, 0.9)], (0.6 * 10 + 0.8 * 30) / 40),
        ([(10, 0.5)], 0.5),  # of a single round, its height
        ([], None),
    ],
)
def test_hyperparameters_are_chosen_by_the_area_on_validation_labels(
    rounds: list[tuple[int, float]], expected: float | None
) -> None:
    class Played:
        def __init__(self) -> None:
            events = [{"labels_bought": b, "validation": {"accuracy": a}} for b, a in rounds]
            self.rounds = [*events, {"labels_bought": 60}][: len(events) or 1]

    score = validation_score(Played())  # type: ignore[arg-type]
    assert score == (None if expected is None else pytest.approx(expected))


def test_a_single_round_has_no_area(tmp_path: Path) -> None:
    summary = summarize(run_of(tmp_path, (10, 0.5)), NAMES)
    assert summary["aubc"] is None
    assert (summary["aubc_from"], summary["aubc_to"]) == (10, 10)


def test_a_run_without_rounds_has_a_summary(tmp_path: Path) -> None:
    summary = summarize(run_of(tmp_path, finished=False), NAMES)
    assert (summary["rounds"], summary["seconds"], summary["finished"]) == ([], 0, False)
    assert [summary[key] for key in ("aubc", "aubc_from", "aubc_to")] == [None] * 3


def test_a_model_that_was_not_recorded_has_no_parameters(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    start = start_event()
    del start["model"]
    journal.begin(start)
    assert summarize(journal, NAMES)["trainable_parameters"] is None


def test_labels_bought_for_test_since_the_last_round_have_no_figures_yet(tmp_path: Path) -> None:
    journal = project_of(tmp_path)
    journal.record_round({**round_event(0, 2), "metrics": {}, "per_class": {}})
    journal.record_labels(1, torch.tensor([5, 6]), torch.tensor([0, 1]), "test")
    assert "test" not in summarize(journal, NAMES)


def test_a_run_without_test_images_has_a_summary(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.begin(start_event(train=100))
    journal.record_labels(0, torch.arange(5), torch.zeros(5, dtype=torch.int64), "initial")
    journal.record_round({**round_event(0, 5), "metrics": {}, "per_class": {}})
    summary = summarize(journal, NAMES)
    assert summary["aubc"] is None
    assert "accuracy" not in summary["rounds"][0]
