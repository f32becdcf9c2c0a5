import math

import numpy as np
import pytest
from scipy import stats

from al_lightning.report.statistics.penalty import Setting, penalty_matrix

SEEDS = range(4)
# Small differences between seeds, so that a test has a spread to compare with.
JITTER = {0: 0.000, 1: 0.002, 2: -0.001, 3: 0.001}


def curves(*heights: float) -> dict[int, dict[int, float]]:
    """A curve a seed over the budgets 100, 200, ...; the seeds differ by no more than a little."""
    return {
        seed: {
            100 * (i + 1): h + JITTER[(seed + int(h * 10.001)) % 4] for i, h in enumerate(heights)
        }
        for seed in SEEDS
    }


def test_a_win_counts_by_the_share_of_the_budgets() -> None:
    setting: Setting = {"good": curves(0.5, 0.8, 0.9, 0.95), "bad": curves(0.5, 0.6, 0.7, 0.95)}
    found = penalty_matrix([[setting]])
    assert found.names == ("good", "bad")
    # Of four budgets the good one wins two; at the others they are equal.
    assert found.matrix[0, 1] == pytest.approx(2 / 4)
    assert found.matrix[1, 0] == 0.0
    assert np.isnan(np.diag(found.matrix)).all()
    assert found.penalties.tolist() == [0.0, 0.5]


def test_places_are_averaged_where_both_ran() -> None:
    one: Setting = {"good": curves(0.8, 0.9), "bad": curves(0.6, 0.7)}
    two: Setting = {"good": curves(0.5, 0.9), "bad": curves(0.5, 0.7), "other": curves(0.5, 0.7)}
    found = penalty_matrix([[one], [two]])
    assert found.places == 2
    assert found.matrix[0, 1] == pytest.approx(0.75)
    assert found.matrix[0, 2] == pytest.approx(0.5)
    assert found.penalties.tolist() == pytest.approx([0.0, 0.375, 0.25])


def test_settings_of_one_place_count_once_together() -> None:
    """Twenty settings on the same images do not outvote the one on others."""
    clear: Setting = {"good": curves(0.8, 0.9), "bad": curves(0.6, 0.7)}
    equal: Setting = {"good": curves(0.8, 0.9), "bad": curves(0.8, 0.9)}
    found = penalty_matrix([[equal] * 20, [clear]])
    assert found.places == 2
    assert found.matrix[0, 1] == pytest.approx(1 / 2)
    # Within a place, it is the mean of its settings, of those in which the two met.
    alone: Setting = {"good": curves(0.8)}
    assert penalty_matrix([[clear, equal, alone], [clear]]).matrix[0, 1] == pytest.approx(3 / 4)


def test_a_single_seed_that_differs_keeps_a_win_from_being_significant() -> None:
    shaky = curves(0.8)
    shaky[0] = {100: 0.3}
    assert penalty_matrix([[{"shaky": shaky, "bad": curves(0.6)}]]).matrix[0, 1] == 0.0


def test_runs_are_paired_by_seed_and_compared_at_common_budgets() -> None:
    long, short = curves(0.8, 0.9, 0.95), curves(0.6, 0.7)
    shuffled = dict(reversed(list(short.items())))
    assert penalty_matrix([[{"a": long, "b": shuffled}]]).matrix[0, 1] == 1.0
    # Seeds differ by far more than strategies: only pair by pair is the gain significant.
    level = {0: 0.2, 1: 0.9, 2: 0.5, 3: 0.7}
    low = {seed: {100: level[seed]} for seed in SEEDS}
    high = {seed: {100: level[seed] + 0.02 + JITTER[seed]} for seed in reversed(SEEDS)}
    assert penalty_matrix([[{"a": high, "b": low}]]).matrix[0, 1] == 1.0


def test_seeds_and_budgets_that_one_lacks_do_not_count() -> None:
    ours, theirs = curves(0.8, 0.9, 0.95), curves(0.6, 0.7, 0.75)
    ours[7] = {100: 0.0}  # a seed of its own, with a budget fewer
    del theirs[2][300]
    assert penalty_matrix([[{"a": ours, "b": theirs}]]).matrix[0, 1] == 1.0
    # At 300 theirs would win, had all of its runs come so far.
    worse = {seed: {**run, 300: 0.1 + JITTER[seed]} for seed, run in ours.items() if seed != 7}
    found = penalty_matrix([[{"a": worse, "b": theirs}]])
    assert (found.matrix[0, 1], found.matrix[1, 0]) == (1.0, 0.0)


def test_the_level_decides_what_is_a_win() -> None:
    ours = {0: {100: 0.9}, 1: {100: 0.7}, 2: {100: 0.8}, 3: {100: 0.75}}
    theirs = {0: {100: 0.7}, 1: {100: 0.65}, 2: {100: 0.7}, 3: {100: 0.6}}
    p = stats.ttest_rel(*([run[s][100] for s in SEEDS] for run in (ours, theirs))).pvalue
    for alpha, wins in ((0.99 * p, 0.0), (1.01 * p, 1.0)):
        assert penalty_matrix([[{"a": ours, "b": theirs}]], alpha).matrix[0, 1] == wins
    with pytest.raises(ValueError, match="alpha"):
        penalty_matrix([], 0.0)


def test_a_setting_without_a_pair_neither_adds_nor_takes() -> None:
    both: Setting = {"a": curves(0.8), "b": curves(0.6)}
    one: Setting = {"c": curves(0.7), "b": curves(0.6)}
    found = penalty_matrix([[both], [one]])
    assert found.names == ("a", "b", "c")
    assert found.matrix[0, 1] == 1.0
    assert np.isnan(found.matrix[[0, 2], [2, 0]]).all()  # a and c never met
    assert found.penalties.tolist() == [0.0, 1.0, 0.0]
    assert penalty_matrix([[both], [{"a": both["a"]}]]).matrix[0, 1] == 1.0


def test_a_score_that_is_no_number_is_named() -> None:
    broken = curves(0.8)
    broken[2] = {100: math.nan}
    with pytest.raises(ValueError, match="seed 2 is nan"):
        penalty_matrix([[{"a": broken, "b": curves(0.6)}]])


def test_what_cannot_be_compared_is_nan() -> None:
    few = {seed: curve for seed, curve in curves(0.6).items() if seed < 2}
    elsewhere = {seed: {999: 0.6} for seed in SEEDS}
    found = penalty_matrix([[{"a": curves(0.8), "few": few, "elsewhere": elsewhere}]])
    assert np.isnan(found.matrix).all()
    assert np.isnan(found.penalties).all()


def test_no_settings_no_matrix() -> None:
    found = penalty_matrix([])
    assert found.matrix.shape == (0, 0)
    assert found.penalties.shape == (0,)
