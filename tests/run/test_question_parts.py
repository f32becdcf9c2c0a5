from pathlib import Path

import pytest
import torch

from al_lightning import Journal, JournalError, Question
from al_lightning.run.question_parts import QuestionParts, parts_problem
from tests.helpers import round_event, start_event

PARTS = QuestionParts(("margin", "random", "random"), ("random",))


def asked(*ids: int, **options: object) -> Question:
    return Question(1, "query", torch.tensor(ids), **options)  # type: ignore[arg-type]


def journal_of(path: Path) -> Journal:
    journal = Journal(path)
    journal.begin(start_event())
    journal.record_labels(0, torch.tensor([1, 2]), torch.tensor([0, 1]), "initial")
    journal.record_round(round_event(0, 2))
    return journal


def test_a_question_and_its_labels_keep_their_parts(tmp_path: Path) -> None:
    journal = journal_of(tmp_path / "journal.jsonl")
    journal.record_question(asked(7, 4, 9, parts=PARTS))
    again = Journal(journal.path)
    question = again.open_question
    assert question is not None
    assert question.parts == PARTS
    ids = torch.tensor([9, 7])  # one was skipped
    again.record_labels(
        1, ids, torch.tensor([0, 0]), "query", torch.tensor([4]), parts=question.parts_of(ids)
    )
    found = Journal(journal.path).labels("query")[0]
    assert found["parts"] == ["random", "margin"]
    assert found["uniform"] == ["random"]
    assert Journal(journal.path).uniform_ids.tolist() == [9]


def test_without_parts_events_are_as_ever(tmp_path: Path) -> None:
    journal = journal_of(tmp_path / "journal.jsonl")
    journal.record_question(asked(7, 4))
    assert "parts" not in journal.events[-1]
    ids = torch.tensor([7])
    journal.record_labels(1, ids, ids * 0, "query", parts=asked(7, 4).parts_of(ids))
    assert "parts" not in journal.events[-1]
    assert journal.uniform_ids.tolist() == []


def test_images_of_earlier_questions_keep_the_part_they_had() -> None:
    first = asked(7, 4, 9, parts=PARTS)
    second = asked(5, parts=QuestionParts(("margin",)), earlier=(asked(30), first))
    found = second.parts_of(torch.tensor([4, 5, 30]))
    assert found == QuestionParts(("random", "margin", ""), ("random",))


@pytest.mark.parametrize(
    ("event", "message"),
    [
        ({"parts": ["a"]}, "2 ids, but 1 parts"),
        ({"parts": ["a", 3]}, "must be names"),
        ({"uniform": ["a"]}, "there are none"),
    ],
)
def test_what_does_not_name_a_part_of_each_image_is_a_problem(
    event: dict[str, list[str]], message: str, tmp_path: Path
) -> None:
    assert message in str(parts_problem(event, [1, 2]))
    journal = journal_of(tmp_path / "journal.jsonl")
    bad = QuestionParts(("a",))
    with pytest.raises(JournalError, match="2 ids, but 1 parts"):
        journal.record_question(asked(7, 4, parts=bad))
