import numpy as np
import pytest
from scipy import stats

from al_lightning.report.rules import Rules
from al_lightning.report.statistics.comparison import Outcome, compare
from al_lightning.report.statistics.many import dunnett
from al_lightning.report.statistics.moderation import NOMINAL

SCORES = {
    "random": {0: 0.80, 1: 0.82, 2: 0.81, 3: 0.79},
    "margin": {3: 0.82, 2: 0.83, 1: 0.85, 0: 0.83},  # 0.03, 0.03, 0.02, 0.03
    "entropy": {0: 0.81, 1: 0.81, 2: 0.83, 3: 0.79},  # 0.01, -0.01, 0.02, 0
    "kl": {0: 0.70, 1: 0.71, 2: 0.73, 3: 0.70},
    "l2": {0: 0.9, 1: 0.95, 9: 0.9},
    "badge": {8: 0.9},
}
ONCE = Rules(looks=(3,))
OTHERS = ["margin", "entropy", "kl", "l2", "badge"]


def test_readings_and_what_is_not_tested() -> None:
    found = compare(SCORES, "random", OTHERS)
    assert [c.outcome for c in found] == [
        Outcome.BETTER,
        Outcome.UNDECIDED,
        Outcome.WORSE,
        Outcome.UNTESTED,
        Outcome.UNTESTED,
    ]
    assert [c.seeds for c in found] == [4, 4, 4, 2, 0]
    assert [c.interval is None for c in found] == [False] * 3 + [True] * 2
    assert found[0].mean == pytest.approx(0.0275)
    assert found[-1].mean == float("-inf")


def test_where_nothing_may_be_claimed_there_are_the_differences_alone() -> None:
    read, shown = compare(SCORES, "random", OTHERS), compare(SCORES, "random", OTHERS, claims=False)
    assert [c.difference for c in shown] == [c.difference for c in read]
    assert {(c.outcome, c.interval) for c in shown} == {(Outcome.UNTESTED, None)}


def test_a_single_comparison_is_a_paired_t_test() -> None:
    (found,) = compare(SCORES, "random", ["margin"], ONCE)
    each = np.array([SCORES["margin"][s] - SCORES["random"][s] for s in range(4)])
    half = stats.t.ppf(1 - NOMINAL * 0.025, 3) * each.std(ddof=1) / 2
    assert found.interval == pytest.approx((0.0275 - half, 0.0275 + half), rel=1e-3)


def test_intervals_are_simultaneous_by_hand() -> None:
    """Two strategies of one spread: the pooled one, with Dunnett's value for both."""
    differences = {"a": [0.01, 0.02, 0.03, 0.04, 0.05], "b": [-0.02, -0.01, 0.0, 0.01, 0.02]}
    scores = {"random": dict.fromkeys(range(5), 0.5)}
    scores |= {n: {s: 0.5 + d for s, d in enumerate(v)} for n, v in differences.items()}
    a, b = compare(scores, "random", ["a", "b"], ONCE)
    half = dunnett(2, 1 / ((1 - 25 / 64) / 6.4 + 25 / 64 / 4), 0.04) * np.std(
        [1, 2, 3, 4, 5], ddof=1
    )
    half = half / 100 / 5**0.5
    assert a.interval == pytest.approx((0.03 - half, 0.03 + half), rel=1e-6)
    assert b.interval == pytest.approx((-half, half), rel=1e-6, abs=1e-9)


def test_a_claim_of_a_later_step_ends_at_0() -> None:
    half = compare(*_two(0.03))[0].interval
    assert half is not None
    between = 0.03 - half[0] - 0.0005  # just inside of the interval of the first step
    far, near = compare(*_two(between))[1], compare(*_two(between))[0]
    assert (far.outcome, near.outcome) == (Outcome.BETTER, Outcome.BETTER)
    assert near.interval is not None
    assert near.interval[0] == 0.0


def _two(mean: float) -> tuple[dict[str, dict[int, float]], str, list[str]]:
    apart = [-0.02, -0.01, 0.0, 0.01, 0.02]
    scores = {"random": dict.fromkeys(range(5), 0.5)}
    scores["near"] = {s: 0.5 + mean + d for s, d in enumerate(apart)}
    scores["far"] = {s: 0.7 + d for s, d in enumerate(apart)}
    return scores, "random", ["near", "far"]


def test_the_same_within_the_margin() -> None:
    scores = {"random": dict.fromkeys(range(5), 0.5)}
    scores["twin"] = {s: 0.5 + 0.0001 * (s - 2) for s in range(5)}
    outcomes = [compare(scores, "random", ["twin"], Rules(m))[0].outcome for m in (0.5, 0.001)]
    assert outcomes == [Outcome.SAME, Outcome.UNDECIDED]


def test_several_looks_share_the_level() -> None:
    once, shared = (compare(SCORES, "random", OTHERS, r)[0] for r in (ONCE, Rules(looks=(4, 9))))
    assert once.interval is not None
    assert shared.interval is not None
    assert shared.interval[0] < once.interval[0]
    early = compare(SCORES, "random", OTHERS, Rules(looks=(5, 10)))
    assert {c.outcome for c in early} == {Outcome.UNTESTED}
    assert all(c.interval is None for c in early)


def test_the_same_difference_in_all_seeds_is_tested_by_the_spread_of_the_others() -> None:
    scores = {
        "random": {0: 0.80, 1: 0.85, 2: 0.75},
        "margin": {0: 0.81, 1: 0.86, 2: 0.76},
        "kl": {0: 0.81, 1: 0.85, 2: 0.75},
    }
    margin, kl = compare(scores, "random", ["margin", "kl"])
    assert {margin.outcome, kl.outcome} == {Outcome.UNDECIDED}
    (alone,) = compare(scores, "random", ["margin"])
    assert (alone.outcome, alone.interval) == (Outcome.NO_SPREAD, None)


def test_no_strategies_no_comparisons() -> None:
    assert compare(SCORES, "random", []) == []
