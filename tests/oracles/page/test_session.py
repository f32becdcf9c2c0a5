from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
import torch

from al_lightning.oracles.page.decisions import Decisions, Refused
from al_lightning.oracles.page.page_log import Entry, PageLog
from al_lightning.oracles.page.session import Session
from al_lightning.run.class_change import ClassChange
from al_lightning.run.label_rows import LabelRow
from al_lightning.run.pool import Pool
from al_lightning.run.question_parts import QuestionParts
from al_lightning.run.questions import Answer, Question
from al_lightning.utils.errors import UsageError
from tests.background import Background

CLASSES = ("cat", "dog", "owl")


def made(folder: Path, every: int | None = None) -> Session:
    return Session(Decisions(PageLog(folder / "page.jsonl"), CLASSES), every)


def question(*ids: int, round_: int = 1, earlier: tuple[Question, ...] = ()) -> Question:
    count = len(ids)
    guesses = torch.arange(count) % 2
    confidence = torch.linspace(0.9, 0.5, count)
    scores = torch.zeros(count)
    return Question(round_, "query", torch.tensor(ids), 0, scores, guesses, confidence, earlier)


class Waiting:
    """A loop that waits for the answer to a question."""

    def __init__(self, session: Session, asked: Question) -> None:
        self.answer: Answer | None = None
        self.session = session

        def wait() -> None:
            self.answer = session.wait(asked)

        self._thread = Background(wait)
        while session.numbers()["question"] != asked.name:
            pass

    def end(self) -> Answer | None:
        self._thread.end()
        return self.answer


def ids(images: list[dict[str, object]]) -> list[object]:
    return [image["id"] for image in images]


def test_a_batch_is_answered_when_every_image_has_a_label_or_a_skip(tmp_path: Path) -> None:
    session = made(tmp_path)
    waiting = Waiting(session, question(7, 3, 5))
    images = session.take("a", "Ada", 2)
    assert ids(images) == [7, 3]
    assert images[0] == {"id": 7, "value": None, "guess": 0, "confidence": 0.9, "part": ""}
    session.submit("a", "Ada", [(7, None, "owl"), (3, None, "")])
    assert session.numbers()["left"] == 1
    session.submit("a", "Ada", [(5, None, "cat")])
    answer = waiting.end()
    assert answer is not None
    assert (answer.ids.tolist(), answer.labels.tolist()) == ([7, 5], [2, 0])
    assert (answer.skipped.tolist(), answer.open_ids.tolist()) == ([3], [])


def test_what_is_shown_can_be_labeled_before_the_loop_waits_for_it(tmp_path: Path) -> None:
    session = made(tmp_path)
    session.show(question(7, 3))
    assert ids(session.take("a", "Ada", 2)) == [7, 3]
    session.submit("a", "Ada", [(7, None, "dog"), (3, None, "owl")])
    answer = session.wait(question(7, 3))
    assert answer is not None
    assert (answer.ids.tolist(), answer.labels.tolist()) == ([7, 3], [1, 2])


def test_what_was_labeled_before_a_kill_is_the_answer_when_it_is_asked(tmp_path: Path) -> None:
    session = made(tmp_path)
    session.show(question(7, 3))
    session.submit("a", "Ada", [(7, None, "dog"), (3, None, "owl")])
    again = made(tmp_path)
    assert again.sync_with(Pool(9)) is None  # the journal knows of no question yet
    answer = again.wait(question(7, 3))
    assert answer is not None
    assert answer.labels.tolist() == [1, 2]


def test_the_page_knows_which_strategy_chose_an_image(tmp_path: Path) -> None:
    session = made(tmp_path)
    first = replace(question(7, 3), parts=QuestionParts(("margin", "random"), ("random",)))
    waiting = Waiting(session, question(5, round_=2, earlier=(first,)))
    assert [image["part"] for image in session.take("a", "Ada", 1)] == [""]
    session.submit("a", "Ada", [(5, None, "cat")])
    waiting.end()
    waiting = Waiting(session, replace(first, ids=torch.tensor([9, 8]), round=3, earlier=(first,)))
    assert {i["id"]: i["part"] for i in session.take("a", "Ada", 9)} == {9: "margin", 8: "random"}
    session.submit("a", "Ada", [(9, None, "cat"), (8, None, "")])
    waiting.end()


def test_two_people_never_get_the_same_image(tmp_path: Path) -> None:
    session = made(tmp_path)
    waiting = Waiting(session, question(1, 2, 3, 4))
    assert ids(session.take("a", "Ada", 2)) == [1, 2]
    assert ids(session.take("b", "Bob", 4)) == [3, 4]
    with pytest.raises(Refused, match="Ada has this image"):
        session.submit("b", "Bob", [(1, None, "cat")])
    session.submit("a", "Ada", [(1, None, "cat")])
    with pytest.raises(Refused, match="Somebody else has labeled"):
        session.submit("b", "Bob", [(1, None, "dog")])
    session.submit("a", "Ada", [(1, None, "cat")])  # once more, after a lost connection
    assert len(PageLog(tmp_path / "page.jsonl").entries) == 1
    session.stop()
    assert waiting.end() is None


def test_a_label_can_be_corrected_and_taken_back_until_it_is_recorded(tmp_path: Path) -> None:
    session = made(tmp_path)
    waiting = Waiting(session, question(1, 2))
    session.submit("a", "Ada", [(1, None, "cat")])
    session.submit("a", "Ada", [(1, "cat", None)])
    assert session.numbers()["left"] == 2
    session.submit("a", "Ada", [(1, None, "dog")])
    session.submit("a", "Bob", [(1, "dog", "owl")])
    session.submit("a", "Ada", [(2, None, "cat")])
    answer = waiting.end()
    assert answer is not None
    assert answer.labels.tolist() == [2, 0]
    with pytest.raises(Refused, match="trained on this label"):
        session.submit("a", "Ada", [(1, "owl", None)])
    session.submit("a", "Ada", [(1, "owl", "cat")])
    pool = Pool(9).reveal(torch.tensor([1, 2]), torch.tensor([2, 0]))
    news = session.sync_with(pool)
    assert news is not None
    assert (news.late_ids.tolist(), news.late_labels.tolist(), news.by) == ([1], [0], {1: "Ada"})
    assert session.sync_with(replace(pool, labels=torch.tensor([0, 0]))) is None
    found = session.history(1)
    assert (len(found["labels"]), found["total"]) == (1, 2)
    (first,) = found["labels"]
    assert (first["id"], first["value"], first["fixed"]) == (1, "cat", True)


def test_a_strict_run_says_that_it_keeps_what_it_has_recorded(tmp_path: Path) -> None:
    decisions = Decisions(PageLog(tmp_path / "page.jsonl"), CLASSES, is_strict=True)
    session = Session(decisions)
    waiting = Waiting(session, question(1, 2))
    session.submit("a", "Ada", [(1, None, "cat")])
    session.submit("a", "Ada", [(1, "cat", "dog"), (2, None, "cat")])
    assert waiting.end() is not None
    with pytest.raises(Refused, match="only a project takes corrections"):
        session.submit("a", "Ada", [(1, "dog", "owl")])
    assert decisions.corrections() == {}


@pytest.mark.parametrize(
    ("image", "before", "after", "message"),
    [
        (8, None, "cat", "not among those to label"),
        (1, None, "cow", "none of the classes"),
        (1, "cat", "dog", "Somebody else has labeled"),
    ],
)
def test_what_does_not_fit_is_refused(
    tmp_path: Path, image: int, before: str | None, after: str, message: str
) -> None:
    session = made(tmp_path)
    waiting = Waiting(session, question(1, 2))
    with pytest.raises(Refused, match=message):
        session.submit("a", "", [(image, before, after)])
    assert PageLog(tmp_path / "page.jsonl").entries == []
    found = session.submit("a", "", [(2, None, "cat"), (image, before, after)])
    assert (list(found), message in found[image]) == ([image], True)  # the rest is taken
    assert [entry.id for entry in PageLog(tmp_path / "page.jsonl").entries] == [2]
    session.stop()
    assert waiting.end() is None


def test_the_next_fit_begins_while_the_rest_of_the_batch_is_labeled(tmp_path: Path) -> None:
    session = made(tmp_path, every=2)
    first = question(1, 2, 3, 4)
    waiting = Waiting(session, first)
    session.submit("a", "", [(2, None, "cat")])
    session.submit("a", "", [(3, None, "dog")])
    answer = waiting.end()
    assert answer is not None
    assert (answer.ids.tolist(), answer.open_ids.tolist()) == ([2, 3], [1, 4])
    # While the model learns from these two, the others are labeled.
    assert ids(session.take("a", "", 5)) == [1, 4]
    session.submit("a", "", [(1, None, "owl")])
    pool = Pool(9, torch.tensor([2, 3]), torch.tensor([0, 1]), open_ids=torch.tensor([1, 4]))
    assert session.sync_with(pool) is None
    waiting = Waiting(session, question(6, 7, 8, 5, round_=2, earlier=(first,)))
    assert ids(session.take("a", "", 5)) == [4, 6, 7, 8, 5]
    session.submit("a", "", [(4, None, ""), (6, None, "dog"), (7, None, "dog")])
    answer = waiting.end()
    assert answer is not None
    assert (answer.ids.tolist(), answer.late_ids.tolist()) == ([6, 7], [1])
    assert (answer.late_labels.tolist(), answer.late_skipped.tolist()) == ([2], [4])
    assert answer.open_ids.tolist() == [8, 5]


def test_after_a_kill_the_same_question_goes_on_without_what_was_labeled(tmp_path: Path) -> None:
    session = made(tmp_path, every=2)
    waiting = Waiting(session, question(1, 2, 3, 4))
    session.submit("a", "Ada", [(2, None, "cat")])
    session.stop()
    assert waiting.end() is None
    again = made(tmp_path, every=2)
    again.sync_with(Pool(9))
    waiting = Waiting(again, question(1, 2, 3, 4))
    assert ids(again.take("a", "Ada", 9)) == [1, 3, 4]
    assert again.numbers()["by_class"] == [1, 0, 0]
    again.submit("a", "Ada", [(1, None, "dog")])
    answer = waiting.end()
    assert answer is not None
    assert answer.ids.tolist() == [1, 2]
    # Killed during the fit: the rest of the batch is shown at once.
    third = made(tmp_path, every=2)
    third.sync_with(
        Pool(9, torch.tensor([1, 2]), torch.tensor([1, 0]), open_ids=torch.tensor([3, 4]))
    )
    assert ids(third.take("a", "Ada", 9)) == [3, 4]


def test_a_new_class_comes_with_the_next_answer(tmp_path: Path) -> None:
    session = made(tmp_path)
    waiting = Waiting(session, question(1, 2))
    assert session.add_class(" fox ", "Ada") == "fox"
    with pytest.raises(Refused, match="is that of 2 classes"):
        session.add_class("fox", "Bob")
    with pytest.raises(Refused, match="Nothing cannot be a class"):
        session.add_class("  ", "Bob")
    session.submit("a", "Ada", [(1, None, "fox"), (2, None, "owl")])
    answer = waiting.end()
    assert answer is not None
    assert (answer.new_classes, answer.labels.tolist()) == (("fox",), [3, 2])
    assert answer.by == {1: "Ada", 2: "Ada"}
    again = made(tmp_path)  # killed before the journal had it
    assert again.numbers()["classes"] == ["cat", "dog", "owl", "fox"]
    news = again.sync_with(Pool(9))
    assert news is not None
    assert news.new_classes == ("fox",)
    again.change_classes(
        ClassChange(added=("fox",), renamed={"cat": "kitten"}, merged={"owl": "dog"})
    )
    assert again.numbers()["classes"] == ["kitten", "dog", "fox"]
    assert again.numbers()["by_class"] == [0, 1, 1]
    assert again.sync_with(Pool(9)) is None
    third = Session(
        Decisions(
            PageLog(tmp_path / "page.jsonl"),
            ["kitten", "dog", "fox"],
            {"cat": "kitten", "owl": "dog"},
        )
    )
    assert third.numbers()["by_class"] == [0, 1, 1]


def test_a_class_of_the_file_that_is_unknown_is_refused(tmp_path: Path) -> None:
    PageLog(tmp_path / "page.jsonl").append([Entry(1, "label", "cow", "", 0.0)])
    session = made(tmp_path)
    with pytest.raises(UsageError, match="'cow', which is none of cat, dog, owl"):
        session.sync_with(Pool(9))
    # The run has this label: its class was renamed since.
    assert session.sync_with(Pool(9).reveal(torch.tensor([1]), torch.tensor([2]))) is None
    assert session.numbers()["by_class"] == [0, 0, 1]


def test_images_whose_files_have_gone_are_neither_shown_nor_answered(tmp_path: Path) -> None:
    PageLog(tmp_path / "page.jsonl").append([Entry(1, "label", "cat", "", 0.0)])
    session = made(tmp_path)
    session.sync_with(Pool(9, absent_ids=torch.tensor([1, 2])))
    waiting = Waiting(session, question(1, 2, 3))
    assert ids(session.take("a", "", 9)) == [3]
    session.submit("a", "", [(3, None, "owl")])
    answer = waiting.end()
    assert answer is not None
    assert (answer.ids.tolist(), answer.open_ids.tolist()) == ([3], [])


def test_labels_that_contradict_a_sure_guess_are_suspects(tmp_path: Path) -> None:
    session = made(tmp_path)
    waiting = Waiting(session, question(5, 6, 7, 8))  # guesses: cat, dog, cat, dog
    session.submit("a", "", [(5, None, "owl"), (6, None, "dog"), (7, None, "cat")])
    (one,) = session.suspects({})
    assert (one["id"], one["value"], one["guess"], one["neighbours"]) == (
        5,
        "owl",
        0,
        [[2, []], [0, [7]]],
    )
    first, _ = session.suspects({6: (2, 0.99)})
    assert (first["id"], first["guess"], first["confidence"]) == (6, 2, 0.99)
    session.stop()
    assert waiting.end() is None


def at(second: int) -> str:
    return f"2026-11-29T00:00:{second:02}+00:00"


def seconds(second: int) -> float:
    return datetime.fromisoformat(at(second)).timestamp()


def test_what_somebody_has_recorded_elsewhere_since_is_not_undone(tmp_path: Path) -> None:
    log = PageLog(tmp_path / "page.jsonl")
    log.append(
        [Entry(1, "label", "owl", "Ada", seconds(10)), Entry(2, "skip", "", "", seconds(10))]
    )
    log.append([Entry(3, "label", "owl", "Ada", seconds(10)), Entry(4, "label", "cow", "", 0.0)])
    rows = [LabelRow(i, 0, "query", 1, "Eve", at(9 if i == 3 else 20)) for i in (1, 2, 3, 4)]
    session = Session(Decisions(log, CLASSES, None, rows))
    pool = Pool(9).reveal(torch.tensor([1, 2, 3, 4]), torch.zeros(4).long())
    news = session.sync_with(pool)
    assert news is not None
    assert (news.late_ids.tolist(), news.late_labels.tolist()) == ([3], [2])  # the newer one
    assert news.is_newer
    values = {one["id"]: (one["value"], one["by"]) for one in session.history(9)["labels"]}
    assert values == {1: ("cat", "Eve"), 2: ("cat", "Eve"), 3: ("owl", "Ada"), 4: ("cat", "Eve")}
    # What the page shows can be changed there, also back to what it had said before.
    session.submit("a", "Ada", [(1, "cat", "owl")])
    news = session.sync_with(pool)
    assert news is not None
    assert (news.late_ids.tolist(), news.late_labels.tolist()) == ([3, 1], [2, 2])


def test_labels_from_elsewhere_are_in_the_list_the_newest_first(tmp_path: Path) -> None:
    log = PageLog(tmp_path / "page.jsonl")
    log.append([Entry(5, "label", "dog", "Ada", seconds(15))])
    rows = [LabelRow(7, 1, "query", 1, "Eve", at(20)), LabelRow(6, None, "query", 1, "", at(10))]
    session = Session(Decisions(log, CLASSES, None, [*rows, LabelRow(8, 0, "initial", 0)]))
    session.sync_with(
        Pool(9, torch.tensor([8, 7]), torch.tensor([0, 1]), skipped_ids=torch.tensor([6]))
    )
    found = session.history(9)
    assert [one["id"] for one in found["labels"]] == [7, 5, 6, 8]
    assert [one["value"] for one in found["labels"]] == ["dog", "dog", "", "cat"]
    assert [one["fixed"] for one in found["labels"]] == [True, False, True, True]
    assert [one["at"] for one in found["labels"]][2:] == [seconds(10), None]


def test_a_label_that_was_found_right_is_no_suspect_until_it_changes(tmp_path: Path) -> None:
    session = made(tmp_path)
    waiting = Waiting(session, question(5, 6))  # guesses: cat, dog
    session.submit("a", "", [(5, None, "owl")])
    with pytest.raises(Refused, match="Somebody else"):
        session.confirm(5, "Ada", "cat")
    session.confirm(5, "Ada", "owl")
    assert session.suspects({}) == []
    assert PageLog(tmp_path / "page.jsonl").entries[-1].by == "Ada"
    session.submit("a", "", [(5, "owl", "dog")])
    assert [one["id"] for one in session.suspects({})] == [5]
    session.stop()
    assert waiting.end() is None


def test_the_last_images_of_somebody_who_does_nothing_go_to_others(tmp_path: Path) -> None:
    now = [0.0]
    session = Session(
        Decisions(PageLog(tmp_path / "page.jsonl"), CLASSES), None, clock=lambda: now[0]
    )
    session.show(question(1, 2))
    session.connect("a")
    assert ids(session.take("a", "Ada", 9)) == [1, 2]
    assert (session.take("b", "Bob", 9), session.holders("b")) == ([], ["Ada"])
    assert session.holders("a") == []
    now[0] = 301.0
    session.touch("b")
    assert ids(session.take("a", "Ada", 9)) == []
    assert ids(session.take("b", "Bob", 9)) == [1, 2]


def test_the_grid_has_the_images_of_one_guess_the_surest_first(tmp_path: Path) -> None:
    session = made(tmp_path)
    waiting = Waiting(session, question(5, 6, 7, 8))
    assert session.numbers()["guessed"] == [2, 2, 0]
    assert ids(session.take("a", "", 9, predicted=1)) == [6, 8]
    assert ids(session.take("b", "", 9, predicted=1)) == []
    assert ids(session.take("a", "", 9, predicted=0)) == [5, 7]
    session.take("b", "", 0)
    assert [*ids(session.take("a", "", 0)), *ids(session.take("b", "", 1))] == [5]
    assert ids(session.take("a", "", 2)) == [6, 7]
    session.take("b", "", 0)  # so that 5 is free, and 7 is with the first tab already
    assert ids(session.take("a", "", 9, predicted=0)) == [5, 7]
    session.stop()
    assert waiting.end() is None


def test_numbers_say_who_has_labeled(tmp_path: Path) -> None:
    session = made(tmp_path)
    waiting = Waiting(session, question(1, 2, 3, 4))
    session.submit("a", "Ada", [(1, None, "cat"), (2, None, "")])
    session.submit("b", "Bob", [(3, None, "cat")])
    numbers = session.numbers()
    assert numbers["people"] == {"Ada": 2, "Bob": 1}
    assert (numbers["by_class"], numbers["skipped"], numbers["left"]) == ([2, 0, 0], 1, 1)
    assert numbers["per_minute"] > 0
    session.stop()
    assert waiting.end() is None
