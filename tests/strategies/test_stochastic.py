import math
from collections import Counter
from typing import Any

import pytest
import torch
from torch import Tensor

from al_lightning.strategies import (
    BALD,
    Entropy,
    Euclidean,
    FarthestFirst,
    Margin,
    Power,
    ScoreStrategy,
    Softmax,
    SoftRank,
    StochasticStrategy,
)
from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.sizes import Sizes
from al_lightning.strategies.stochastic import gumbel, mean_ranks
from al_lightning.utils.errors import UsageError
from tests.strategies.helpers import make_evidence, seeded

KINDS = [Power, Softmax, SoftRank]
each_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
SCORES = (0.1, 0.4, 0.2, 0.3)


class Given(ScoreStrategy):
    """Scores that are given."""

    def __init__(self, *scores: float) -> None:
        super().__init__()
        self.scores = torch.tensor(scores)

    def score(self, pool: Evidence) -> Tensor:
        return self.scores


def first_picks(strategy: StochasticStrategy, count: int, times: int = 4000) -> list[float]:
    pool, generator = Evidence(torch.arange(count)), seeded()
    drawn = Counter(int(strategy.select(pool, None, 1, generator).ids) for _ in range(times))
    return [drawn[i] / times for i in range(count)]


def shares(weights: list[float]) -> list[float]:
    return [weight / sum(weights) for weight in weights]


@pytest.mark.parametrize("beta", [1.0, 3.0])
@pytest.mark.parametrize(
    ("kind", "weights"),
    [
        (Power, list(SCORES)),
        (Softmax, [math.exp(score) for score in SCORES]),
        (SoftRank, [1 / 4, 1 / 1, 1 / 3, 1 / 2]),
    ],
    ids=["power", "softmax", "softrank"],
)
def test_an_image_is_drawn_in_proportion_to_its_weight(
    kind: type[StochasticStrategy], weights: list[float], beta: float
) -> None:
    expected = shares([weight**beta for weight in weights])
    found = first_picks(kind(Given(*SCORES), beta), 4)
    assert found == pytest.approx(expected, abs=0.04)  # 5 standard deviations


def test_a_batch_is_drawn_without_replacement() -> None:
    pool, generator, times = Evidence(torch.arange(4)), seeded(), 4000
    strategy = Power(Given(*SCORES))
    pairs = Counter(
        tuple(strategy.select(pool, None, 2, generator).ids.tolist()) for _ in range(times)
    )
    for (first, second), drawn in pairs.items():
        chance = SCORES[first] * SCORES[second] / (1 - SCORES[first])
        assert drawn / times == pytest.approx(chance, abs=0.04)


@each_kind
def test_where_chance_decides_little_the_order_is_that_of_the_scores(
    kind: type[StochasticStrategy],
) -> None:
    selection = kind(Given(*SCORES), beta=1e6).select(Evidence(torch.arange(4)), None, 4, seeded())
    assert selection.ids.tolist() == [1, 3, 2, 0]


@each_kind
def test_scores_are_those_of_the_base(kind: type[StochasticStrategy]) -> None:
    pool = make_evidence(30, [Need.PROBABILITIES])
    selection = kind(Entropy()).select(pool, None, 12, seeded())
    scores = dict(zip(pool.ids.tolist(), Entropy().score(pool).tolist(), strict=True))
    assert selection.scores.tolist() == [scores[i] for i in selection.ids.tolist()]


@each_kind
def test_what_is_needed_is_what_the_base_needs(kind: type[StochasticStrategy]) -> None:
    strategy = kind(BALD(mc_samples=7), pool_subset=40)
    assert strategy.needs == {Need.MC_PROBABILITIES}
    assert strategy.labeled_needs == frozenset()
    assert (strategy.mc_samples, strategy.pool_subset) == (7, 40)
    sizes = Sizes(pool=1000, labeled=0, classes=10, embedding=0, samples=7, count=5)
    assert strategy.working_bytes(sizes) > BALD(7).working_bytes(sizes)


def test_images_of_score_zero_come_last_in_random_order() -> None:
    strategy, pool = Power(Given(0.0, 1e-30, 0.0, 0.0)), Evidence(torch.arange(4))
    orders = [strategy.select(pool, None, 4, seeded(seed)).ids.tolist() for seed in range(20)]
    assert {order[0] for order in orders} == {1}
    assert {order[1] for order in orders} == {0, 2, 3}


def test_power_refuses_scores_below_zero_and_names_what_takes_them() -> None:
    pool = make_evidence(10, [Need.PROBABILITIES])
    with pytest.raises(UsageError, match=r"of Margin may be .* strategy=softmax or .*=softrank"):
        Power(Margin())
    with pytest.raises(UsageError, match=r"of Given may be below"):  # which does not say so
        Power(Given(1.0, -0.5)).select(pool.rows(torch.arange(2)), None, 1, seeded())
    for kind in (Softmax, SoftRank):
        assert len(kind(Margin()).select(pool, None, 3, seeded()).ids) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"base": FarthestFirst(Euclidean())},
            r"strategy\.base must score .* FarthestFirst does not",
        ),
        ({"base": Power(Entropy())}, r"strategy\.base must score .* Power does not"),
        ({"base": Entropy(pool_subset=9)}, r"strategy\.base\.pool_subset=9 would do nothing"),
        ({"base": Entropy(), "beta": 0.0}, r"strategy\.beta must be greater than 0, not 0\.0"),
        ({"base": Entropy(), "beta": float("nan")}, r"strategy\.beta must be .* not nan"),
        ({"base": Entropy(), "beta": float("inf")}, r"strategy\.beta must be .* not inf"),
    ],
    ids=["no scores", "no scores but chance", "subset", "zero", "nan", "inf"],
)
@each_kind
def test_what_cannot_be_used_is_an_error(
    kind: type[StochasticStrategy], arguments: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        kind(**arguments)


def test_equal_scores_share_the_mean_of_their_ranks() -> None:
    ranks = mean_ranks(torch.tensor([0.5, 0.9, 0.5, 0.1, 0.5]))
    assert ranks.tolist() == [3.0, 1.0, 3.0, 5.0, 3.0]


def test_noise_is_gumbels() -> None:
    noise = gumbel(20_000, seeded())
    assert float(noise.mean()) == pytest.approx(0.5772, abs=0.05)  # 5 standard deviations
    assert float(noise.var()) == pytest.approx(math.pi**2 / 6, abs=0.13)
