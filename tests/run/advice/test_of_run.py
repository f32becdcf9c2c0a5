from pathlib import Path
from typing import Any

import pytest
import torch

from al_lightning.run.advice.of_run import advice_on, agreements_in, rounds_of_one_model
from al_lightning.run.advice.pool_predictions import PoolPredictions, predictions_file
from al_lightning.run.advice.settings import AdviceSettings
from al_lightning.run.class_change import ClassChange
from al_lightning.run.journal import Journal
from tests.helpers import CLASSES, round_event, start_event
from tests.run.test_summary import run_of

IDS = torch.arange(4)


def keep(folder: Path, index: int, *classes: int) -> None:
    """Write what a round predicts."""
    path = predictions_file(folder, index)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(PoolPredictions(IDS, torch.tensor(classes)).to_bytes())


def played(journal: Journal) -> tuple[list[int], list[int]]:
    """Return the numbers of the rounds of one model, and their labels."""
    rounds, trained = rounds_of_one_model(journal)
    return [event["round"] for event in rounds], trained


def test_each_round_is_compared_with_the_one_before_it(tmp_path: Path) -> None:
    journal = run_of(tmp_path, (10, 0.5), (20, 0.7), (50, 0.9))
    for index, classes in enumerate(((0, 0, 1, 1), (0, 1, 1, 1), (0, 1, 1, 1))):
        keep(tmp_path, index, *classes)
    first, *others = agreements_in(tmp_path, journal.rounds)
    assert first is None
    assert [each and each.kappa for each in others] == [0.5, 1.0]
    advice = advice_on(journal, tmp_path, AdviceSettings())
    assert advice is not None
    assert advice.agreement == others[-1]
    assert advice.accuracy is not None
    assert (advice.accuracy.value, advice.accuracy.images) == (0.9, 30)


def test_a_round_without_its_file_is_compared_with_none(tmp_path: Path) -> None:
    journal = run_of(tmp_path, (10, 0.5), (20, 0.7), (50, 0.9))
    keep(tmp_path, 0, 0, 0, 1, 1)
    keep(tmp_path, 2, 0, 0, 1, 1)
    assert agreements_in(tmp_path, journal.rounds) == [None, None, None]


def test_a_damaged_file_is_warned_of_and_stops_nothing(tmp_path: Path) -> None:
    journal = run_of(tmp_path, (10, 0.5), (20, 0.7))
    keep(tmp_path, 1, 0, 0, 1, 1)
    predictions_file(tmp_path, 0).write_bytes(b"half a fi")
    with pytest.warns(UserWarning, match=r"round_00\.npy holds no predictions"):
        assert agreements_in(tmp_path, journal.rounds) == [None, None]


def test_a_round_that_the_journal_does_not_have_yet_counts(tmp_path: Path) -> None:
    journal = run_of(tmp_path, (10, 0.5), finished=False)
    keep(tmp_path, 0, 0, 0, 1, 1)
    keep(tmp_path, 1, 0, 1, 1, 1)
    now = round_event(1, 20, 0.75), journal.pool
    advice = advice_on(journal, tmp_path, AdviceSettings(), now)
    assert advice is not None
    assert advice.agreement is not None
    assert advice.agreement.kappa == 0.5


def test_without_a_round_there_is_no_advice(tmp_path: Path) -> None:
    assert advice_on(run_of(tmp_path, finished=False), tmp_path, AdviceSettings()) is None


def test_another_model_begins_anew(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.begin(start_event(config={"seed": 0, "model": {"name": "a"}}, project=True))
    journal.record_labels(0, torch.arange(5), torch.zeros(5, dtype=torch.int64), "initial")
    journal.record_round(round_event(0, 5))
    journal.record_setting("strategy", "other")
    assert played(journal) == ([0], [5])
    journal.record_setting("model.name", "b")
    assert played(journal) == ([], [])
    assert advice_on(journal, tmp_path, AdviceSettings()) is None
    journal.record_round(round_event(1, 5))
    assert played(journal) == ([1], [5])


def test_labels_that_are_held_out_are_not_trained_on(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.begin(start_event())
    for origin, ids in (("validation", [1, 2]), ("test", [3]), ("initial", [4, 5, 6])):
        some = torch.tensor(ids)
        journal.record_labels(0, some, torch.zeros_like(some), origin)  # type: ignore[arg-type]
    journal.record_round(round_event(0, 6))
    assert played(journal) == ([0], [3])


@pytest.mark.parametrize(
    ("change", "anew"),
    [
        ({"added": ["x"], "renamed": {}, "merged": {}}, True),
        ({"added": [], "renamed": {CLASSES[0]: "x"}, "merged": {}}, False),
        ({"added": [], "renamed": {}, "merged": {CLASSES[0]: CLASSES[1]}}, True),
    ],
)
def test_other_classes_begin_anew_and_other_names_do_not(
    tmp_path: Path, change: dict[str, Any], anew: bool
) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.begin(start_event(project=True))
    journal.record_labels(0, torch.arange(5), torch.zeros(5, dtype=torch.int64), "initial")
    journal.record_round(round_event(0, 5))
    journal.record_classes(ClassChange.of(change))
    assert played(journal) == (([], []) if anew else ([0], [5]))
