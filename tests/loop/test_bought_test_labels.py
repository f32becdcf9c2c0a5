from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from al_lightning import Answer, Journal, ManualOracle, UsageError
from al_lightning.callbacks.end_of_run import last_accuracies
from al_lightning.loop.first_labels import FirstLabels
from al_lightning.loop.plain import plain_loop
from al_lightning.run.budget import Budget
from al_lightning.run.pool import Pool
from al_lightning.run.summary import summarize
from al_lightning.strategies import Margin
from al_lightning.utils.intervals import wilson_interval
from tests.helpers import TinySource, tiny_classifier

BUDGET = Budget(initial=9, query=6, total=32, validation=5, test=6)


def run(folder: Path, **options: Any) -> Journal:
    loop = plain_loop(
        TinySource(test=0),
        Margin(),
        folder,
        BUDGET,
        make_classifier=tiny_classifier,
        epochs=2,
        **options,
    )
    return loop.run()


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> Journal:
    return run(tmp_path_factory.mktemp("run"))


def test_they_are_bought_once_counted_and_never_trained_on(journal: Journal) -> None:
    origins = [event["origin"] for event in journal.events if event["event"] == "labels"]
    assert origins == ["validation", "test", "initial", "query", "query"]
    pool = journal.pool
    parts = (pool.labeled_ids, pool.validation_ids, pool.test_ids)
    assert [len(ids) for ids in parts] == [21, 5, 6]
    assert len(set(torch.cat(parts).tolist())) == pool.labels_bought == 32
    assert torch.equal(pool.test_labels, TinySource().load().train.labels[pool.test_ids])


def test_they_are_the_final_figure(journal: Journal) -> None:
    accuracy = journal.rounds[-1]["test"]["accuracy"]
    summary = summarize(journal, {})
    assert summary["test_labels"] == 6
    assert summary["test"]["accuracy"] == accuracy
    assert summary["test"]["accuracy_interval"] == list(wilson_interval(accuracy, 6))
    assert any("on 6 test labels, drawn at random" in line for line in last_accuracies(journal))


def test_they_are_drawn_beside_validation_from_all_images_whatever_else_is_bought(
    tmp_path: Path, journal: Journal
) -> None:
    """Validation labels do not move with them, and every image is drawn as often."""
    alone = plain_loop(TinySource(test=0), Margin(), tmp_path, Budget(9, 6, 32, validation=5))
    alone.step()
    assert torch.equal(alone.journal.pool.validation_ids, journal.pool.validation_ids)


def test_a_person_is_asked_for_them_under_a_name_of_their_own(tmp_path: Path) -> None:
    oracle, truth = ManualOracle(), TinySource().load().train.labels
    names = []
    for _ in range(6):
        loop = plain_loop(TinySource(test=0), Margin(), tmp_path, BUDGET, oracle=oracle, epochs=1)
        loop.run()
        assert loop.question is not None
        names.append(loop.question.name)
        if len(names) == 3:
            break
        loop.answer(truth[loop.question.ids])
    assert names == ["round_00_validation", "round_00_test", "round_00"]


def test_gaps_in_them_are_warned_of(tmp_path: Path) -> None:
    class Half(ManualOracle):
        answers_at_once = True

        def answer(self, question: Any) -> Answer:
            kept = question.ids[: len(question.ids) - (question.origin == "test")]
            return Answer(kept, TinySource().load().train.labels[kept])

    loop = plain_loop(TinySource(test=0), Margin(), tmp_path, BUDGET, oracle=Half())
    loop.step()
    with pytest.warns(UserWarning, match="1 of 6 images for test have no label"):
        loop.step()
    loop.step()  # what was left open stays open
    assert len(loop.journal.pool.test_ids) == 5
    assert len(loop.journal.pool.labeled_ids) == 9


@pytest.mark.parametrize(
    ("amounts", "message"),
    [
        ({"test": -1}, r"budget\.test must be"),
        ({"test": 90, "validation": 9}, r"budget\.validation \+ budget\.test = 99 leaves fewer"),
    ],
)
def test_amounts_that_do_not_fit_are_refused(amounts: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        Budget(initial=10, query=10, total=100, **amounts)  # type: ignore[arg-type]


def test_a_start_that_takes_more_than_there_is_names_all_parts() -> None:
    budget = Budget(initial=50, query=10, total=100, validation=30, test=30)
    with pytest.raises(
        UsageError, match=r"budget\.initial \+ budget\.validation \+ budget\.test = 50 \+ 30 \+ 30"
    ):
        budget.limit(1000)


@pytest.mark.parametrize("groups", [None, torch.arange(120) // 2])
def test_of_new_images_the_same_share_is_bought(groups: Tensor | None) -> None:
    """60 images at the start, 4 for validation and 6 for test; 60 more come."""
    nothing = torch.empty(0, dtype=torch.int64)
    data = SimpleNamespace(train=SimpleNamespace(groups=groups), given_ids=nothing)
    arrivals = [(60, 120, {"budget": {"validation": 4}})]
    facts = {"arrivals": arrivals, "is_project": True, "events": ()}
    history = SimpleNamespace(**facts, given_labels=lambda now: now)
    first = FirstLabels(
        cast("Any", SimpleNamespace(seed=0, data=data)),
        cast("Any", SimpleNamespace(initial_strategy=None)),
        # That for validation was raised since.
        Budget(initial=9, query=6, total="all", validation=8, test=6),
        cast("Any", history),
    )
    pool = Pool(120).reveal(torch.arange(9), torch.zeros(9, dtype=torch.int64))
    found: dict[str, Tensor] = {}
    for _ in range(2):
        missing = first.missing(pool)
        assert missing is not None
        origin, ids = missing
        found[origin] = ids
        owners = ids if groups is None else groups[ids]
        assert not torch.isin(owners, torch.arange(60 if groups is None else 30)).any()
        labels = torch.zeros_like(ids)
        kept: dict[str, Any] = {f"{origin}_ids": ids, f"{origin}_labels": labels}
        pool = replace(pool, **kept)
    assert {origin: len(ids) for origin, ids in found.items()} == {"validation": 4, "test": 6}
    owned = [set((ids if groups is None else groups[ids]).tolist()) for ids in found.values()]
    assert not owned[0] & owned[1]
    assert first.missing(pool) is None
