import math
from collections.abc import Mapping

import numpy as np
import pytest
from scipy import stats

from al_lightning.report.statistics.penalty import (
    Experiment,
    PenaltyMatrix,
    Runs,
    compared_budgets,
    penalty_matrix,
)

SEEDS = range(4)
# Small differences between seeds, so that a test has a spread to compare with.
JITTER = {0: 0.000, 1: 0.002, 2: -0.001, 3: 0.001}
RISING = (0.5, 0.6, 0.7, 0.8, 0.9)


def curves(*heights: float, first: int = 100, step: int = 100) -> dict[int, dict[int, float]]:
    """A curve a seed over the budgets 100, 200, ...; the seeds differ by no more than a little."""
    return {
        seed: {
            first + step * i: h + JITTER[(seed + int(h * 10.001)) % 4]
            for i, h in enumerate(heights)
        }
        for seed in SEEDS
    }


def of(**runs: Runs) -> Experiment:
    return Experiment(runs, "random")


@pytest.mark.parametrize(
    ("heights", "budgets"),
    [
        # M = 100, B = 100: 200, 300, 500, 900, ... as far as random has not reached 99 % of its end.
        (np.linspace(0.5, 0.9, 10), (200, 300, 500, 900)),
        ([0.5, 0.6, 0.7, 0.8, 0.895, 0.9], (200, 300, 500)),
        ([0.5, 0.6, 0.7, 0.898, 0.9], (200, 300)),
        ([0.5, 0.895, 0.9], (200,)),
        ([0.5, 0.89, 0.9], (200, 300)),  # 98.9 %
        ([0.895, 0.9], ()),  # at 99 % from the start
        ([0.5], ()),
    ],
)
def test_the_budgets_double_up_to_nearly_all_of_what_random_reaches(
    heights: list[float], budgets: tuple[int, ...]
) -> None:
    assert compared_budgets(of(random=curves(*heights))) == budgets


def test_the_batch_is_that_of_the_first_query_and_other_runs_must_have_the_budgets() -> None:
    random, other = curves(*RISING, first=50, step=20), curves(*RISING, first=50, step=20)
    assert compared_budgets(of(random=random, other=other)) == (70, 90, 130)
    del other[2][90]
    assert compared_budgets(of(random=random, other=other)) == (70, 130)
    assert compared_budgets(Experiment({"other": other}, "random")) == ()


def unequal(*heights: float) -> Experiment:
    """Queries of 10, 30, 50 and 400 labels after 10."""
    budgets = (10, 20, 50, 100, 500)
    return of(random={seed: dict(zip(budgets, heights, strict=True)) for seed in SEEDS})


def test_where_queries_differ_in_size_all_budgets_after_the_first_are_compared() -> None:
    assert compared_budgets(unequal(*RISING)) == (20, 50, 100, 500)
    assert compared_budgets(unequal(0.5, 0.6, 0.7, 0.895, 0.9)) == (20, 50, 100)


def test_a_last_query_of_what_is_left_is_no_query_of_another_size() -> None:
    cut = {seed: dict(zip((100, 200, 300, 400, 450), RISING, strict=True)) for seed in SEEDS}
    assert compared_budgets(of(random=cut)) == (200, 300)


def test_a_win_counts_by_the_share_of_the_budgets() -> None:
    """By hand: budgets 200, 300 and 500; the good one wins at the first two, and loses at 400."""
    good = curves(0.5, 0.8, 0.9, 0.1, 0.9)
    found = penalty_matrix([of(random=curves(*RISING), good=good)])
    assert found.names == ("random", "good")
    assert found.budgets == ((200, 300, 500),)
    assert found.matrix[1, 0] == pytest.approx(2 / 3)
    assert found.matrix[0, 1] == 0.0
    assert np.isnan(np.diag(found.matrix)).all()
    assert found.penalties.tolist() == pytest.approx([2 / 3, 0.0])


def test_the_first_labels_do_not_count() -> None:
    """Whatever happens there: all strategies start from the same labels."""
    found = penalty_matrix([of(random=curves(*RISING), lucky=curves(0.9, *RISING[1:]))])
    assert found.matrix[1, 0] == 0.0


def test_experiments_are_added_up() -> None:
    clear = of(random=curves(*RISING), good=curves(0.5, 0.8, 0.9, 0.95, 1.0))
    half = of(
        random=curves(0.5, 0.6, 0.9),
        good=curves(0.5, 0.8, 0.9),
        other=curves(0.5, 0.6, 0.7),
    )
    found = penalty_matrix([clear, half])
    assert found.experiments == 2
    assert found.matrix[1, 0] == pytest.approx(1 + 1 / 2)
    assert found.matrix[0, 2] == pytest.approx(1 / 2)  # they met in one
    assert found.matrix[1, 2] == pytest.approx(1)
    # The mean of a column over the others.
    assert found.penalties.tolist() == pytest.approx([(1.5 + 0) / 2, 0, (0.5 + 1) / 2])


def test_an_independent_count_gives_the_same() -> None:
    generator = np.random.default_rng(0)
    runs: dict[str, dict[int, dict[int, float]]] = {
        name: {
            seed: {
                50 + 50 * k: 0.5 + 0.05 * k + shift * (k > 0) + float(generator.normal(0, 0.02))
                for k in range(9)
            }
            for seed in range(5)
        }
        for name, shift in {"random": 0.0, "a": 0.02, "b": 0.04}.items()
    }
    found = penalty_matrix([of(**runs)])
    assert found.budgets[0][:4] == (100, 150, 250, 450)
    assert np.nansum(found.matrix) > 0
    for i, first in enumerate(found.names):
        for j, second in enumerate(found.names):
            if i == j:
                continue
            wins = 0
            for budget in found.budgets[0]:
                mine, other = ([runs[n][s][budget] for s in range(5)] for n in (first, second))
                t = stats.ttest_rel(mine, other).statistic
                wins += t > 2.776  # as the paper has it for 5 seeds
            assert found.matrix[i, j] == pytest.approx(wins / len(found.budgets[0]))


def test_a_single_seed_that_differs_keeps_a_win_from_being_significant() -> None:
    shaky = curves(0.5, 0.8)
    shaky[0] = {100: 0.5, 200: 0.3}
    assert penalty_matrix([of(random=curves(0.5, 0.6), shaky=shaky)]).matrix[1, 0] == 0.0


def test_runs_are_paired_by_seed() -> None:
    # Seeds differ by far more than strategies: only pair by pair is the gain significant.
    level = {0: 0.2, 1: 0.9, 2: 0.5, 3: 0.7}
    low = {seed: {100: 0.1, 200: level[seed]} for seed in SEEDS}
    high = {seed: {100: 0.1, 200: level[seed] + 0.02 + JITTER[seed]} for seed in reversed(SEEDS)}
    high[9] = {100: 0.1, 200: 0.0}  # a seed of its own
    assert penalty_matrix([of(random=low, high=high)]).matrix[1, 0] == 1.0


def test_the_level_decides_what_is_a_win() -> None:
    ends: Mapping[str, dict[int, float]] = {
        "random": {0: 0.7, 1: 0.65, 2: 0.7, 3: 0.6},
        "ours": {0: 0.9, 1: 0.7, 2: 0.8, 3: 0.75},
    }
    runs = {n: {s: {100: 0.1, 200: v} for s, v in found.items()} for n, found in ends.items()}
    p = stats.ttest_rel(*(list(ends[name].values()) for name in ("ours", "random"))).pvalue
    for alpha, wins in ((0.99 * p, 0.0), (1.01 * p, 1.0)):
        assert penalty_matrix([of(**runs)], alpha).matrix[1, 0] == wins
    with pytest.raises(ValueError, match="alpha"):
        penalty_matrix([], 0.0)


def test_what_cannot_be_compared_is_nan() -> None:
    few = {seed: curve for seed, curve in curves(0.5, 0.6).items() if seed < 2}
    found = penalty_matrix([of(random=curves(0.5, 0.8), few=few)])
    assert np.isnan(found.matrix).all()
    assert np.isnan(found.penalties).all()
    one = of(random=curves(0.5, 0.8), a=curves(0.5, 0.9))
    two = of(random=curves(0.5, 0.8), b=curves(0.5, 0.9))
    assert np.isnan(penalty_matrix([one, two]).matrix[[1, 2], [2, 1]]).all()  # a and b never met


def test_experiments_without_budgets_are_left_out() -> None:
    without = Experiment({"a": curves(*RISING)}, "random")
    found = penalty_matrix([without, of(random=curves(0.5, 0.8), a=curves(0.5, 0.9))])
    assert (found.experiments, found.matrix[0, 1]) == (1, 1.0)
    found = penalty_matrix([])
    assert found.matrix.shape == (0, 0)
    assert found.penalties.shape == (0,)


def test_the_strategy_that_is_beaten_the_least_comes_first_and_whom_nobody_met_last() -> None:
    penalties = np.array([np.nan, 0.75, 0.0, 0.75])
    matrix = PenaltyMatrix(("a", "kl", "margin", "best"), np.zeros((4, 4)), penalties, 1, ())
    assert [matrix.names[k] for k in matrix.by_penalty()] == ["margin", "best", "kl", "a"]


def test_a_score_that_is_no_number_is_named() -> None:
    broken = curves(0.5, 0.8)
    broken[2][200] = math.nan
    with pytest.raises(ValueError, match="seed 2 is nan"):
        penalty_matrix([of(random=curves(0.5, 0.6), broken=broken)])
