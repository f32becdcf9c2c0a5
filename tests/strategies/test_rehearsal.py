import pytest
import torch
from torch import Tensor

from al_lightning.strategies import BALD, ScoreStrategy, Selection, Strategy
from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.rehearsal import rehearse
from al_lightning.utils.errors import UsageError

SIZES = (1000, 10, 32)  # images, classes, dimensions


class Positions(Strategy):
    def choose(
        self, pool: Evidence, labeled: Evidence, count: int, generator: torch.Generator
    ) -> Selection:
        return Selection(torch.arange(count), torch.zeros(count))


@pytest.mark.parametrize("images", [2, 9, 1000])
def test_positions_are_found_out_at_once(images: int) -> None:
    with pytest.raises(UsageError, match=r"Positions\.choose must select ids of the pool"):
        rehearse(Positions(), images, *SIZES[1:])


class Curious(ScoreStrategy):
    """Remembers what it saw, in a place that copies share."""

    needs = frozenset(Need)
    seen: list[Evidence]

    def __init__(self) -> None:
        type(self).seen = []
        self.calls = 0

    def score(self, pool: Evidence) -> Tensor:
        self.calls += 1
        self.seen.append(pool)
        return torch.zeros(len(pool))


def test_it_is_made_up_in_the_shapes_of_the_run_and_leaves_the_strategy_alone() -> None:
    strategy = Curious()
    rehearse(strategy, *SIZES)
    assert strategy.calls == 0
    (pool,) = strategy.seen
    assert pool.ids.tolist() == list(range(984, 1000))
    shapes = {need: tuple(values.shape[1:]) for need, values in pool.quantities().items()}
    assert shapes == {
        Need.PROBABILITIES: (10,),
        Need.EMBEDDINGS: (32,),
        Need.MC_PROBABILITIES: (20, 10),
        Need.CALIBRATED_PROBABILITIES: (10,),
        Need.DROPPED_FEATURES: (20, 10),
    }
    sums = pool.require(Need.MC_PROBABILITIES).sum(-1)
    torch.testing.assert_close(sums, torch.ones_like(sums))


class Picky(ScoreStrategy):
    def score(self, pool: Evidence) -> Tensor:
        raise RuntimeError(f"{len(pool)} images are too few")


def test_what_a_strategy_raises_itself_is_left_to_the_run() -> None:
    rehearse(Picky(), *SIZES)


def test_nothing_is_selected_from_no_images() -> None:
    rehearse(Positions(), 1, *SIZES[1:])


def test_as_many_samples_are_made_up_as_it_takes() -> None:
    rehearse(BALD(mc_samples=3), *SIZES)


class Roots(ScoreStrategy):
    """Is right where embeddings are positive, as behind a ReLU."""

    needs = frozenset({Need.EMBEDDINGS})

    def score(self, pool: Evidence) -> Tensor:
        return pool.require(Need.EMBEDDINGS).sqrt().sum(1)


def test_scores_of_made_up_evidence_need_not_be_finite() -> None:
    rehearse(Roots(), *SIZES)


class Undeclared(ScoreStrategy):
    def score(self, pool: Evidence) -> Tensor:
        return pool.require(Need.PROBABILITIES).max(1).values


def test_a_need_that_was_not_declared_is_found_out_at_once() -> None:
    with pytest.raises(UsageError, match=r"Undeclared was tried.*must declare Need\.PROBABILITIES"):
        rehearse(Undeclared(), *SIZES)


class TakesMore(ScoreStrategy):
    def score(self, pool: Evidence, generator: torch.Generator) -> Tensor:  # type: ignore[override]
        return torch.rand(len(pool), generator=generator)


def test_a_score_of_more_than_the_pool_is_found_out_at_once() -> None:
    with pytest.raises(UsageError, match=r"TakesMore\.score must take the pool alone: missing"):
        rehearse(TakesMore(), *SIZES)
