"""Questions whose images need no label any more: gone, labeled elsewhere, or beyond the budget."""

import csv
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from al_lightning import ActiveLearningLoop, Answer, Budget, Journal, Question
from al_lightning.oracles import CsvOracle
from al_lightning.run.questions import IMPORTED
from tests.data.project.living import Living
from tests.loop.test_project_changes import BUDGET, CLASSES, ByShade, kinds, loop_in, project


class Patient(ByShade):
    """Labels nothing at first; then only what there is to label."""

    def __init__(self, loop: ActiveLearningLoop, ready: bool = True) -> None:
        super().__init__(loop.learner.data)
        self.ready = ready

    def answer(self, question: Question) -> Answer | None:  # type: ignore[override]
        assert len(question.left_ids), "asked for nothing"
        return super().answer(question) if self.ready else None


def asked(living: Living, origin: str) -> list[str]:
    """Run until the first question of an origin waits; return the files of its images."""
    loop = loop_in(living)
    loop.oracle = oracle = Patient(loop)
    while loop.question is None or loop.question.origin != origin:
        assert loop.step()
    oracle.ready = False
    loop.run()
    assert loop.question is not None
    files = loop.learner.data.train.files
    assert files is not None
    return [files[i] for i in loop.question.ids.tolist()]


def go_on(living: Living) -> Journal:
    loop = loop_in(living)
    loop.oracle = Patient(loop)
    return loop.run()


@pytest.mark.parametrize("origin", ["validation", "query"])
def test_a_question_whose_images_have_all_gone_is_followed_by_another(
    tmp_path: Path, origin: str
) -> None:
    living = project(tmp_path)
    living.remove(*asked(living, origin))
    begun, due = len(living.journal.events), living.journal.open_question
    assert due is not None
    journal = go_on(living)
    assert kinds(journal)[begun : begun + 4] == ["images", "labels", "question", "labels"]
    closed, again = journal.events[begun + 1 : begun + 3]
    assert (closed["ids"], closed["labels"], closed["origin"]) == ([], [], origin)
    assert again["origin"] == origin
    assert len(again["ids"]) == len(due.ids)
    assert not {*again["ids"]} & {*due.ids.tolist()}
    assert journal.finished


def test_what_is_left_of_a_question_is_asked_for(tmp_path: Path) -> None:
    living = project(tmp_path)
    gone, *_ = asked(living, "query")
    living.remove(gone)
    loop_in(living)._begin()
    journal = living.journal
    question = journal.open_question
    assert question is not None
    assert question.left_ids.tolist() == question.ids[1:].tolist()
    journal.record_labels(question.round, question.ids[1:2], torch.tensor([0]), IMPORTED)
    question = journal.open_question
    assert question is not None
    assert question.left_ids.tolist() == question.ids[2:].tolist()
    oracle = CsvOracle(loop_in(living).learner.data, tmp_path)
    assert oracle.answer(question) is None
    assert f"{len(question.ids) - 2} images need a label" in oracle.instructions(question)
    assert (tmp_path / f"{question.name}.csv").read_text().count("\n") == 1 + len(question.ids) - 2


def test_a_label_of_an_image_that_has_gone_closes_its_question(tmp_path: Path) -> None:
    living = project(tmp_path)
    gone, *_ = asked(living, "query")
    living.remove(gone)
    loop = loop_in(living)
    question = living.journal.open_question
    assert question is not None
    loop.answer([0], question.ids[:1])
    assert loop.journal.events[-1]["ids"] == []
    assert loop.question is None
    assert loop.step()


def by_sheet(living: Living, budget: Budget = BUDGET) -> ActiveLearningLoop:
    loop = loop_in(living, budget)
    loop.oracle = CsvOracle(loop.learner.data, living.run / "queries")
    return loop


def fill_in(living: Living, count: int) -> None:
    """Fill in the first rows of the sheet of the open question."""
    question = living.journal.open_question
    assert question is not None
    sheet = living.run / "queries" / f"{question.name}.csv"
    with sheet.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for row in rows[:count]:
        row["label"] = CLASSES[int(Path(row["file"]).stem) % 2]
    with sheet.open("w", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)


def asked_by_sheet(living: Living, budget: Budget = BUDGET) -> Journal:
    """Run until the first query waits; six labels came with the images."""
    by_sheet(living, budget).run()
    while (question := living.journal.open_question) is not None and question.origin != "query":
        fill_in(living, len(question.left_ids))
        by_sheet(living, budget).run()
    return living.journal


NO_VALIDATION = Budget(initial=4, query=4, total=20)


def test_a_project_whose_total_is_lowered_to_what_is_bought_ends(tmp_path: Path) -> None:
    living = project(tmp_path)
    before = asked_by_sheet(living, NO_VALIDATION)
    assert (before.pool.labels_bought, len(before.rounds)) == (6, 1)
    with pytest.warns(
        UserWarning, match="4 images are asked for, and budget.total leaves 0: .* 0 la"
    ):
        journal = by_sheet(living, replace(NO_VALIDATION, total=6)).run()
    assert kinds(journal)[len(before.events) :] == ["setting", "labels", "end"]
    assert (journal.pool.labels_bought, journal.events[-1]["reason"]) == (6, "budget")
    journal = by_sheet(living, NO_VALIDATION).run()  # and goes on when the budget is raised
    assert journal.open_question is not None
    assert len(journal.open_question.ids) == 4


def test_what_a_sheet_has_is_kept_where_the_total_is_lowered(tmp_path: Path) -> None:
    living = project(tmp_path)
    asked_by_sheet(living, NO_VALIDATION)
    fill_in(living, 3)
    with pytest.warns(UserWarning, match="is closed with the 3 labels that it has"):
        journal = by_sheet(living, replace(NO_VALIDATION, total=6)).run()
    assert journal.finished
    assert journal.pool.labels_bought == journal.rounds[-1]["labels_bought"] == 9


def test_a_query_asks_for_what_a_lowered_total_leaves(tmp_path: Path) -> None:
    living = project(tmp_path)
    asked_by_sheet(living, NO_VALIDATION)
    with pytest.warns(UserWarning, match="4 images are asked for, and budget.total leaves 2"):
        journal = by_sheet(living, replace(NO_VALIDATION, total=8)).run()
    question = journal.open_question
    assert question is not None
    assert len(question.ids) == 2
    fill_in(living, 2)
    journal = by_sheet(living, replace(NO_VALIDATION, total=8)).run()
    assert journal.finished
    assert journal.pool.labels_bought == 8


@pytest.mark.parametrize("origin", ["validation", "test"])
def test_a_raised_budget_asks_for_what_a_lowered_total_leaves(tmp_path: Path, origin: str) -> None:
    living = project(tmp_path)
    asked_by_sheet(living, NO_VALIDATION)
    fill_in(living, 4)
    more: dict[str, Any] = {origin: 6}
    raised = replace(NO_VALIDATION, **more)
    with pytest.warns(UserWarning, match=f"6 more images for {origin}"):
        question = by_sheet(living, raised).run().open_question
    assert question is not None
    assert (question.origin, len(question.ids)) == (origin, 6)
    with pytest.warns(UserWarning, match="6 images are asked for, and budget.total leaves 2"):
        question = by_sheet(living, replace(raised, total=12)).run().open_question
    assert question is not None
    assert (question.origin, len(question.ids)) == (origin, 2)
