"""A project: the same folder under other settings, and labels that are corrected."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from al_lightning import ActiveLearningLoop, Budget, Journal, JournalError, plain_loop
from al_lightning.callbacks.loop_callback import LoopCallback
from al_lightning.loop.query import Query
from al_lightning.run.project import Setting
from al_lightning.strategies import Entropy, Margin
from al_lightning.training.learner import Learner
from al_lightning.utils.errors import OtherRunError
from tests.helpers import TinySource

BUDGET = Budget(initial=9, query=6, total=15)


class Seen(LoopCallback):
    def __init__(self) -> None:
        self.settings: list[str] = []
        self.corrected: list[dict[int, int]] = []

    def on_setting(self, setting: Setting) -> None:
        self.settings.append(str(setting))

    def on_correction(self, labels: Any) -> None:
        self.corrected.append(dict(labels))


def loop_in(
    folder: Path, budget: Budget = BUDGET, *, project: bool = True, **options: Any
) -> ActiveLearningLoop:
    """A loop on the tiny source; a project unless told otherwise."""
    strategy = options.pop("strategy", Margin())
    parts = plain_loop(TinySource(), strategy, folder, budget, epochs=1)
    learner: Learner = parts.learner
    learner.record = replace(learner.record, project=project, **options.pop("record", {}))
    return ActiveLearningLoop(
        learner,
        Query(strategy),
        parts.oracle,
        Journal(folder / "journal.jsonl"),
        budget,
        options.pop("callbacks", ()),
    )


def test_a_finished_project_continues_when_its_budget_is_raised(tmp_path: Path) -> None:
    assert loop_in(tmp_path).run().finished
    seen = Seen()
    more = replace(BUDGET, total=27)
    journal = loop_in(tmp_path, more, callbacks=[seen]).run()
    assert seen.settings == ["budget.total: 15 -> 27"]
    assert [event["labels_bought"] for event in journal.rounds] == [9, 15, 21, 27]
    kinds = [event["event"] for event in journal.events]
    assert kinds.count("end") == 2
    assert kinds[kinds.index("end") + 1] == "setting"
    whole = loop_in(tmp_path / "whole", more).run()
    assert [e["metrics"] for e in journal.rounds] == [e["metrics"] for e in whole.rounds]


def test_a_run_is_as_strict_as_before(tmp_path: Path) -> None:
    loop_in(tmp_path, project=False).run()
    with pytest.raises(OtherRunError, match=r"budget\.total: 15 -> 27"):
        loop_in(tmp_path, replace(BUDGET, total=27), project=False).run()
    with pytest.raises(OtherRunError, match="is a run, not a project"):
        loop_in(tmp_path).run()


def test_a_project_refuses_another_seed_and_other_images(tmp_path: Path) -> None:
    loop_in(tmp_path).run()
    other = loop_in(tmp_path)
    other.learner.record = replace(other.learner.record, config={"seed": 5})
    with pytest.raises(OtherRunError, match="seed"):
        other.run()
    with pytest.raises(OtherRunError, match="is a project, not a run"):
        loop_in(tmp_path, project=False).run()


def test_the_next_fit_trains_on_corrected_labels(tmp_path: Path) -> None:
    journal = loop_in(tmp_path).run()
    first = int(journal.pool.labeled_ids[0])
    wrong = (journal.label_of[first] + 1) % 3
    seen = Seen()
    loop = loop_in(tmp_path, callbacks=[seen])
    loop.correct({first: wrong}, by="Ada")
    journal = loop.run()
    assert seen.corrected == [{first: wrong}]
    assert [event["labels_bought"] for event in journal.rounds] == [9, 15, 15]
    assert journal.pool_in(1).labels[0] != wrong
    assert journal.pool_in(2).labels[0] == wrong
    assert journal.rounds[1]["fit"] != journal.rounds[2]["fit"]
    assert journal.corrections()[0]["by"] == "Ada"
    assert loop_in(tmp_path).run().finished  # nothing is left to do


def test_a_project_killed_after_a_correction_ends_the_same(tmp_path: Path) -> None:
    def corrected(folder: Path, *, killed: bool) -> Journal:
        loop_in(folder).run()
        loop = loop_in(folder)
        loop.correct({int(loop.journal.pool.labeled_ids[0]): 2}, by="Ada")
        if killed:  # the process ends right after the correction is on the disk
            loop = loop_in(folder)
        return loop.run()

    whole, cut = corrected(tmp_path / "a", killed=False), corrected(tmp_path / "b", killed=True)
    assert [e["metrics"] for e in whole.rounds] == [e["metrics"] for e in cut.rounds]
    assert torch.equal(whole.pool.labels, cut.pool.labels)


def test_a_label_that_is_right_already_is_no_correction(tmp_path: Path) -> None:
    journal = loop_in(tmp_path).run()
    events = len(journal.events)
    loop = loop_in(tmp_path)
    loop.correct(dict(journal.label_of))
    assert len(loop.run().events) == events


def test_impossible_corrections_change_nothing(tmp_path: Path) -> None:
    journal = loop_in(tmp_path).run()
    unlabeled = int(journal.pool.unlabeled_ids[0])
    content = journal.path.read_bytes()
    with pytest.raises(JournalError, match=rf"Not labeled: ids \[{unlabeled}\]"):
        loop_in(tmp_path).correct({unlabeled: 0})
    with pytest.raises(JournalError, match="from 0 to 2"):
        loop_in(tmp_path).correct({int(journal.pool.labeled_ids[0]): 3})
    assert journal.path.read_bytes() == content


def test_a_run_takes_no_correction(tmp_path: Path) -> None:
    journal = loop_in(tmp_path, project=False).run()
    label = journal.label_of[int(journal.pool.labeled_ids[0])]
    with pytest.raises(JournalError, match="possible only in a project"):
        loop_in(tmp_path, project=False).correct(
            {int(journal.pool.labeled_ids[0]): (label + 1) % 3}
        )


def test_another_strategy_continues_from_the_next_query(tmp_path: Path) -> None:
    loop_in(tmp_path).run()
    seen = Seen()
    more = replace(BUDGET, total=21)
    journal = loop_in(tmp_path, more, strategy=Entropy(), callbacks=[seen]).run()
    assert "strategy" in " ".join(seen.settings)
    assert journal.rounds[-1]["labels_bought"] == 21
