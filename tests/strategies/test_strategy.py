from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor

from al_lightning.strategies import (
    Euclidean,
    FarthestFirst,
    ScoreStrategy,
    Selection,
    Strategy,
    top_k,
)
from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.sizes import Sizes
from al_lightning.utils.errors import UsageError
from tests.strategies.helpers import make_evidence, seeded


class FirstProbability(ScoreStrategy):
    """Scores an image by its first probability."""

    needs = frozenset({Need.PROBABILITIES})

    def score(self, pool: Evidence) -> Tensor:
        return pool.require(Need.PROBABILITIES)[:, 0]


class Spy(Strategy):
    """Remembers what it was given and chooses the first images."""

    needs = frozenset({Need.EMBEDDINGS})
    labeled_needs = frozenset({Need.EMBEDDINGS})

    def choose(
        self, pool: Evidence, labeled: Evidence, count: int, generator: torch.Generator
    ) -> Selection:
        self.pool, self.labeled = pool, labeled
        return Selection(pool.ids[:count], torch.zeros(count))


def test_top_k_is_descending() -> None:
    assert top_k(torch.tensor([0.1, 0.9, -1.0, 0.5]), 3, seeded()).tolist() == [1, 3, 0]


def test_top_k_breaks_ties_at_random() -> None:
    scores, generator = torch.tensor([1.0, 2.0, 1.0, 1.0, 0.0]), seeded()
    draws = torch.stack([top_k(scores, 2, generator) for _ in range(900)])
    assert (draws[:, 0] == 1).all()
    counts = Counter(draws[:, 1].tolist())
    assert counts.keys() == {0, 2, 3}
    assert all(abs(times - 300) < 75 for times in counts.values())  # 5 standard deviations


@pytest.mark.parametrize("count", [0, 1, 7, 199, 200])
def test_top_k_has_the_highest_scores_and_all_of_them(count: int) -> None:
    scores = torch.randint(0, 20, (200,), generator=seeded(1)).float()
    scores[:3] = torch.tensor([-torch.inf, torch.inf, -0.0])
    found = top_k(scores, count, seeded(2))
    assert len(set(found.tolist())) == count
    assert torch.equal(scores[found], scores.sort(descending=True).values[:count])


def test_top_k_of_ties_depends_on_the_generator_alone() -> None:
    scores = torch.zeros(50)
    assert torch.equal(top_k(scores, 9, seeded(3)), top_k(scores, 9, seeded(3)))
    assert not torch.equal(top_k(scores, 9, seeded(3)), top_k(scores, 9, seeded(4)))


def test_score_strategy_selects_the_highest_scores() -> None:
    pool = make_evidence(20, [Need.PROBABILITIES])
    selection = FirstProbability().select(pool, None, 4, seeded())
    scores, order = pool.require(Need.PROBABILITIES)[:, 0].sort(descending=True)
    assert selection.ids.tolist() == pool.ids[order[:4]].tolist()
    assert torch.equal(selection.scores, scores[:4])


def test_choose_sees_ascending_ids_with_their_own_rows() -> None:
    pool, labeled = make_evidence(9, [Need.EMBEDDINGS]), make_evidence(8, [Need.EMBEDDINGS], seed=1)
    spy = Spy()
    spy.select(pool, labeled, 1, seeded())
    for given, got in ((pool, spy.pool), (labeled, spy.labeled)):
        order = given.ids.argsort()
        assert torch.equal(got.ids, given.ids[order])
        assert torch.equal(got.require(Need.EMBEDDINGS), given.require(Need.EMBEDDINGS)[order])


def test_no_labeled_set_is_an_empty_one() -> None:
    spy = Spy()
    spy.select(make_evidence(3, [Need.EMBEDDINGS], dimensions=6), None, 1, seeded())
    assert spy.labeled.require(Need.EMBEDDINGS).shape == (0, 6)


@pytest.mark.parametrize("count", [0, -1])
def test_count_below_one_is_an_error(count: int) -> None:
    with pytest.raises(ValueError, match=f"at least 1, not {count}"):
        Spy().select(make_evidence(3), None, count, seeded())


def test_empty_pool_is_an_error() -> None:
    with pytest.raises(ValueError, match="pool is empty"):
        Spy().select(make_evidence(0), None, 1, seeded())


def test_absent_evidence_is_an_error() -> None:
    with pytest.raises(ValueError, match="no embeddings"):
        Spy().select(make_evidence(3, [Need.PROBABILITIES]), None, 1, seeded())
    with pytest.raises(ValueError, match="no embeddings"):
        Spy().select(make_evidence(3), make_evidence(3, []), 1, seeded())


def test_error_names_at_most_ten_ids_and_the_set() -> None:
    ids = torch.arange(100, 112)
    bad = Evidence(ids, embeddings=torch.full((12, 2), torch.nan))
    with pytest.raises(
        ValueError, match=r"12 image\(s\) of the labeled set .* 100, .* 109, and 2 more"
    ):
        Spy().select(make_evidence(3), bad, 1, seeded())


def test_a_strategy_without_a_constructor_of_its_own_takes_a_subset() -> None:
    assert Spy().pool_subset is None
    assert Spy(pool_subset=30).pool_subset == 30


@pytest.mark.parametrize("size", [0, -1, 1.5, "7", True])
def test_a_subset_that_is_none_is_an_error_that_names_the_key(size: Any) -> None:
    with pytest.raises(UsageError, match=rf"strategy\.pool_subset must be .* not {size!r}"):
        Spy(pool_subset=size)


class Untold(Strategy):
    """Does not call the constructor of its parent."""

    def __init__(self) -> None:
        pass

    def choose(
        self, pool: Evidence, labeled: Evidence, count: int, generator: torch.Generator
    ) -> Selection:
        return Selection(pool.ids[:count], torch.zeros(count))


def test_a_strategy_may_know_of_no_subset() -> None:
    assert Untold().pool_subset is None
    assert Untold().mc_samples == 20


def test_by_default_work_takes_as_much_memory_as_the_evidence_of_the_pool() -> None:
    sizes = Sizes(pool=1000, labeled=10, classes=5, embedding=8, samples=20, count=5)
    assert Spy().working_bytes(sizes) == 1000 * (4 * 8 + 64)


def test_labeled_images_of_another_network_are_an_error() -> None:
    pool = Evidence(torch.arange(3), embeddings=torch.rand(3, 4))
    labeled = Evidence(torch.arange(5, 7), embeddings=torch.rand(2, 5))
    with pytest.raises(
        ValueError, match=r"embeddings has rows of shape \(4,\) in the pool, and of"
    ):
        FarthestFirst(Euclidean()).select(pool, labeled, 1, seeded())
    nothing = Evidence(torch.arange(0))  # as a scorer says of no images
    assert len(FarthestFirst(Euclidean()).select(pool, nothing, 1, seeded()).ids) == 1
