"""Selections that are made while annotators label the images before."""

import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from al_lightning import (
    ActiveLearningLoop,
    Answer,
    Evidence,
    ImageClassifier,
    Oracle,
    Question,
    Strategy,
)
from al_lightning.oracles import PageOracle
from al_lightning.strategies import (
    Cosine,
    Euclidean,
    FarthestFirst,
    KMeansCenters,
    Margin,
    Selection,
    TypiClust,
)
from al_lightning.utils.interrupts import Interrupted
from tests.background import Background
from tests.helpers import TinySource
from tests.loop.test_loop_pretrained import RECIPE, make_loop
from tests.models.zoo import tiny_pretrained
from tests.oracles.page.helpers import Client, served


class Person(Oracle):
    """Answers while the process waits, may skip images, and notes how many selections were made."""

    answers_here = True

    def __init__(self, strategy: Any, skipped: int = 0) -> None:
        self.labels = TinySource().load().train.labels
        self.strategy, self.skipped = strategy, skipped
        self.selected_before: list[int] = []

    def answer(self, question: Question) -> Answer | None:
        self.selected_before.append(self.strategy.calls)
        skipped = self.skipped if question.round == 1 else 0
        ids = question.ids[skipped:]
        return Answer(ids, self.labels[ids], question.ids[:skipped])


class Later(Person):
    """The same, but the answer may come to another process."""

    answers_here = False


class Counted(FarthestFirst):
    calls = 0

    def choose(
        self, pool: Evidence, labeled: Evidence, count: int, generator: torch.Generator
    ) -> Selection:
        self.calls += 1
        return super().choose(pool, labeled, count, generator)


def run(folder: Path, oracle: Oracle, strategy: Strategy, **options: Any) -> ActiveLearningLoop:
    loop = make_loop(folder, strategy=strategy, oracle=oracle, weights=1, **options)
    loop.run()
    if (served := loop.learner.datamodule.embeddings) is not None:
        assert served.train.std(0).min() > 0  # images differ: a wrong selection would show
    return loop


def asked(loop: ActiveLearningLoop) -> list[list[int]]:
    return [event["ids"] for event in loop.journal.events if event["event"] == "labels"]


def test_the_next_images_are_selected_while_these_are_labeled(tmp_path: Path) -> None:
    strategy = Counted(Euclidean())
    person = Person(strategy)
    loop = run(tmp_path, person, strategy)
    # The first labels need no selection; the last query is followed by none.
    assert person.selected_before == [0, 2, 2]
    assert strategy.calls == 2
    assert all(event["seconds"]["select"] > 0 for event in loop.journal.rounds[:2])


@pytest.mark.parametrize(
    "strategy",
    [
        FarthestFirst(Euclidean()),
        FarthestFirst(Cosine(), pool_subset=30),
        KMeansCenters(),
        TypiClust(pool_subset=25),
    ],
    ids=["l2", "cosine", "kmeans", "typiclust"],
)
def test_the_result_is_the_same(tmp_path: Path, strategy: Strategy) -> None:
    ahead = run(tmp_path / "ahead", Person(Counted(Euclidean())), strategy)
    later = run(tmp_path / "later", Later(Counted(Euclidean())), strategy)
    assert asked(ahead) == asked(later)
    assert len(asked(ahead)) == 3


def test_an_image_that_is_skipped_makes_the_selection_anew(tmp_path: Path) -> None:
    ahead, later = Counted(Euclidean()), Counted(Euclidean())
    one = run(tmp_path / "ahead", Person(ahead, skipped=1), ahead)
    two = run(tmp_path / "later", Later(later, skipped=1), later)
    assert asked(one) == asked(two)
    # The rounds after the first query: 9, 14 and 20 labels of 21.
    assert (ahead.calls, later.calls) == (4, 3)


class Killed(Counted):
    """Selects once a process."""

    def choose(self, *arguments: Any) -> Selection:
        if self.calls:
            raise KeyboardInterrupt
        return super().choose(*arguments)


def test_answers_at_once_are_recorded_before_anything_else_is_selected(tmp_path: Path) -> None:
    loop = make_loop(tmp_path, strategy=Killed(Euclidean()), weights=1)
    with pytest.raises((KeyboardInterrupt, Interrupted)):
        loop.run()
    assert len(asked(loop)) == 2  # the first labels, and those of the only selection
    again = make_loop(tmp_path, strategy=Killed(Euclidean()), weights=1)
    assert again.run().finished
    assert len(asked(again)) == 3


class Failing(Counted):
    """Cannot select a second time."""

    def choose(self, *arguments: Any) -> Selection:
        if self.calls == 1:
            raise ValueError("no second time")
        return super().choose(*arguments)


def test_a_selection_that_fails_fails_in_its_round(tmp_path: Path) -> None:
    strategy = Failing(Euclidean())
    person = Person(strategy)
    loop = make_loop(tmp_path, strategy=strategy, oracle=person, weights=1)
    with pytest.raises(ValueError, match="no second time"):
        loop.run()
    assert person.selected_before == [0, 1]  # the answer to the first query came before
    assert len(asked(loop)) == 2


def test_what_needs_a_classifier_waits_for_it(tmp_path: Path) -> None:
    class CountedMargin(Margin):
        calls = 0

        def choose(self, *arguments: Any) -> Selection:
            self.calls += 1
            return super().choose(*arguments)

    strategy = CountedMargin()
    person = Person(strategy)
    run(tmp_path, person, strategy)
    assert person.selected_before == [0, 1, 2]

    other = Counted(Euclidean())
    trained = Person(other)
    run(tmp_path / "trained", trained, other, mode="finetune")
    assert trained.selected_before == [0, 1, 2]


def test_embeddings_that_a_classifier_changes_are_not_fixed(tmp_path: Path) -> None:
    class Scaled(ImageClassifier):
        scale: torch.nn.Parameter

        def embed(self, images: Tensor) -> Tensor:
            return super().embed(images) * self.scale

    def make() -> ImageClassifier:
        made = Scaled(tiny_pretrained(1, mode="linear"), 3, RECIPE.optimizer)
        made.scale = torch.nn.Parameter(torch.full((), 2.0))
        return made

    strategy = Counted(Euclidean())
    person = Person(strategy)
    run(tmp_path, person, strategy, make_classifier=make)
    assert person.selected_before == [0, 1, 2]


def test_a_run_that_is_started_again_selects_the_same(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole", Person(Counted(Euclidean())), Counted(Euclidean()))

    class Leaving(Person):
        """Goes home before each answer, and answers when the run is started again."""

        home = False

        def answer(self, question: Question) -> Answer | None:
            self.home = not self.home
            return None if self.home else super().answer(question)

    folder, person = tmp_path / "parts", Leaving(Counted(Euclidean()))
    starts = 0
    while True:
        loop = run(folder, person, Counted(Euclidean()))
        starts += 1
        if loop.journal.finished:
            break
    assert starts == 4
    assert asked(loop) == asked(whole)


def label(address: str, names: tuple[str, ...], labels: Tensor, total: int) -> None:
    """A person at the page: labels what it lends, until so many images are labeled."""
    client, done = Client(address), 0
    try:
        while done < total:
            for image in client.post("/take", count=3).json()["images"]:
                name = names[int(labels[image["id"]])]
                given = [{"id": image["id"], "before": None, "after": name}]
                client.post("/submit", labels=given).raise_for_status()
                done += 1
            time.sleep(0.01)
    finally:
        if done < total:
            client.post("/stop")  # else the run would wait


def test_people_on_the_page_wait_for_the_fit_alone(tmp_path: Path) -> None:
    """A batch at a time, the next images are selected while these are labeled."""
    data, strategy = TinySource().load(), Counted(Euclidean())
    with served(tmp_path / "page", data, retrain_every=None) as (page, address):
        person = Background(lambda: label(address, data.classes, data.train.labels, total=21))
        loop = run(tmp_path / "run", page, strategy)
        person.end()
    assert strategy.calls == 2
    assert asked(loop) == asked(run(tmp_path / "later", Later(strategy), Counted(Euclidean())))


def test_only_whole_answers_are_looked_ahead_of(tmp_path: Path) -> None:
    data = TinySource().load()
    assert PageOracle(data, tmp_path, retrain_every=None).answers_here
    assert not PageOracle(data, tmp_path, retrain_every=5).answers_here
