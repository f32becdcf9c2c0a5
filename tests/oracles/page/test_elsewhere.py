"""Labels that are given or corrected elsewhere between two times on the page."""

import time
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from al_lightning import Answer, Journal, Oracle, Question
from al_lightning.oracles import PageOracle
from al_lightning.oracles.page.decisions import Refused
from tests.background import DEADLINE, Background
from tests.helpers import TinySource
from tests.loop.test_loop import make_loop

DATA = TinySource().load()
OLD, NEW, THIRD = DATA.classes


class Sheet(Oracle):
    """Gives every image the second class, and then nothing more."""

    asked = 0

    def answer(self, question: Question) -> Answer | None:
        self.asked += 1
        return Answer(question.ids, torch.ones_like(question.ids)) if self.asked == 1 else None


def on_the_page(folder: Path, label: Callable[[PageOracle], None], project: bool = True) -> Journal:
    """Run with the page until a person who labels there has stopped it."""
    oracle = PageOracle(DATA, folder / "queries", open_browser=False)
    loop = make_loop(folder, oracle=oracle, project=project)
    running = Background(loop.run)
    wait_for(lambda: oracle.live.facts().get("phase") == "wait" and bool(take(oracle)))
    label(oracle)
    oracle._session.stop()
    running.end()
    return loop.journal


def wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def take(oracle: PageOracle) -> list[int]:
    return [one["id"] for one in oracle._session.take("a", "Ada", 9)]


def submit(oracle: PageOracle, image: int, before: str | None, after: str) -> None:
    oracle._session.submit("a", "Ada", [(image, before, after)])


def shown(oracle: PageOracle) -> dict[int, str]:
    return {one["id"]: one["value"] for one in oracle._session.history(99)["labels"]}


def later() -> None:
    time.sleep(1.1)  # the journal's times are of whole seconds


def test_a_label_of_an_open_batch_never_undoes_a_newer_one(tmp_path: Path) -> None:
    def some(oracle: PageOracle) -> None:
        for image in take(oracle)[:4]:
            submit(oracle, image, None, OLD)

    journal = on_the_page(tmp_path, some)
    assert len(journal.label_of) == 0
    later()
    journal = make_loop(tmp_path, oracle=Sheet(), project=True).run()
    assert set(journal.label_of.values()) == {1}

    def look(oracle: PageOracle) -> None:
        assert set(shown(oracle).values()) == {NEW}

    journal = on_the_page(tmp_path, look)
    assert journal.corrections() == []


def test_a_correction_from_elsewhere_is_shown_and_can_be_changed_back(tmp_path: Path) -> None:
    image = -1

    def label(oracle: PageOracle) -> None:
        nonlocal image
        image, *_ = images = take(oracle)
        for one in images:
            submit(oracle, one, None, OLD)
        wait_for(lambda: bool(set(take(oracle)) - set(images)))  # the next batch

    on_the_page(tmp_path, label)
    later()
    loop = make_loop(tmp_path, oracle=Sheet(), project=True)
    loop.correct({image: 1}, by="Eve")
    later()

    def look(oracle: PageOracle) -> None:
        assert shown(oracle)[image] == NEW
        submit(oracle, image, NEW, OLD)

    journal = on_the_page(tmp_path, look)
    journal = on_the_page(tmp_path, lambda _: None)
    found = [(e["ids"], e["from"], e["to"], e["by"]) for e in journal.corrections()]
    assert found == [([image], [0], [1], "Eve"), ([image], [1], [0], "Ada")]
    assert journal.label_of[image] == 0


def test_the_page_of_a_strict_run_takes_no_corrections(tmp_path: Path) -> None:
    def label(oracle: PageOracle) -> None:
        first, *others = images = take(oracle)
        submit(oracle, first, None, OLD)
        submit(oracle, first, OLD, NEW)  # nothing is recorded yet
        for one in others:
            submit(oracle, one, None, OLD)
        wait_for(lambda: bool(set(take(oracle)) - set(images)))  # the next batch
        with pytest.raises(Refused, match="only a project takes corrections"):
            submit(oracle, first, NEW, OLD)
        assert shown(oracle)[first] == NEW

    journal = on_the_page(tmp_path, label, project=False)
    assert sorted({*journal.label_of.values()}) == [0, 1]
