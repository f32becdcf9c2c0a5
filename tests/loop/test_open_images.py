"""An annotator who goes on with the rest of a batch while the next round is fitted."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from al_lightning import Answer, Budget, Journal, Oracle, Question
from tests.helpers import TinySource
from tests.loop.test_loop import comparable, make_loop

TRUTH = TinySource().load().train.labels
BUDGET = Budget(initial=9, query=6, total=21)


class InParts(Oracle):
    """Answers the first half of each question; the rest comes late, with the next answer.

    Args:
        journal: Whose answers are given once more; None decides anew.
    """

    answers_at_once = False

    def __init__(self, journal: Journal | None = None) -> None:
        events = () if journal is None else journal.events
        self.recorded = {e["round"]: e for e in events if e["event"] == "labels"}
        self.open: list[int] = []

    def answer(self, question: Question) -> Answer:
        ids = question.ids.tolist()
        if self.recorded:
            return replayed(question, self.recorded[question.round])
        late = [i for i in self.open if i not in ids]
        now, self.open = (ids, []) if question.origin != "query" else (ids[::2], ids[1::2])
        if late == [] and question.round > 0 and len(ids) <= 3:  # nothing else is asked
            now, self.open = ids, []
        taken, late_ids = torch.tensor(now), torch.tensor(late, dtype=torch.int64)
        return Answer(
            taken,
            TRUTH[taken],
            late_ids=late_ids,
            late_labels=TRUTH[late_ids],
            open_ids=torch.tensor(self.open, dtype=torch.int64),
        )


def test_what_an_annotator_still_has_is_not_asked_again_and_its_budget_is_set_aside(
    tmp_path: Path,
) -> None:
    oracle = InParts()
    journal = make_loop(tmp_path, oracle=oracle, budget=BUDGET).run()
    assert journal.finished
    assert journal.pool.labels_bought == 21
    assert len(set(journal.label_of)) == 21
    open_: set[int] = set()
    for event in journal.events:
        if event["event"] == "question":
            fresh = set(event["ids"]) - open_
            assert not open_ or fresh == set(event["ids"]) or set(event["ids"]) <= open_
        elif event["event"] == "labels":
            open_ = set(event.get("open", ()))
    assert not open_


def test_a_round_says_which_events_its_fit_has_trained_on(tmp_path: Path) -> None:
    journal = make_loop(tmp_path, oracle=InParts(), budget=BUDGET).run()
    for event in journal.rounds:
        before = journal.events[: event["events"]]
        assert journal.events[event["events"]] == event
        labels = sum(len(e["ids"]) for e in before if e["event"] == "labels")
        assert labels == event["labels_bought"]


def replayed(question: Question, event: dict[str, Any]) -> Answer:
    """Return the answer that a labels event has recorded."""
    given = dict(zip(event["ids"], event["labels"], strict=True))
    asked = question.ids.tolist()
    ids, late = [i for i in asked if i in given], [i for i in given if i not in asked]
    return Answer(
        torch.tensor(ids, dtype=torch.int64),
        torch.tensor([given[i] for i in ids], dtype=torch.int64),
        late_ids=torch.tensor(late, dtype=torch.int64),
        late_labels=torch.tensor([given[i] for i in late], dtype=torch.int64),
        open_ids=torch.tensor(event.get("open", []), dtype=torch.int64),
    )


def test_from_any_prefix_the_same_labels_give_the_same_fits_and_questions(tmp_path: Path) -> None:
    whole = make_loop(tmp_path / "whole", oracle=InParts(), budget=BUDGET).run()
    lines = whole.path.read_text().splitlines(keepends=True)
    for kept in range(2, len(lines), 4):
        folder = tmp_path / f"prefix_{kept}"
        folder.mkdir()
        (folder / "journal.jsonl").write_text("".join(lines[:kept]))
        again = make_loop(folder, oracle=InParts(whole), budget=BUDGET).run()
        assert comparable(again) == comparable(whole)  # metrics to the last bit, and all questions
        shutil.rmtree(folder)


@pytest.mark.parametrize("ids", [[0], [99], [3, 3]])
def test_images_that_cannot_be_open_are_damage(tmp_path: Path, ids: list[int]) -> None:
    whole = make_loop(tmp_path, oracle=InParts(), budget=BUDGET).run()
    event = next(e for e in whole.events if e["event"] == "labels" and "open" in e)
    labeled = next(e for e in whole.events if e["event"] == "labels")["ids"][0]
    wrong = [labeled if i == 0 else i for i in ids]
    text = whole.path.read_text()
    found = json.dumps(event["open"])
    assert found in text
    whole.path.write_text(text.replace(f'"open": {found}', f'"open": {wrong}'))
    with pytest.raises(Exception, match="damaged or edited"):
        Journal(whole.path)
