from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from al_lightning.strategies import (
    Entropy,
    Power,
    Random,
    ScoreStrategy,
    Selection,
    Shortlist,
    Strategy,
)
from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.utils.errors import UsageError
from tests.strategies.helpers import make_evidence, seeded

COUNT = 4
IDS = make_evidence(12, []).ids.sort().values


class Mine(Strategy):
    """Returns whatever it is told to."""

    def __init__(self, answer: Callable[[Tensor], Any]) -> None:
        self.answer = answer

    def choose(
        self, pool: Evidence, labeled: Evidence, count: int, generator: torch.Generator
    ) -> Selection:
        return self.answer(pool.ids)  # type: ignore[no-any-return]


def select(answer: Callable[[Tensor], Any]) -> Selection:
    return Mine(answer).select(make_evidence(12, []), None, COUNT, seeded())


def with_scores(scores: Any) -> Callable[[Tensor], Selection]:
    return lambda ids: Selection(ids[:COUNT], scores)


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (
            lambda _: None,
            r"return a Selection\(ids, scores\), not None; a `return` is missing",
        ),
        (lambda ids: ids[:COUNT], r"Selection\(ids, scores\), not a tensor of shape \(4,\)"),
        (lambda ids: (ids, ids), r"Selection\(ids, scores\), not a tuple"),
        (lambda ids: Selection(ids[:3], torch.zeros(3)), "exactly 4 distinct images, not 3"),
        (lambda ids: Selection(ids[:0], torch.zeros(0)), "exactly 4 distinct images, not 0"),
        (lambda ids: Selection(ids, torch.zeros(12)), "exactly 4 distinct images, not 12"),
        (
            lambda ids: Selection(ids[[0, 1, 1, 2]], torch.zeros(4)),
            rf"selected more than once: {int(IDS[1])}$",
        ),
        (
            lambda _: Selection(torch.arange(4), torch.zeros(4)),
            r"ids of the pool, and 4 of 4 are not: 0, 1, 2, 3\. Positions become ids by pool\.ids",
        ),
        (
            lambda ids: Selection(torch.tensor([*ids[:3].tolist(), 10**7]), torch.zeros(4)),
            "1 of 4 are not: 10000000",
        ),
        (lambda ids: Selection(ids[:4].int(), torch.zeros(4)), "dtype int64, not .* torch.int32"),
        (lambda ids: Selection(ids[:4, None], torch.zeros(4)), r"ids of shape \(4,\).* \(4, 1\)"),
        (lambda ids: Selection(ids[:4].tolist(), torch.zeros(4)), "dtype int64, not a list"),
        (with_scores(None), r"in a tensor of shape \(4,\), not None"),
        (with_scores([0.0] * 4), r"in a tensor of shape \(4,\), not a list"),
        (with_scores(torch.zeros(4, 1)), r"in a tensor of shape \(4,\), not .* \(4, 1\)"),
        (with_scores(torch.zeros(5)), r"in a tensor of shape \(4,\), not .* \(5,\)"),
        (
            with_scores(torch.tensor([0, torch.nan, torch.inf, 0])),
            rf"2 image\(s\) are NaN or infinite .* ids: {int(IDS[1])}, {int(IDS[2])}$",
        ),
        (with_scores(torch.full((4,), 1e300, dtype=torch.float64)), "infinite in float32"),
    ],
)
def test_what_is_no_selection_is_refused_by_the_name_of_the_strategy(
    answer: Callable[[Tensor], Any], message: str
) -> None:
    with pytest.raises(UsageError, match=rf"^Mine\.choose must .*{message}"):
        select(answer)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.int64])
def test_scores_of_any_real_dtype_become_float32(dtype: torch.dtype) -> None:
    scores = select(with_scores(torch.arange(4).to(dtype))).scores
    assert scores.dtype == torch.float32
    assert scores.tolist() == [0, 1, 2, 3]


def test_scores_lose_their_graph() -> None:
    assert not select(with_scores(torch.zeros(4, requires_grad=True))).scores.requires_grad


def test_fewer_images_than_asked_for_are_all_selected() -> None:
    found = Mine(lambda ids: Selection(ids, torch.zeros(len(ids)))).select(
        make_evidence(3, []), None, 10, seeded()
    )
    assert len(found.ids) == 3


class Scored(ScoreStrategy):
    """Scores by whatever it is told to."""

    def __init__(self, answer: Callable[[int], Any]) -> None:
        self.answer = answer

    def score(self, pool: Evidence) -> Tensor:
        return self.answer(len(pool))  # type: ignore[no-any-return]


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (lambda n: torch.zeros(n, 1), r"tensor of shape \(12,\), not .* \(12, 1\)"),
        (lambda n: torch.zeros(n - 1), r"tensor of shape \(12,\), not .* \(11,\)"),
        (lambda _: None, "not None"),
        (lambda n: torch.full((n,), torch.nan), r"12 image\(s\) are NaN or infinite"),
    ],
)
def test_what_are_no_scores_is_refused_wherever_they_are_taken(
    answer: Callable[[int], Any], message: str
) -> None:
    mine = Scored(answer)
    for strategy in (mine, Power(mine), Shortlist(mine, Random())):
        with pytest.raises(UsageError, match=rf"^Scored\.score must .*{message}"):
            strategy.select(make_evidence(12, []), None, COUNT, seeded())


@pytest.mark.parametrize("name", ["needs", "labeled_needs"])
@pytest.mark.parametrize(
    "needs", [{"probabilities"}, Need.PROBABILITIES, [Need.PROBABILITIES], None, "embeddings"]
)
def test_needs_that_are_no_set_of_needs_are_refused(name: str, needs: Any) -> None:
    strategy = Random()
    setattr(strategy, name, needs)
    with pytest.raises(UsageError, match=rf"Random\.{name} must be a set of Need, .*, not"):
        strategy.select(make_evidence(12), None, COUNT, seeded())


def test_a_set_of_needs_that_can_change_will_do() -> None:
    strategy = Random()
    strategy.needs = {Need.EMBEDDINGS}  # type: ignore[assignment]
    assert len(strategy.select(make_evidence(12), None, COUNT, seeded()).ids) == COUNT


@pytest.mark.parametrize("part", [Entropy, "entropy", None, torch.zeros(3)])
def test_what_is_no_strategy_is_no_part_of_one(part: Any) -> None:
    with pytest.raises(UsageError, match=r"^strategy\.base must be an? "):
        Power(part)
    with pytest.raises(UsageError, match=r"^strategy\.uncertainty must be an? "):
        Shortlist(part, Random())
    with pytest.raises(UsageError, match=r"^strategy\.diversity must be an? "):
        Shortlist(Entropy(), part)


def test_the_parts_of_a_shortlist_score_and_see_what_they_are_given() -> None:
    with pytest.raises(
        UsageError, match=r"strategy\.uncertainty must score every image on its own"
    ):
        Shortlist(Random(), Random())  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"strategy\.diversity\.pool_subset=7 would do nothing"):
        Shortlist(Entropy(), Random(pool_subset=7))


def test_a_strategy_whose_selections_nobody_would_check_is_no_class() -> None:
    def select(*_: Any) -> None: ...

    with pytest.raises(TypeError, match="Bold must implement choose, not select"):
        type("Bold", (Random,), {"select": select})
