import math

import numpy as np
import pytest
from scipy import stats

from al_lightning.report.statistics.paired import mean_interval, paired_difference

OURS = {0: 0.91, 1: 0.88, 2: 0.93, 5: 0.90, 7: 0.92, 9: 0.89}
THEIRS = {9: 0.87, 7: 0.90, 5: 0.91, 2: 0.90, 1: 0.85, 0: 0.88}


def test_two_seeds_by_hand() -> None:
    found = paired_difference({0: 0.8, 1: 0.9}, {1: 0.7, 0: 0.7})  # differences 0.1 and 0.2
    assert found.seeds == (0, 1)
    assert found.mean == pytest.approx(0.15)
    assert found.std == pytest.approx(0.1 / math.sqrt(2))
    half = 12.706204736 * 0.05  # t of one degree of freedom, times the standard error
    assert (found.low, found.high) == pytest.approx((0.15 - half, 0.15 + half))
    assert found.p is None


def test_equals_scipy_whatever_the_order() -> None:
    found = paired_difference(OURS, THEIRS)
    seeds = sorted(OURS)
    a, b = [OURS[s] for s in seeds], [THEIRS[s] for s in seeds]
    test = stats.ttest_rel(a, b)
    interval = test.confidence_interval(0.95)
    assert found.p == pytest.approx(test.pvalue)
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high))
    differences = np.array(a) - np.array(b)
    assert found.mean == pytest.approx(differences.mean())
    assert found.std == pytest.approx(differences.std(ddof=1))
    assert found == paired_difference(dict(reversed(OURS.items())), THEIRS)


def test_the_interval_follows_the_confidence() -> None:
    wide, narrow = (paired_difference(OURS, THEIRS, c) for c in (0.99, 0.9))
    assert wide.low is not None
    assert narrow.low is not None
    assert wide.low < narrow.low
    assert wide.p == narrow.p


def test_seeds_that_one_lacks_are_left_out_and_named() -> None:
    found = paired_difference({0: 1.0, 1: 2.0, 3: 9.0}, {1: 1.0, 0: 1.0, 4: 5.0})
    assert found.seeds == (0, 1)
    assert found.left_out == (3, 4)
    assert found.mean == pytest.approx(0.5)


def test_a_single_seed_has_a_mean_alone() -> None:
    found = paired_difference({3: 0.5}, {3: 0.25})
    assert found.mean == 0.25
    assert (found.std, found.low, found.high, found.p) == (None, None, None, None)


def test_three_seeds_have_a_p_value_by_hand() -> None:
    # Differences 1, 2, 3: t = 2 sqrt(3); with two degrees of freedom p = 1 - t / sqrt(t^2 + 2).
    found = paired_difference({0: 1.0, 1: 2.0, 2: 3.0}, dict.fromkeys(range(3), 0.0))
    assert found.p == pytest.approx(1 - math.sqrt(12 / 14))


def test_the_other_way_round_the_sign_changes_and_the_evidence_does_not() -> None:
    forth, back = paired_difference(OURS, THEIRS), paired_difference(THEIRS, OURS)
    assert back.mean == -forth.mean
    assert back.p == forth.p


def test_what_seeds_have_in_common_does_not_blur_a_difference() -> None:
    level = {0: 0.2, 1: 0.9, 2: 0.5, 3: 0.7}
    gain = {0: 0.010, 1: 0.011, 2: 0.009, 3: 0.010}
    ours = {seed: level[seed] + gain[seed] for seed in level}
    found = paired_difference(ours, level)
    assert found.p is not None
    assert found.p < 0.001
    assert stats.ttest_ind(list(ours.values()), list(level.values())).pvalue > 0.9


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(("shift", "p"), [(0.0, 1.0), (0.125, None)])
def test_without_spread_a_difference_cannot_be_tested(shift: float, p: float | None) -> None:
    found = paired_difference({s: v + shift for s, v in OURS.items()}, OURS)
    assert found.std == 0.0
    assert found.low == found.high == found.mean == pytest.approx(shift)
    assert found.p == p


def test_rounding_is_not_taken_for_precision() -> None:
    """0.1 + 0.2 - 0.3 is not 0, and its repetition is no evidence."""
    ours = {0: 0.1 + 0.2, 1: 0.3, 2: 0.3, 3: 0.3}
    found = paired_difference(ours, dict.fromkeys(range(4), 0.3))
    assert (found.mean, found.p) == (0.0, 1.0)


def test_the_same_gain_in_single_precision_has_no_spread() -> None:
    pairs = [(0.8721, 0.8359), (0.8731, 0.8369), (0.9021, 0.8659), (0.7362, 0.7)]
    ours, theirs = ({s: float(np.float32(pair[k])) for s, pair in enumerate(pairs)} for k in (0, 1))
    assert len({ours[s] - theirs[s] for s in ours}) > 1
    found = paired_difference(ours, theirs)
    assert (found.std, found.p) == (0.0, None)
    assert found.mean == pytest.approx(0.0362)


def test_a_difference_of_one_image_is_no_rounding() -> None:
    one = 1 / 100_000  # of a test set of so many
    found = paired_difference({0: 0.9 + one, 1: 0.9, 2: 0.9 + one}, dict.fromkeys(range(3), 0.9))
    assert found.mean == pytest.approx(2 / 3 * one)
    assert found.std == pytest.approx(one / math.sqrt(3))


def test_no_common_seed_and_infinite_scores_are_errors() -> None:
    with pytest.raises(ValueError, match="No common seed"):
        paired_difference({0: 1.0}, {1: 1.0})
    with pytest.raises(ValueError, match="seed 2 is nan"):
        paired_difference({1: 1.0, 2: math.nan}, {1: 1.0, 2: 0.0})
    with pytest.raises(ValueError, match="seed 5 is -inf"):
        paired_difference({1: 1.0}, {1: 1.0, 5: -math.inf})
    with pytest.raises(ValueError, match="confidence"):
        paired_difference(OURS, THEIRS, 0.0)


def test_a_mean_and_its_interval() -> None:
    values = [0.2, 0.5, 0.3, 0.9]
    mean, low, high = mean_interval(values, 0.9)
    expected = stats.t.interval(0.9, 3, loc=np.mean(values), scale=stats.sem(values))
    assert mean == pytest.approx(0.475)
    assert (low, high) == pytest.approx(expected)
    assert mean_interval([0.5]) == (0.5, None, None)
    assert mean_interval([0.1, 0.1, 0.1]) == (0.1, 0.1, 0.1)
    with pytest.raises(ValueError, match="position 1 is inf"):
        mean_interval([0.5, math.inf])
    with pytest.raises(ValueError, match="at least one"):
        mean_interval([])
    with pytest.raises(ValueError, match="confidence"):
        mean_interval(values, 1.0)
