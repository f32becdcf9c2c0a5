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


def test_strategies_that_share_no_seed_keep_their_own_scores_and_have_no_look() -> None:
    apart = {
        "random": dict.fromkeys(range(6), 0.5),
        "entropy": dict.fromkeys(range(3), 0.6),
        "margin": dict.fromkeys(range(3, 6), 0.7),
    }
    found = basis(apart, "random", Rules())
    assert (found.seeds, found.shared, found.compared) == ((), 0, tuple(apart))
    assert found.scores == apart
    assert (found.behind, found.ahead) == ({}, 0)


@pytest.mark.parametrize(
    ("seeds", "behind", "ahead"),
    [
        ({"random": 10, "margin": 10, "entropy": 3}, {"entropy": 3}, 10),
        ({"random": 12, "margin": 11, "entropy": 3, "kl": 4}, {"entropy": 3, "kl": 4}, 11),
        ({"random": 10, "margin": 7, "entropy": 3}, {"entropy": 3}, 7),  # at 5 seeds, not at 10
        ({"random": 10, "margin": 4, "entropy": 3}, {}, 0),  # no look takes 4
        ({"random": 10, "margin": 10, "entropy": 2}, {}, 0),  # not compared: it keeps nobody
    ],
)
def test_who_keeps_the_others_from_a_later_look_is_known(
    seeds: dict[str, int], behind: dict[str, int], ahead: int
) -> None:
    scores = {name: dict.fromkeys(range(count), 0.5) for name, count in seeds.items()}
    found = basis(scores, "random", Rules())
    assert (found.behind, found.ahead) == (behind, ahead)


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
