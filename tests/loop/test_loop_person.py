"""The loop with an oracle that takes its time, and with data that has no labels."""

import csv
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from al_lightning import (
    Answer,
    Budget,
    ImageData,
    Images,
    Journal,
    LoopCallback,
    Oracle,
    PoolDataModule,
    Question,
    UsageError,
)
from al_lightning.callbacks.loop_callback import RoundResult
from al_lightning.callbacks.query_sheet import QuerySheets
from al_lightning.callbacks.tensorboard import TensorBoardDashboard
from al_lightning.loop.first_labels import draw_held_out
from al_lightning.oracles import CsvOracle
from al_lightning.strategies import Margin
from tests.helpers import CLASSES, TinySource
from tests.loop.test_loop import comparable, make_loop, tiny_trainer

TRUTH = TinySource().load().train.labels


class PartlyLabeled(TinySource):
    """The first images are labeled, the others are not."""

    def __init__(self, given: int, test: int = 30) -> None:
        super().__init__()
        self.given, self.tested = given, test

    def load(self) -> ImageData:
        data = super().load()
        labels = data.train.labels.clone()
        labels[self.given :] = -1
        return replace(
            data,
            train=Images(data.train.pixels, labels),
            test=data.test.rows(torch.arange(self.tested)),
        )


class Person(Oracle):
    """Answers when asked for the second time, as told by a function of ids."""

    answers_at_once = False

    def __init__(self, decide: Callable[[Question], Answer]) -> None:
        self.decide = decide
        self.asked: list[Question] = []

    def answer(self, question: Question) -> Answer | None:
        self.asked.append(question)
        again = [q.name for q in self.asked].count(question.name) > 1
        return self.decide(question) if again else None

    def instructions(self, question: Question) -> str:
        return f"label {question.name}"


def all_of_it(question: Question) -> Answer:
    return Answer(question.ids, TRUTH[question.ids])


class Waits(LoopCallback):
    def __init__(self) -> None:
        self.instructions: list[str] = []

    def on_wait(self, journal: Journal, instructions: str) -> None:
        assert journal.open_question is not None
        self.instructions.append(instructions)


def run_until_done(folder: Path, oracle: Oracle, **changes: Any) -> tuple[Journal, list[str]]:
    """Run the same loop again and again, as a person would; return what they were told."""
    waits = Waits()
    for _ in range(20):
        journal = make_loop(folder, oracle=oracle, callbacks=[waits], **changes).run()
        if journal.finished:
            return journal, waits.instructions
    raise AssertionError


def source(given: int, **options: Any) -> PoolDataModule:
    return PoolDataModule(PartlyLabeled(given, **options), batch_size=4, eval_batch_size=16)


def kinds(journal: Journal) -> list[str]:
    return [event["event"] for event in journal.events]


def test_a_person_who_labels_all_comes_to_the_same_as_the_simulation(tmp_path: Path) -> None:
    simulated = make_loop(tmp_path / "simulated").run()
    journal, told = run_until_done(tmp_path / "person", Person(all_of_it))
    # The start names the oracle; a round counts the events before it.
    without = [e | {"events": 0} for e in comparable(journal) if e["event"] != "question"]
    assert without[1:] == [e | {"events": 0} for e in comparable(simulated)[1:]]
    assert told == ["label round_00", "label round_01", "label round_02"]
    assert kinds(journal).count("question") == 3


class Presented(Person):
    """Notes what it is presented; it is asked the same."""

    def present(self, question: Question) -> None:
        self.presented = question
        self.happened = [*getattr(self, "happened", []), ("presented", question.round)]

    def answer(self, question: Question) -> Answer | None:
        if question.origin == "query":
            assert question.ids.tolist() == self.presented.ids.tolist()
        return super().answer(question)


def test_a_question_is_presented_before_its_round_is_tested_and_recorded(tmp_path: Path) -> None:
    oracle = Presented(all_of_it)

    class Recorded(LoopCallback):
        def on_round_end(self, result: RoundResult) -> None:
            oracle.happened.append(("recorded", result.index))

    while not make_loop(tmp_path, oracle=oracle, callbacks=[Recorded()]).run().finished:
        pass
    before_each = [("presented", 1), ("recorded", 0), ("presented", 2), ("recorded", 1)]
    assert list(dict.fromkeys(oracle.happened)) == [*before_each, ("recorded", 2)]


def test_what_is_left_empty_goes_back_and_what_is_skipped_does_not(tmp_path: Path) -> None:
    def half(question: Question) -> Answer:
        ids, every_second = question.ids, question.ids[2::2]
        if len(every_second) == 0:
            return all_of_it(question)
        return Answer(every_second, TRUTH[every_second], skipped=ids[:1])

    journal, _ = run_until_done(tmp_path, Person(half), budget=Budget(9, 6, 15))
    bought = [len(e["ids"]) for e in journal.events if e["event"] == "labels"]
    # Of 9, then of 6 as long as 6 are left to buy, then of 5, 3, 2 and 1.
    assert bought == [4, 2, 2, 2, 2, 1, 2]
    assert journal.pool.labels_bought == 15
    skipped: list[int] = []
    for event in journal.events:
        if event["event"] == "question":
            assert not set(event["ids"]) & set(skipped)
        skipped += event.get("skipped", [])
    assert skipped == journal.pool.skipped_ids.tolist()
    labeled = journal.pool.labeled_ids
    assert journal.pool.labels.equal(TRUTH[labeled])


def test_a_question_that_nobody_can_answer_is_followed_by_another_one(tmp_path: Path) -> None:
    def decide(question: Question) -> Answer:
        if question.round == 1 and question.attempt == 0:
            nothing = question.ids[:0]
            return Answer(nothing, nothing, skipped=question.ids)
        return all_of_it(question)

    journal, told = run_until_done(tmp_path, Person(decide), budget=Budget(9, 6, 15))
    assert told == ["label round_00", "label round_01", "label round_01_again_1"]
    assert [e["round"] for e in journal.rounds] == [0, 1]
    first, second = (e["ids"] for e in journal.events if e["event"] == "question" and e["round"])
    assert not set(first) & set(second)


def test_a_run_of_which_every_image_is_skipped_says_so(tmp_path: Path) -> None:
    def never(question: Question) -> Answer:
        nothing = question.ids[:0]
        return Answer(nothing, nothing, skipped=question.ids)

    with pytest.raises(UsageError, match="60 images were skipped"):
        run_until_done(tmp_path, Person(never))


def test_an_open_question_costs_no_fit_and_stays_the_same(tmp_path: Path) -> None:
    person = Person(all_of_it)
    make_loop(tmp_path, oracle=person).run()

    def no_trainer(index: int, labels: int) -> Any:
        return tiny_trainer(index, labels)

    person.asked.clear()
    other = make_loop(
        tmp_path, oracle=Person(all_of_it), make_trainer=no_trainer, irrelevant=["code"]
    )
    with pytest.warns(UserWarning, match="no_trainer"):
        journal = other.run()
    before = journal.path.read_bytes()
    again = make_loop(tmp_path, oracle=Person(all_of_it)).run()
    assert again.path.read_bytes() == before
    assert again.open_question is not None


def test_labels_that_were_given_are_trained_on_first(tmp_path: Path) -> None:
    journal, told = run_until_done(
        tmp_path, Person(all_of_it), datamodule=source(12), budget=Budget(9, 6, 24)
    )
    initial = journal.labels("initial")[0]
    assert initial["ids"] == list(range(12))
    assert initial["labels"] == TRUTH[:12].tolist()
    assert [e["labels_bought"] for e in journal.rounds] == [12, 18, 24]
    assert told == ["label round_01", "label round_02"]


def test_validation_is_a_random_sample_of_all_images_given_ones_included(tmp_path: Path) -> None:
    budget = Budget(initial=9, query=6, total=38, validation=20)
    journal, told = run_until_done(
        tmp_path, Person(all_of_it), datamodule=source(12), budget=budget
    )
    drawn = draw_held_out(torch.arange(60), 20, seed=0).tolist()
    given = [i for i in drawn if i < 12]
    assert given, "the draw has some of both"
    assert [e["ids"] for e in journal.labels("validation")] == [
        given,
        [i for i in drawn if i >= 12],
    ]
    assert journal.labels("initial")[0]["ids"] == [i for i in range(12) if i not in given]
    assert told[0] == "label round_00_validation_again_1"  # what was given was the first answer
    assert journal.pool.labels_bought == 38
    assert journal.pool.validation_labels.equal(TRUTH[journal.pool.validation_ids])


def test_validation_that_was_given_as_a_whole_is_not_asked_for(tmp_path: Path) -> None:
    drawn = draw_held_out(torch.arange(60), 3, seed=0)
    budget = Budget(initial=2, query=2, total=60, validation=3)
    made = source(int(drawn.max()) + 1)
    journal, told = run_until_done(tmp_path, Person(all_of_it), datamodule=made, budget=budget)
    assert [e["ids"] for e in journal.labels("validation")] == [drawn.tolist()]
    assert told[0] == "label round_01"


def test_validation_that_was_skipped_is_drawn_again_and_what_is_left_open_stays_open(
    tmp_path: Path,
) -> None:
    def decide(question: Question) -> Answer:
        nothing = question.ids[:0]
        if question.origin != "validation":
            return all_of_it(question)
        if question.attempt == 1:
            return Answer(nothing, nothing, question.ids)
        return Answer(question.ids[:5], TRUTH[question.ids[:5]])

    budget = Budget(initial=9, query=6, total=40, validation=20)
    with pytest.warns(UserWarning, match="images for validation have no label"):
        journal, told = run_until_done(
            tmp_path, Person(decide), datamodule=source(12), budget=budget
        )
    given, skipped, again = journal.labels("validation")
    assert len(skipped["skipped"]) == 20 - len(given["ids"])
    assert not set(again["ids"]) & set(range(12))
    assert len(again["ids"]) == 5
    assert told[:3] == [
        *(
            "label round_00_validation_again_1",
            "label round_00_validation_again_2",
            "label round_01",
        )
    ]


def test_a_run_can_start_without_any_label_and_without_test_images(tmp_path: Path) -> None:
    budget = Budget(initial=0, query=6, total=22, validation=4)
    journal, told = run_until_done(
        tmp_path, Person(all_of_it), datamodule=source(0, test=0), budget=budget
    )
    assert told[:2] == ["label round_00_validation", "label round_00"]
    assert [e["labels_bought"] for e in journal.rounds] == [10, 16, 22]
    assert all(e["metrics"] == {} for e in journal.rounds)
    assert all(0 <= e["validation"]["accuracy"] <= 1 for e in journal.rounds)


def test_the_simulation_cannot_reveal_what_the_data_does_not_know(tmp_path: Path) -> None:
    loop = make_loop(tmp_path, datamodule=source(12))
    loop.oracle = type(loop.oracle)(loop.learner.datamodule.data.train.labels)  # type: ignore[call-arg]
    with pytest.raises(UsageError, match="oracle=csv"):
        loop.run()


def fill_in(folder: Path) -> int:
    """Write the true classes into every empty sheet; return how many labels that were."""
    written = 0
    for sheet in sorted(folder.glob("round_*.csv")):
        with sheet.open(newline="") as file:
            rows = list(csv.DictReader(file))
        empty = [row for row in rows if not row["label"]]
        for row in empty:
            row["label"] = CLASSES[int(TRUTH[int(row["id"])])]
        written += len(empty)
        with sheet.open("w", newline="") as file:
            writer = csv.DictWriter(file, rows[0].keys())
            writer.writeheader()
            writer.writerows(rows)
    return written


def test_a_labeling_session_by_sheets(tmp_path: Path) -> None:
    written = 0
    for _ in range(10):
        datamodule = source(12)
        oracle = CsvOracle(datamodule.data, tmp_path / "queries")
        options: dict[str, Any] = {"oracle": oracle, "budget": Budget(9, 6, 24)}
        journal = make_loop(tmp_path, Margin(), datamodule=datamodule, **options).run()
        if journal.finished:
            break
        written += fill_in(tmp_path / "queries")
    assert journal.finished
    assert written == 12 == journal.pool.labels_bought - 12
    assert journal.pool.labels.equal(TRUTH[journal.pool.labeled_ids])


def test_a_run_whose_last_images_are_skipped_ends(tmp_path: Path) -> None:
    def decide(question: Question) -> Answer:
        nothing = question.ids[:0]
        return Answer(nothing, nothing, question.ids) if question.round else all_of_it(question)

    budget = Budget(initial=48, query=12, total="all")
    journal, _ = run_until_done(tmp_path, Person(decide), budget=budget)
    assert journal.events[-1]["reason"] == "pool_empty"
    assert len(journal.rounds) == 1
    assert len(journal.pool.skipped_ids) == 12


@pytest.mark.parametrize(
    ("budget", "asked"),
    [
        (Budget(initial=0, query=30, total=10), [10]),
        (Budget(initial=0, query=30, total=10, validation=4), [4, 6]),
        (Budget(initial=10, query=5, total=10), [10]),
    ],
)
def test_no_more_is_asked_for_than_may_be_bought(
    tmp_path: Path, budget: Budget, asked: list[int]
) -> None:
    journal, _ = run_until_done(tmp_path, Person(all_of_it), budget=budget)
    questions = [len(e["ids"]) for e in journal.events if e["event"] == "question"]
    assert questions == asked
    assert journal.pool.labels_bought == 10


def test_a_first_question_that_is_hardly_answered_is_asked_for_the_rest(tmp_path: Path) -> None:
    def decide(question: Question) -> Answer:
        ids = question.ids[:1] if question.attempt == 0 else question.ids
        return Answer(ids, TRUTH[ids])

    journal, told = run_until_done(tmp_path, Person(decide), budget=Budget(10, 5, 10))
    assert told == ["label round_00", "label round_00_again_1"]
    assert journal.pool.labels_bought == 10


def test_one_label_that_was_given_is_a_start(tmp_path: Path) -> None:
    budget = Budget(initial=5, query=4, total=9)
    journal, told = run_until_done(tmp_path, Person(all_of_it), datamodule=source(1), budget=budget)
    assert told[0] == "label round_00_again_1"  # what was given was the first answer
    assert [e["labels_bought"] for e in journal.rounds] == [5, 9]


def test_late_labels_are_taken_and_changed_ones_are_named(tmp_path: Path) -> None:
    def decide(question: Question) -> Answer:
        if question.round < 2:
            return Answer(question.ids[1:], TRUTH[question.ids[1:]])
        late = torch.cat([asked.ids for asked in question.earlier])
        wrong = (TRUTH[late] + 1) % 3
        return Answer(question.ids, TRUTH[question.ids], late_ids=late, late_labels=wrong)

    budget = Budget(initial=9, query=6, total=20)
    with pytest.warns(UserWarning, match=r"13 image\(s\) were labeled before"):
        journal, _ = run_until_done(tmp_path, Person(decide), budget=budget)
    asked = [e["ids"] for e in journal.events if e["event"] == "question"]
    labels = dict(zip(journal.pool.labeled_ids.tolist(), journal.pool.labels.tolist(), strict=True))
    for ids in asked[:2]:
        assert labels[ids[0]] == (int(TRUTH[ids[0]]) + 1) % 3  # came late
        assert labels[ids[1]] == int(TRUTH[ids[1]])  # was there before


def test_in_a_project_changed_labels_are_corrections(tmp_path: Path) -> None:
    def decide(question: Question) -> Answer:
        if question.round < 2:
            return Answer(question.ids, TRUTH[question.ids])
        late = question.earlier[0].ids[:3]
        wrong = (TRUTH[late] + 1) % 3
        return Answer(question.ids, TRUTH[question.ids], late_ids=late, late_labels=wrong)

    budget = Budget(initial=9, query=6, total=20)
    journal, _ = run_until_done(tmp_path, Person(decide), budget=budget, project=True)
    asked = next(e["ids"] for e in journal.events if e["event"] == "question")
    (correction,) = journal.corrections()
    assert correction["ids"] == asked[:3]
    assert correction["from"] == TRUTH[asked[:3]].tolist()
    assert correction["by"] == "Person"
    for i in asked[:3]:
        assert journal.label_of[i] == (int(TRUTH[i]) + 1) % 3
    assert [event["labels_bought"] for event in journal.rounds] == [9, 15, 20]  # no round was added


def test_all_that_watches_a_run_copes_with_skips_alone(tmp_path: Path) -> None:
    def decide(question: Question) -> Answer:
        nothing = question.ids[:0]
        if question.round == 1 and question.attempt == 0:
            return Answer(nothing, nothing, question.ids)
        return all_of_it(question)

    person = Person(decide)
    for _ in range(20):
        callbacks: list[LoopCallback] = [
            TensorBoardDashboard(tmp_path / "tensorboard"),
            QuerySheets(tmp_path / "queries"),
        ]
        journal = make_loop(tmp_path, oracle=person, callbacks=callbacks).run()
        if journal.finished:
            break
    assert journal.finished
    assert {path.name for path in (tmp_path / "queries").iterdir()} == {
        *("labeled_round_01_again_1.csv", "labeled_round_02.csv")
    }
