"""What has changed in a project between two starts, as a loop writes it down and goes on with it."""

import io
import json
import shutil
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from rich.console import Console

from al_lightning import (
    ActiveLearningLoop,
    Answer,
    Budget,
    Journal,
    ManualOracle,
    Oracle,
    Pool,
    Question,
    plain_loop,
)
from al_lightning.callbacks.console import ConsoleProgress
from al_lightning.callbacks.live_feed import LiveFeed
from al_lightning.callbacks.loop_callback import LoopCallback
from al_lightning.data import ImageFolder
from al_lightning.data.project.project_source import ProjectSource
from al_lightning.data.source import ImageData
from al_lightning.run.class_change import ClassChange
from al_lightning.run.live import LiveBoard
from al_lightning.run.questions import Origin
from al_lightning.strategies import Margin
from al_lightning.utils.errors import UsageError
from tests.data.project.living import OPTIONS, Living
from tests.loop.test_loop import comparable

BUDGET = Budget(initial=4, query=4, total=12, validation=5)
CLASSES = ("dark", "light")


class ByShade(Oracle):
    """Even numbers are dark, odd ones light."""

    def __init__(self, data: ImageData) -> None:
        self.data = data

    def answer(self, question: Question) -> Answer:
        assert self.data.train.files is not None
        names = [Path(self.data.train.files[i]).stem for i in question.ids.tolist()]
        return Answer(question.ids, torch.tensor([int(name) % 2 for name in names]))


def picture(living: Living, name: str) -> None:
    """Save noise that the number in the name decides; odd ones are light."""
    number = int(Path(name).stem)
    generator = torch.Generator().manual_seed(number)
    noise = torch.randint(0, 100, (8, 8), generator=generator) + 150 * (number % 2)
    path = living.images / name
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(noise.to(torch.uint8).numpy()).save(path)


def project(folder: Path) -> Living:
    living = Living(folder)
    for number in range(6):
        picture(living, f"train/{CLASSES[number % 2]}/{number}.png")
    for number in range(10, 40):
        picture(living, f"unlabeled/{number}.png")
    return living


def loop_in(
    living: Living, budget: Budget = BUDGET, more: Sequence[LoopCallback] = ()
) -> ActiveLearningLoop:
    source = ImageFolder(str(living.images), **OPTIONS)
    known = ProjectSource(source, living.run, living.journal)
    living.seen.lines.clear()
    loop = plain_loop(
        known,
        Margin(),
        living.run,
        budget,
        oracle=ManualOracle(),
        epochs=1,
        callbacks=[living.seen, *more],
    )
    loop.learner.record = replace(loop.learner.record, project=True)
    loop.oracle = ByShade(loop.learner.data)
    return loop


def kinds(journal: Journal) -> list[str]:
    return [event["event"] for event in journal.events]


def test_a_finished_project_goes_on_with_new_images_and_more_validation(tmp_path: Path) -> None:
    living = project(tmp_path)
    journal = loop_in(living).run()
    assert journal.finished
    assert len(journal.pool.validation_ids) == 5
    before = len(journal.rounds)
    assert len(loop_in(living).run().events) == len(journal.events)  # nothing is left to do
    for number in range(40, 58):  # half as many again
        picture(living, f"unlabeled/{number}.png")
    journal = loop_in(living, replace(BUDGET, total=30)).run()
    assert living.seen.lines[0] == "images 18 new"
    assert len(journal.rounds) > before
    validation = journal.labels("validation")[-1]
    assert min(validation["ids"]) >= 36  # of the new images alone
    assert len(validation["ids"]) == round(5 * 18 / 36)
    assert journal.rounds[-1]["labels_bought"] == 30
    assert journal.finished


class Hindsight(ByShade):
    """Corrects the first label once, when nothing is asked any more."""

    told = False

    def corrections(self, pool: Pool) -> Answer | None:
        if self.told or pool.labels_bought < 12:
            return None
        self.told = True
        nothing = torch.empty(0, dtype=torch.int64)
        return Answer(
            nothing, nothing, late_ids=pool.labeled_ids[:1], late_labels=1 - pool.labels[:1]
        )


def test_a_finished_project_is_fitted_again_for_what_its_oracle_corrects(tmp_path: Path) -> None:
    living = project(tmp_path)
    rounds = len(loop_in(living).run().rounds)
    loop = loop_in(living)
    loop.oracle = Hindsight(loop.learner.data)
    journal = loop.run()
    assert kinds(journal)[-3:] == ["correction", "round", "end"]
    assert journal.rounds[rounds]["because"] == ["corrections"]
    assert living.seen.lines  # callbacks have seen the round


def test_no_validation_labels_are_bought_beyond_the_budget(tmp_path: Path) -> None:
    living = project(tmp_path)
    loop_in(living).run()
    for number in range(40, 58):
        picture(living, f"unlabeled/{number}.png")
    journal = loop_in(living).run()
    assert journal.finished
    assert len(journal.pool.validation_ids) == 5
    assert kinds(journal)[-2:] == ["images", "end"]


@pytest.mark.parametrize("origin", ["validation", "test"])
def test_labels_of_a_raised_budget_are_drawn_from_those_without_a_label(
    tmp_path: Path, origin: str
) -> None:
    living = project(tmp_path)
    before = loop_in(living).run()
    trained, begun = before.pool.labeled_ids, len(before.events)
    more = replace(BUDGET, **{"total": 28, origin: getattr(BUDGET, origin) + 7})
    with pytest.warns(UserWarning, match=f"7 more images for {origin} are drawn at random"):
        journal = loop_in(living, more).run()
    asked = next(e for e in journal.events[begun:] if e["event"] == "question")
    assert (asked["origin"], len(asked["ids"])) == (origin, 7)
    assert not {*asked["ids"]} & {*trained.tolist()}
    held_out = {"validation": journal.pool.validation_ids, "test": journal.pool.test_ids}
    assert len(held_out[origin]) == getattr(BUDGET, origin) + 7
    events = len(journal.events)
    assert len(loop_in(living, more).run().events) == events  # once


@pytest.mark.parametrize("origin", ["validation", "test"])
def test_images_that_came_before_a_budget_was_raised_are_part_of_the_difference(
    tmp_path: Path, origin: Origin
) -> None:
    living = project(tmp_path)
    budget = replace(BUDGET, validation=0)
    more: dict[str, Any] = {origin: 4}
    loop_in(living, budget).run()
    for number in range(40, 76):  # twice as many
        picture(living, f"unlabeled/{number}.png")
    loop_in(living, budget).run()
    journal = loop_in(living, replace(budget, **more, total=30)).run()
    assert journal.finished
    assert [len(event["ids"]) for event in journal.labels(origin)] == [4]
    for number in range(80, 116):  # half as many again
        picture(living, f"unlabeled/{number}.png")
    journal = loop_in(living, replace(budget, **more, total=40)).run()
    assert [len(event["ids"]) for event in journal.labels(origin)] == [4, 4]


def test_a_raised_budget_buys_what_the_total_leaves_and_the_rest_later(tmp_path: Path) -> None:
    living = project(tmp_path)
    loop_in(living).run()
    with pytest.warns(UserWarning, match="8 more images for validation are drawn .*, not 9"):
        loop_in(living, replace(BUDGET, validation=14, total=20)).run()
    with pytest.warns(UserWarning, match="1 more images"):
        journal = loop_in(living, replace(BUDGET, validation=14, total=30)).run()
    assert len(journal.pool.validation_ids) == 14
    assert journal.finished


@pytest.mark.parametrize("shown", [False, True])
def test_labels_that_become_folders_are_no_first_labels(tmp_path: Path, *, shown: bool) -> None:
    living = project(tmp_path)
    journal = loop_in(living).run()
    files = loop_in(living).learner.data.train.files
    assert files is not None
    for image, label in journal.label_of.items():
        if files[image].startswith("unlabeled/"):
            living.move(files[image], f"train/{CLASSES[label]}/{Path(files[image]).name}")
    loop = loop_in(living)
    assert len(loop.learner.data.given_ids) == 12
    with ExitStack() as stack:
        if shown:
            console = Console(file=io.StringIO())
            bars = ConsoleProgress(console, "pets", BUDGET, living.run, bars=True)
            callbacks = [stack.enter_context(bars), LiveFeed(LiveBoard(), BUDGET)]
            loop = loop_in(living, replace(BUDGET, total=16), callbacks)
        assert loop.run().finished
    assert living.journal.pool.labels_bought == (16 if shown else 12)


def test_unlabeled_images_come_to_a_project_of_labeled_ones(tmp_path: Path) -> None:
    living = Living(tmp_path)
    for number in range(30):
        picture(living, f"{CLASSES[number % 2]}/{number}.png")
    budget = Budget(initial=4, query=4, total=12)
    assert loop_in(living, budget).run().finished
    picture(living, "unlabeled/40.png")
    journal = loop_in(living, budget).run()
    assert living.seen.lines == ["images 1 new"]
    assert journal.finished
    assert loop_in(living, replace(budget, total=16)).run().pool.labels_bought == 16


def test_a_round_is_fitted_again_for_what_has_changed_in_labeled_images(tmp_path: Path) -> None:
    living = project(tmp_path)
    loop_in(living).run()
    living.move("train/dark/0.png", "train/light/100.png")
    living.remove("train/dark/2.png")
    journal = loop_in(living).run()
    assert living.seen.lines == ["corrected {0: 1}", "images 1 gone, 1 renamed"]
    assert journal.rounds[-1]["because"] == ["corrections", "images"]
    assert journal.rounds[-1]["labels_bought"] == journal.rounds[-2]["labels_bought"]
    assert journal.rounds[-1]["fit"] != journal.rounds[-2]["fit"]
    assert journal.finished


def test_a_label_that_is_confirmed_is_no_correction_to_a_callback(tmp_path: Path) -> None:
    living = project(tmp_path)
    loop_in(living).run()
    Image.new("L", (8, 8), 77).save(living.images / "train/dark/0.png")
    loop = loop_in(living)
    loop.step()
    assert living.seen.lines == ["images 1 changed"]
    loop.correct({0: 0, 2: 1})
    assert living.seen.lines[-1] == "corrected {2: 1}"
    loop.correct({4: loop.journal.label_of[4]})
    correction = loop.journal.corrections()[-1]
    assert (correction["ids"], correction["to"]) == ([0, 2], [0, 1])
    assert not loop.journal.to_review


def test_a_class_is_added_to_a_project(tmp_path: Path) -> None:
    living = project(tmp_path)
    loop_in(living).run()
    picture(living, "train/other/101.png")
    journal = loop_in(living).run()
    assert journal.classes == ("dark", "light", "other")
    assert len(journal.classes_in(0)) == 2
    assert journal.rounds[-1]["because"] == ["classes"]


def test_classes_change_while_the_loop_runs(tmp_path: Path) -> None:
    living = project(tmp_path)
    loop = loop_in(living)
    loop.run()
    loop.change_classes(ClassChange(["other"]))
    assert living.seen.lines == ["classes new other"]
    journal = loop.run()
    assert journal.rounds[-1]["because"] == ["classes"]
    whole = loop_in(living).run()
    assert comparable(whole) == comparable(journal)


def test_labels_that_all_vanish_are_bought_anew(tmp_path: Path) -> None:
    living = project(tmp_path)
    journal = loop_in(living, replace(BUDGET, validation=0)).run()
    files = loop_in(living).learner.data.train.files
    assert files is not None
    living.remove(*(files[i] for i in journal.pool.labeled_ids.tolist()))
    more = replace(BUDGET, validation=0, total=24)
    journal = loop_in(living, more).run()
    assert journal.labels("initial")[-1]["round"] > 0
    assert journal.finished
    living.remove(*(p.relative_to(living.images).as_posix() for p in living.images.rglob("*.png")))
    picture(living, "unlabeled/10.png" if "unlabeled/10.png" in files else "unlabeled/200.png")
    with pytest.raises(UsageError, match=r"None of the|labels to train on"):
        loop_in(living, more).run()


def test_a_kill_between_any_two_events_changes_nothing(tmp_path: Path) -> None:
    """One start with a setting, a new class, a correction, images, labels, validation and rounds."""
    living = project(tmp_path)
    loop_in(living).run()
    shutil.copytree(living.run, tmp_path / "before")
    begun = len(living.journal.events)
    living.move("train/dark/0.png", "train/light/100.png")
    living.remove("train/dark/2.png")
    picture(living, "train/other/101.png")
    living.move("unlabeled/20.png", "train/dark/20.png")
    for number in range(40, 58):
        picture(living, f"unlabeled/{number}.png")
    more = replace(BUDGET, total=24)
    whole = loop_in(living, more).run()
    expected = [
        "setting",
        "classes",
        "correction",
        "images",
        "labels",
        "question",
        "labels",
        "round",
    ]
    assert kinds(whole)[begun : begun + 8] == expected
    lines = whole.path.read_bytes().splitlines(keepends=True)
    manifest = (living.run / "images.csv").read_bytes()
    first = next(i for i in range(begun, len(lines)) if json.loads(lines[i])["event"] == "round")
    for count in range(begun, first + 2):
        living.run = tmp_path / f"cut {count}"
        shutil.copytree(tmp_path / "before", living.run)
        (living.run / "journal.jsonl").write_bytes(b"".join(lines[:count]) + b'{"torn')
        (living.run / "images.csv").write_bytes(manifest)  # rows that no journal counts do no harm
        assert comparable(loop_in(living, more).run()) == comparable(whole), count
