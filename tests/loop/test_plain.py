import logging
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from torch import Tensor

from al_lightning import (
    ActiveLearningLoop,
    Budget,
    ManualOracle,
    Query,
    SimulatedOracle,
    UsageError,
)
from al_lightning.data.source import ImageData
from al_lightning.loop.plain import plain_loop
from al_lightning.strategies import Euclidean, FarthestFirst, Margin
from tests.helpers import TinySource

BUDGET = Budget(initial=6, query=3, total=9)


class PartlyLabeled(TinySource):
    """A person labels the rest."""

    def load(self) -> ImageData:
        data = super().load()
        labels = data.train.labels.clone()
        labels[12:] = -1
        return replace(data, train=replace(data.train, labels=labels))


class Sheet(SimulatedOracle):
    """An oracle with a length, which is 0 before it has answered."""

    def __init__(self) -> None:
        self.answered: list[int] = []

    def __len__(self) -> int:
        return len(self.answered)

    def annotate(self, ids: Tensor) -> Tensor:
        self.answered += ids.tolist()
        return ids % 3


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., ActiveLearningLoop]:
    def loop_of(
        source: TinySource | None = None, budget: Budget = BUDGET, **options: Any
    ) -> ActiveLearningLoop:
        return plain_loop(source or TinySource(), Margin(), tmp_path, budget, epochs=1, **options)

    return loop_of


def test_a_budget_that_is_put_in_later_is_followed(make: Callable[..., ActiveLearningLoop]) -> None:
    loop = make()
    loop.budget = Budget(initial=6, query=3, total=15, validation=3)
    journal = loop.run()
    assert journal.start is not None
    assert journal.start["config"]["budget"]["validation"] == 3
    assert len(journal.pool.validation_ids) == 3
    assert journal.pool.labels_bought == 15


@pytest.mark.filterwarnings("ignore:The first labels are selected with an untrained network")
def test_the_first_labels_are_selected_by_a_strategy_wherever_it_is_given(
    make: Callable[..., ActiveLearningLoop], tmp_path: Path
) -> None:
    def first(loop: ActiveLearningLoop) -> list[int]:
        loop.step()
        assert loop.question is not None
        (tmp_path / "journal.jsonl").unlink()
        return loop.question.ids.tolist()

    strategy, manual = FarthestFirst(Euclidean()), ManualOracle()
    given = first(make(initial_strategy=strategy, oracle=manual))
    loop = make(oracle=manual)
    loop.query = Query(Margin(), initial_strategy=strategy)
    assert first(loop) == given
    assert first(make(oracle=manual)) != given


@pytest.mark.parametrize("policy", ["auto", "typiclust"])
def test_a_policy_that_needs_a_strategy_is_refused_without_one(
    make: Callable[..., ActiveLearningLoop], policy: str
) -> None:
    loop = make(budget=replace(BUDGET, initial_policy=policy))
    with pytest.raises(UsageError, match=f"{policy} needs `initial_strategy`, such as TypiClust"):
        loop.step()


def test_an_oracle_with_a_length_of_zero_is_asked(make: Callable[..., ActiveLearningLoop]) -> None:
    oracle = Sheet()
    journal = make(oracle=oracle).run()
    assert sorted(oracle.answered) == journal.pool.labeled_ids.sort().values.tolist()


def test_labels_that_nobody_knows_are_missed_before_the_first_fit(
    make: Callable[..., ActiveLearningLoop],
) -> None:
    with pytest.raises(
        UsageError, match=r"classes of 48 images.*in Python, oracle=ManualOracle\(\)"
    ):
        make(PartlyLabeled())
    budget = replace(BUDGET, total=20)
    assert make(PartlyLabeled(), budget, oracle=ManualOracle()).step()


@pytest.mark.parametrize(
    ("labels", "ids", "message"),
    [
        (["0"] * 6, None, "labels must be whole numbers"),
        ([0] * 6, ["a"] * 6, "ids must be whole numbers"),
        ([0.5] * 6, None, "labels must be whole numbers"),
        ([0], None, "6 images, but 1 labels"),
    ],
)
def test_an_answer_of_another_form_is_refused(
    make: Callable[..., ActiveLearningLoop], labels: Any, ids: Any, message: str
) -> None:
    loop = make(oracle=ManualOracle())
    loop.step()
    with pytest.raises(UsageError, match=message):
        loop.answer(labels, ids)
    loop.answer([0, 1, 2, 0, 1, 2])
    assert loop.journal.pool.labels.tolist() == [0, 1, 2, 0, 1, 2]


def test_a_notebook_is_not_flooded(
    make: Callable[..., ActiveLearningLoop],
    monkeypatch: pytest.MonkeyPatch,
    recwarn: pytest.WarningsRecorder,
) -> None:
    reported: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: reported.append(record.getMessage())  # type: ignore[method-assign]
    for name in ("lightning", "lightning.pytorch"):
        monkeypatch.setattr(logging.getLogger(name), "level", logging.INFO)
        monkeypatch.setattr(logging.getLogger(name), "handlers", [handler])
    make(budget=Budget(initial=6, query=3, total=15)).run()
    assert reported == []
    assert [str(warning.message) for warning in recwarn] == []
