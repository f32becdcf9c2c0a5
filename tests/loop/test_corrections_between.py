"""What annotators correct apart from questions, and the end of what an oracle holds."""

from pathlib import Path

import pytest
import torch

from al_lightning import Answer, Oracle, Pool, Question, UsageError
from tests.helpers import TinySource
from tests.loop.test_loop import make_loop

TRUTH = TinySource().load().train.labels


class Revises(Oracle):
    """Answers with the truth, and changes some labels later."""

    def __init__(self) -> None:
        self.changed: dict[int, int] = {}
        self.new_classes: tuple[str, ...] = ()
        self.closed = 0

    def answer(self, question: Question) -> Answer:
        return Answer(question.ids, TRUTH[question.ids], by="Bob")

    def corrections(self, pool: Pool) -> Answer | None:
        nothing, known = torch.empty(0, dtype=torch.int64), pool.label_of
        new = {i: label for i, label in self.changed.items() if known.get(i, label) != label}
        if not new and not self.new_classes:
            return None
        ids, labels = torch.tensor([*new], dtype=torch.int64), torch.tensor([*new.values()])
        classes, self.new_classes = self.new_classes, ()
        return Answer(
            nothing, nothing, late_ids=ids, late_labels=labels, by="Ada", new_classes=classes
        )

    def close(self) -> None:
        self.closed += 1


def test_a_correction_after_the_end_is_recorded_and_fitted(tmp_path: Path) -> None:
    oracle = Revises()
    journal = make_loop(tmp_path, oracle=oracle, project=True).run()
    assert (journal.finished, len(journal.rounds), oracle.closed) == (True, 3, 1)
    (image, *_) = journal.label_of
    oracle.changed = {image: (journal.label_of[image] + 1) % 3}
    journal = make_loop(tmp_path, oracle=oracle, project=True).run()
    assert journal.label_of[image] == oracle.changed[image]
    (correction,) = journal.corrections()
    assert correction["by"] == "Ada"
    assert (len(journal.rounds), journal.rounds[-1]["because"]) == (4, ["corrections"])
    assert (journal.finished, oracle.closed) == (True, 2)


def test_without_a_project_corrections_are_warned_of(tmp_path: Path) -> None:
    oracle = Revises()
    journal = make_loop(tmp_path, oracle=oracle).run()
    (image, *_) = journal.label_of
    oracle.changed = {image: (journal.label_of[image] + 1) % 3}
    with pytest.warns(UserWarning, match="The first label is kept"):
        journal = make_loop(tmp_path, oracle=oracle).run()
    assert journal.corrections() == []


@pytest.mark.parametrize("project", [True, False])
def test_a_label_that_is_taken_back_is_named_and_stays(tmp_path: Path, project: bool) -> None:
    oracle = Revises()
    before = make_loop(tmp_path, oracle=oracle, project=project).run()
    (image, *_) = before.label_of
    nothing, taken_back = torch.empty(0, dtype=torch.int64), torch.tensor([image])
    said = Answer(nothing, nothing, late_skipped=taken_back, emptied_ids=taken_back)
    oracle.corrections = lambda pool: said  # type: ignore[method-assign]
    with pytest.warns(UserWarning, match=rf"1 image\(s\) have a label.*ids \[{image}\]"):
        journal = make_loop(tmp_path, oracle=oracle, project=project).run()
    assert journal.events == before.events


def test_an_oracle_is_closed_where_a_run_fails(tmp_path: Path) -> None:
    oracle = Revises()
    oracle.answer = lambda question: Answer(question.ids, TRUTH)  # type: ignore[method-assign]
    with pytest.raises(UsageError, match="one label an image"):
        make_loop(tmp_path, oracle=oracle).run()
    assert oracle.closed == 1
