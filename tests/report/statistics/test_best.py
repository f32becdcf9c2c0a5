import numpy as np
import pytest

from al_lightning.report.rules import Rules
from al_lightning.report.statistics.best import standings
from al_lightning.report.statistics.many import best
from al_lightning.report.statistics.moderation import NOMINAL


def test_who_is_far_behind_leaves_the_set() -> None:
    drawn = np.random.default_rng(0)
    means = {"a": 0.9, "b": 0.899, "c": 0.8, "d": 0.85}
    scores = {
        n: {s: m + float(d) for s, d in enumerate(drawn.normal(0, 0.005, 5))}
        for n, m in means.items()
    }
    found = {s.strategy: s for s in standings(scores, list(means))}
    assert [n for n, s in found.items() if s.can_be_best] == ["a", "b"]
    assert found["c"].behind is not None
    assert found["c"].behind > 0.1


def test_the_bound_by_hand() -> None:
    """Two strategies: one difference, Student's t, one-sided; both can be the best."""
    apart = [-0.02, -0.01, 0.0, 0.01, 0.03]
    scores = {"a": dict.fromkeys(range(5), 0.5), "b": {s: 0.5 + d for s, d in enumerate(apart)}}
    a, b = standings(scores, ["a", "b"], Rules(looks=(3,)))
    half = best(2, 2, 4, NOMINAL * 0.05) * np.std(apart, ddof=1) / 5**0.5
    assert (a.can_be_best, b.can_be_best) == (True, True)
    assert (a.behind, b.behind) == pytest.approx((0.002 + half, half - 0.002), rel=1e-3)


def test_the_only_best_one_is_behind_nobody() -> None:
    scores = {
        "a": {s: 0.9 + 0.001 * s for s in range(4)},
        "b": {s: 0.5 - 0.001 * s for s in range(4)},
    }
    a, b = standings(scores, ["a", "b"])
    assert (a.can_be_best, a.behind, b.can_be_best) == (True, 0.0, False)


def test_what_shares_too_few_seeds_is_left_out_or_its_bound_is_unknown() -> None:
    scores = {n: {s: 0.5 + 0.01 * ((s * k) % 3) for s in range(4)} for k, n in enumerate("abc", 1)}
    scores["late"] = {9: 0.4}
    assert [s.strategy for s in standings(scores, [*"abc", "late"])] == ["a", "b", "c"]
    scores["part"] = {s + 2: v + 0.001 * s for s, v in scores["a"].items()}
    scores["b"] |= {4: 0.5, 5: 0.51}
    found = {s.strategy: s.behind for s in standings(scores, [*"abc", "part"])}
    assert found["part"] is None
    assert found["b"] is not None


def test_nothing_to_test() -> None:
    equal = {n: dict.fromkeys(range(3), 0.5) for n in "ab"}
    assert standings(equal, ["a", "b"]) == []
    assert standings(equal, ["a"]) == []
    drawn = {n: {s: 0.1 * s * k for s in range(3)} for k, n in enumerate("ab")}
    assert standings(drawn, ["a", "b"], Rules(looks=(5,))) == []


def test_several_best_ones_all_stay_in_95_of_100_studies() -> None:
    drawn, out = np.random.default_rng(1), 0
    for _ in range(200):
        rows = drawn.normal(0, 1, (5, 4))
        scores = {n: dict(enumerate(row)) for n, row in zip("abcde", rows.tolist(), strict=True)}
        out += not all(s.can_be_best for s in standings(scores, list(scores), Rules(looks=(3,))))
    assert out <= 16  # 10 are 5 % of 200; more than 16 once in 50 times


def test_strategies_far_behind_hide_nothing_of_the_others() -> None:
    """Two strategies that are told apart stay so, however noisy others are that nobody would take."""
    drawn = np.random.default_rng(3)
    first = drawn.normal(0.9, 0.01, 10)
    scores = {
        "a": dict(enumerate(first.tolist())),
        "b": dict(enumerate((first - drawn.normal(0.004, 0.002, 10)).tolist())),
    }
    alone = {s.strategy: s for s in standings(scores, ["a", "b"])}
    assert (alone["a"].can_be_best, alone["b"].can_be_best) == (True, False)
    for k in range(4):
        scores[f"far {k}"] = dict(enumerate(drawn.normal(0.5, 0.05, 10).tolist()))
    found = {s.strategy: s for s in standings(scores, list(scores))}
    assert [name for name, s in found.items() if s.can_be_best] == ["a"]
    assert (found["a"].behind, found["b"].behind) == (0.0, alone["b"].behind)
    assert found["far 0"].behind is not None
    assert found["far 0"].behind > 0.3
