import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm

from al_lightning.report.rules import Rules
from al_lightning.report.statistics.looks import basis, level, look_level

SCORES = {
    "random": dict.fromkeys(range(7), 0.5),
    "margin": {s: 0.6 + s / 100 for s in (6, 5, 4, 3, 1, 0)},
    "kl": dict.fromkeys(range(9), 0.4),
    "late": {0: 0.9, 1: 0.9, 8: 0.9},
}


@pytest.mark.parametrize(
    ("looks", "known"), [(1, 0.05), (2, 0.0294), (3, 0.0221), (4, 0.0182), (5, 0.0158)]
)
def test_equal_steps_have_the_level_of_pocock_1977(looks: int, known: float) -> None:
    assert look_level(tuple(range(4, 4 * looks + 1, 4))) == pytest.approx(known, abs=5e-5)


def test_unequal_steps_share_5_percent_by_the_normal_distribution() -> None:
    looks = np.array([3, 5, 10])
    limit = norm.isf(look_level((3, 5, 10)) / 2)
    correlated = np.sqrt(np.minimum.outer(looks, looks) / np.maximum.outer(looks, looks))
    inside = multivariate_normal(np.zeros(3), correlated, seed=0).cdf(
        np.full(3, limit), lower_limit=np.full(3, -limit)
    )
    assert inside == pytest.approx(0.95, abs=2e-4)
    assert look_level((3, 10_000)) == pytest.approx(1 - 0.95**0.5, abs=2e-4)  # nearly independent


def test_claims_rest_on_the_lowest_seeds_that_all_compared_strategies_share() -> None:
    found = basis(SCORES, "random", Rules(looks=(3, 5, 10)))
    assert (found.seeds, found.shared) == ((0, 1, 3, 4, 5), 6)
    assert found.compared == ("random", "margin", "kl")
    assert list(found.scores["kl"]) == [0, 1, 3, 4, 5]
    assert found.scores["margin"][5] == 0.65
    assert found.scores["late"] == SCORES["late"]  # 2 seeds of random: not compared
    more = {name: {**SCORES[name], 20: 0.1} for name in found.compared}
    assert basis(more, "random", Rules()).seeds == found.seeds  # until the next look


def test_before_the_first_look_there_are_no_seeds() -> None:
    found = basis(SCORES, "random", Rules(looks=(8,)))
    assert (found.seeds, found.compared) == ((), ())
    assert basis({}, None, Rules()).seeds == ()
    apart = {"a": dict.fromkeys(range(4), 0.5), "b": dict.fromkeys(range(3, 7), 0.5)}
    found = basis(apart, None, Rules())
    assert (found.seeds, found.shared, found.scores["a"]) == ((), 1, {3: 0.5})


def test_the_level_depends_on_the_plan_alone() -> None:
    rules = Rules(looks=(5, 10))
    assert [level(rules, n) for n in (4, 5, 7, 30)] == [0.0, *[look_level((5, 10))] * 3]
