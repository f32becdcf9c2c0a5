from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from al_lightning import Answer, Oracle, Question, SimulatedOracle, UsageError
from al_lightning.oracles.answers import (
    checked_answer,
    require_oracle,
    warn_of_taken_back,
    whole_numbers,
)
from tests.helpers import TinySource
from tests.loop.test_loop import make_loop

TRUTH = TinySource().load().train.labels
BEFORE = Question(0, "initial", torch.tensor([1, 2]))
ASKED = Question(1, "query", torch.tensor([7, 4, 9]), earlier=(BEFORE,))


class AtOnce(Oracle):
    answers_at_once = True

    def __init__(self, decide: Callable[[Question], Any]) -> None:
        self.decide = decide

    def answer(self, question: Question) -> Answer | None:
        answer: Answer | None = self.decide(question)
        return answer


class InItsTime(AtOnce):
    answers_at_once = False


def check(answer: object) -> Answer | None:
    return checked_answer(InItsTime(lambda _: None), ASKED, answer, num_classes=3)


def values(answer: Answer | None) -> list[list[int]]:
    assert answer is not None
    fields = (answer.ids, answer.labels, answer.skipped, answer.late_ids, answer.late_labels)
    assert all(field.dtype == torch.int64 for field in fields)
    return [field.tolist() for field in fields]


@pytest.mark.parametrize("convert", [list, np.array, torch.tensor])
def test_whole_numbers_in_any_form_are_taken_as_they_are_meant(convert: Any) -> None:
    given = [convert(values) for values in ([4, 7], [0, 2], [9], [2], [1])]
    assert values(check(Answer(*given))) == [[4, 7], [0, 2], [9], [2], [1]]


@pytest.mark.parametrize("by", ["Ada", {7: "Ada", 4: "Ben"}])
def test_annotators_are_kept(by: Any) -> None:
    answer = check(Answer(IDS, LABELS, by=by))
    assert answer is not None
    assert answer.by == by


@pytest.mark.parametrize("by", [None, 3, {7: None}, ["Ada"]])
def test_annotators_must_have_names(by: Any) -> None:
    with pytest.raises(UsageError, match="InItsTime has answered with by="):
        check(Answer(IDS, LABELS, by=by))


def test_other_types_of_whole_numbers_become_int64() -> None:
    small = torch.tensor([4, 7], dtype=torch.int32), np.array([0, 2], dtype=np.uint8)
    assert values(check(Answer(*small)))[:2] == [[4, 7], [0, 2]]  # type: ignore[arg-type]
    assert whole_numbers("they", []).dtype == torch.int64


IDS = torch.tensor([7, 4])
LABELS = torch.tensor([0, 2])


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            Answer(torch.tensor([7, 5]), LABELS),
            r"not in this question: ids has ids \[5\]",
        ),
        (Answer(IDS, LABELS, torch.tensor([0])), r"in this question: skipped has ids \[0\]"),
        (
            Answer(IDS, LABELS, late_ids=IDS, late_labels=LABELS),
            r"earlier question: late_ids has ids \[7, 4\]",
        ),
        (Answer(IDS, LABELS, late_skipped=torch.tensor([9])), r"late_skipped has ids \[9\]"),
        (Answer(IDS, LABELS, late_ids=torch.tensor([1])), "1 images, but 0 late_labels"),
        (Answer(IDS, LABELS[:1]), "2 images, but 1 labels"),
        (
            Answer(IDS, torch.tensor([0, 3])),
            r"from 0 to 3 instead of from 0 to 2, at ids \[4\]",
        ),
        (Answer(IDS, torch.tensor([-1, 0])), r"from -1 to 0 instead .* ids \[7\]"),
        (Answer(IDS, LABELS.float()), r"whole numbers, \(M,\) int64, not \(2,\) torch.float32"),
        (Answer(IDS, LABELS > 0), "not .* torch.bool"),
        (Answer(IDS, torch.eye(3)[LABELS].long()), r"not \(2, 3\) torch.int64"),
        (Answer(IDS, ["cat", "dog"]), "must be whole numbers.* not list"),  # type: ignore[arg-type]
        (Answer(torch.tensor([7, 7]), LABELS), r"more than once: ids has ids \[7\]"),
        (Answer(IDS, LABELS, IDS[:1]), r"labeled and skipped the same images: ids \[7\]"),
        (Answer(IDS[:0], LABELS[:0]), "without a label and without a skip"),
        ((IDS, LABELS), r"must answer with an al_lightning.Answer\(ids, labels\), not tuple"),
        (LABELS, "not Tensor"),
    ],
)
def test_what_is_no_answer_to_the_question_is_refused_by_name(answer: object, message: str) -> None:
    with pytest.raises(UsageError, match=f"(?s)InItsTime.*{message}"):
        check(answer)


def test_no_answer_yet_is_for_those_that_take_time() -> None:
    with pytest.raises(
        UsageError, match="AtOnce has answered None, though its answers_at_once is True"
    ):
        checked_answer(AtOnce(lambda _: None), ASKED, None, 3)


def test_a_run_ends_where_an_oracle_at_once_has_no_answer(tmp_path: Path) -> None:
    asked: list[Question] = []
    loop = make_loop(tmp_path, oracle=AtOnce(asked.append))
    with pytest.raises(UsageError, match="answered None"):
        loop.run()
    assert len(asked) == 1
    assert [event["event"] for event in loop.journal.events] == ["start"]


class AsTheDocsShow(Oracle):
    def answer(self, question: Question) -> Answer:
        return Answer(question.ids, TRUTH[question.ids])


def test_a_subclass_needs_nothing_but_answer(tmp_path: Path) -> None:
    journal = make_loop(tmp_path, oracle=AsTheDocsShow()).run()
    assert journal.finished
    assert journal.pool.labels_bought == 21


def test_an_annotation_of_fewer_labels_than_images_is_refused(tmp_path: Path) -> None:
    class Forgetful(SimulatedOracle):
        def annotate(self, ids: Tensor) -> Tensor:
            return TRUTH[ids][1:]

    with pytest.raises(UsageError, match="Forgetful must give one label an image: 9 images, but 8"):
        make_loop(tmp_path, oracle=Forgetful()).run()


class Undecided(AsTheDocsShow):
    answers_at_once = None  # type: ignore[assignment]


class Alike:
    answers_at_once = True

    def answer(self, question: Question) -> Answer:
        return Answer(question.ids, TRUTH[question.ids])


@pytest.mark.parametrize(
    ("oracle", "message"),
    [
        (AsTheDocsShow, r"not the class AsTheDocsShow: make one, AsTheDocsShow\(...\)"),
        ("dataset", "not str"),
        (3, "not int"),
        (Alike(), "subclass of al_lightning.Oracle, not Alike"),
        (Undecided(), "Undecided.answers_at_once must be True or False, not None"),
    ],
)
def test_what_is_no_oracle_is_refused_before_the_journal_begins(
    oracle: object, message: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match=message):
        require_oracle(oracle)
    with pytest.raises(UsageError, match=message):
        make_loop(tmp_path, oracle=oracle)
    assert not list(tmp_path.iterdir())


def test_labels_that_are_taken_back_are_named(recwarn: pytest.WarningsRecorder) -> None:
    none, some = torch.tensor([], dtype=torch.int64), torch.tensor([7, 4, 9])
    warn_of_taken_back(Answer(none, none, emptied_ids=some), labeled=[3], elsewhere=[])
    warn_of_taken_back(Answer(none, none, emptied_ids=some), labeled=[4, 9], elsewhere=[4, 9])
    assert not recwarn.list
    with pytest.warns(UserWarning, match=r"2 image\(s\) have a label, and are .*: ids \[4, 7\]"):
        warn_of_taken_back(Answer(none, none, emptied_ids=some), labeled=[4, 7], elsewhere=[9])
    skipped = Answer(none, none, late_skipped=some)
    with pytest.warns(UserWarning, match=r"ids \[9\]"):
        warn_of_taken_back(skipped, labeled=[9], elsewhere=[9])  # a skip says so in any case
