"""Questions whose images need no label any more: they have gone, or have one from elsewhere."""

from pathlib import Path

import pytest
import torch

from al_lightning import ActiveLearningLoop, Answer, Journal, Question
from al_lightning.oracles import CsvOracle
from al_lightning.run.questions import IMPORTED
from tests.data.project.living import Living
from tests.loop.test_project_changes import ByShade, kinds, loop_in, project


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
