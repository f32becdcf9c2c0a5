import pytest
from scipy import stats

from al_lightning.report.statistics.comparison import Outcome, best_of, compare, rivals_of

SCORES = {
    "random": {0: 0.80, 1: 0.82, 2: 0.81, 3: 0.79},
    "margin": {3: 0.82, 2: 0.83, 1: 0.85, 0: 0.83},  # 0.03, 0.03, 0.02, 0.03
    "entropy": {0: 0.81, 1: 0.81, 2: 0.83, 3: 0.79},  # 0.01, -0.01, 0.02, 0
    "kl": {0: 0.70, 1: 0.71, 2: 0.73, 3: 0.70},
    "l2": {0: 0.9, 1: 0.95, 9: 0.9},
    "badge": {8: 0.9},
}
PAIRS = [(name, "random") for name in ("margin", "entropy", "kl", "l2", "badge")]


def test_outcomes_by_holm_over_what_was_tested() -> None:
    margin, entropy, kl, l2, badge = compare(SCORES, PAIRS)
    raw = [
        float(stats.ttest_rel([SCORES[c.strategy][s] for s in range(4)],
                              [SCORES["random"][s] for s in range(4)]).pvalue)
        for c in (margin, entropy, kl)
    ]  # fmt: skip
    # Three tests: kl has the smallest p, then margin, then entropy.
    assert kl.p == pytest.approx(3 * raw[2])
    assert margin.p == pytest.approx(2 * raw[0])
    assert entropy.p == pytest.approx(raw[1])
    outcomes = [c.outcome for c in (margin, entropy, kl, l2, badge)]
    assert outcomes == [
        Outcome.BETTER,
        Outcome.UNDECIDED,
        Outcome.WORSE,
        Outcome.UNTESTED,
        Outcome.UNTESTED,
    ]
    assert [c.seeds for c in (margin, l2, badge)] == [4, 2, 0]
    assert margin.mean == pytest.approx(0.0275)
    assert badge.mean == float("-inf")


def test_needed_seeds_are_more_than_there_are_where_nothing_is_decided() -> None:
    _, entropy, _, l2, _ = compare(SCORES, PAIRS)
    assert entropy.needed is not None
    assert entropy.needed > 4
    # At 0.05 / 3, the strictest that Holm asks of three tests.
    difference = entropy.difference
    assert difference is not None
    assert difference.std is not None
    n = entropy.needed
    power = [_power(difference.mean / difference.std, k, 0.05 / 3) for k in (n - 1, n)]
    assert power[0] < 0.8 <= power[1]
    assert l2.needed is None


def test_a_difference_that_is_lost_in_noise_needs_too_many_seeds() -> None:
    scores = {"random": {0: 0.5, 1: 0.6, 2: 0.7}, "margin": {0: 0.7, 1: 0.6, 2: 0.5003}}
    (found,) = compare(scores, [("margin", "random")])
    assert (found.outcome, found.needed) == (Outcome.UNDECIDED, None)


def test_the_same_difference_in_all_seeds_is_no_claim_and_no_test() -> None:
    """With 20 test images, three equal differences are a matter of luck."""
    scores = {
        "random": {0: 0.80, 1: 0.85, 2: 0.75},
        "margin": {0: 0.85, 1: 0.90, 2: 0.80},
        "kl": {0: 0.81, 1: 0.85, 2: 0.75},
    }
    margin, kl = compare(scores, [("margin", "random"), ("kl", "random")])
    assert (margin.outcome, margin.p, margin.needed) == (Outcome.NO_SPREAD, None, None)
    assert (kl.family, kl.p) == (1, kl.difference.p if kl.difference else None)


def test_turned_the_outcome_changes_sides_and_the_evidence_does_not() -> None:
    margin, *_, badge = compare(SCORES, PAIRS)
    turned = margin.turned()
    assert (turned.strategy, turned.reference) == ("random", "margin")
    assert (turned.outcome, turned.mean, turned.p) == (Outcome.WORSE, -margin.mean, margin.p)
    assert badge.turned().outcome is Outcome.UNTESTED


def test_no_pairs_no_comparisons() -> None:
    assert compare(SCORES, []) == []


def _power(effect: float, n: int, alpha: float) -> float:
    critical, shift = stats.t.ppf(1 - alpha / 2, n - 1), effect * n**0.5
    return float(stats.nct.sf(critical, n - 1, shift) + stats.nct.cdf(-critical, n - 1, shift))


def test_the_best_beats_the_reference_by_the_most() -> None:
    low = {0: 0.5, 1: 0.51, 2: 0.52}
    scores = {
        "random": low,
        "kl": {s: v + 0.1 + s / 1000 for s, v in low.items()},
        "margin": {s: v + 0.2 + s / 1000 for s, v in low.items()},
        "wild": {s: v + 0.3 * s for s, v in low.items()},  # higher, and not for sure
    }
    assert best_of(compare(scores, [(name, "random") for name in ("kl", "margin", "wild")])) == (
        "margin"
    )
    assert best_of(compare(scores, [("random", "kl")])) is None
    assert best_of([]) is None


def test_rivals_are_read_out_of_all_pairs() -> None:
    scores = {n: {s: 0.1 * k + 0.001 * s * k for s in range(3)} for k, n in enumerate("abc")}
    pairs = compare(scores, [("a", "b"), ("a", "c"), ("b", "c")])
    found = rivals_of("b", pairs)
    assert [(c.strategy, c.reference, c.p, c.family) for c in found] == [
        ("b", "a", pairs[0].p, 3),
        ("b", "c", pairs[2].p, 3),
    ]
    assert found[0].mean == -pairs[0].mean
