import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from al_lightning.report.analysis.classes import (
    ClassFrequencies,
    class_report,
    compare_evenness,
    compare_recall,
    evenness,
)
from al_lightning.report.rules import Rules
from al_lightning.report.statistics.comparison import Outcome
from tests.report.helpers import a_passive_run, a_run, the_setting


def recall(*last: float) -> list[list[float]]:
    return [[0.1] * 4] * 3 + [list(last)]


RUNS = [
    a_run("random", 0, recall=recall(0.9, 0.8, 0.7, 0.6), mix=(4, 3, 2, 1)),
    a_run("random", 1, recall=recall(0.7, 0.8, 0.7, 0.6), mix=(2, 3, 2, 3)),
    a_run("margin", 0, recall=recall(0.9, 0.9, 0.9, 0.9), mix=(0, 0, 0, 10)),
    a_run("margin", 1, recall=recall(0.9, 0.9, 0.5, 0.9), mix=(0, 5, 0, 5)),
]


def test_recall_and_mix_by_hand() -> None:
    report = class_report(the_setting(RUNS))
    assert report.names == ("shirt", "boot", "bag", "coat")
    assert report.recall["random"] == pytest.approx((0.8, 0.8, 0.7, 0.6))
    assert report.mix["random"] == pytest.approx((0.3, 0.3, 0.2, 0.2))
    assert report.mix["margin"] == pytest.approx((0, 0.25, 0, 0.75))
    assert report.passive_recall is None


def test_the_pool_is_counted_where_all_labels_were_bought() -> None:
    report = class_report(the_setting([*RUNS, a_passive_run(train=200)]))
    assert report.pool is not None
    assert (report.pool.source, report.pool.shares) == ("all labels", (0.25,) * 4)
    assert (report.pool.ratio, report.pool.rarest) == (1, 0)
    assert report.passive_recall == (0.9,) * 4


def test_the_pool_is_estimated_from_random_queries() -> None:
    report = class_report(the_setting(RUNS))
    assert report.pool is not None
    assert report.pool.source == "random queries"
    assert report.pool.rarest == 2
    assert report.pool.ratio == pytest.approx(1.5)


@pytest.mark.parametrize("counts", [(30, 22, 25, 23), (40, 20, 20, 20)])
def test_an_estimated_pool_is_uneven_where_a_chi_square_test_says_so(
    counts: tuple[int, ...],
) -> None:
    pool = ClassFrequencies(tuple(n / 100 for n in counts), 100, "random queries")
    assert pool.uneven == (stats.chisquare(counts).pvalue < 0.05)
    assert ClassFrequencies(pool.shares, 100, "all labels").uneven


def test_where_nobody_tells_the_pool_is_unknown() -> None:
    assert class_report(the_setting(RUNS[2:])).pool is None


def test_queries_after_the_last_common_budget_do_not_count() -> None:
    longer = a_run("random", 0, (0.5, 0.6, 0.7, 0.8, 0.9), (10, 20, 30, 40, 50))
    odd = replace(longer, query_mix=(*longer.query_mix[:3], (10, 0, 0, 0)))
    mix = class_report(the_setting([a_run("margin", 0), odd])).mix
    assert mix["random"] == mix["margin"]


def test_evenness_is_entropy_over_its_maximum() -> None:
    assert evenness([0.25] * 4) == pytest.approx(1)
    assert evenness([1, 0, 0]) == 0
    assert evenness([1.0]) == 1
    shares = [0.7, 0.2, 0.1]
    assert evenness(shares) == pytest.approx(stats.entropy(shares) / math.log(3))


def test_evenness_is_compared_by_seed_as_scipy_does() -> None:
    """Four strategies of known p-values, adjusted by Holm by hand."""
    drawn = np.random.default_rng(5)
    shares = {
        "random": [0.4, 0.3, 0.2, 0.1],
        "even": [0.25] * 4,
        "odd": [0.7, 0.1, 0.1, 0.1],
        "alike": [0.4, 0.3, 0.2, 0.1],
    }
    mixes = {
        (name, seed): tuple(drawn.multinomial(1000, share).tolist())
        for name, share in shares.items()
        for seed in range(5)
    }
    runs = [a_run(name, seed, mix=mix) for (name, seed), mix in mixes.items()]
    compared = {c.strategy: c for c in compare_evenness(the_setting(runs), Rules())}
    heights = {
        name: [stats.entropy(mixes[name, seed]) / math.log(4) for seed in range(5)]
        for name in shares
    }
    p = {
        name: stats.ttest_rel(heights[name], heights["random"]).pvalue
        for name in ("even", "odd", "alike")
    }
    for name, comparison in compared.items():
        assert comparison.difference is not None
        assert comparison.difference.p == pytest.approx(p[name])
        assert comparison.mean == pytest.approx(np.mean(heights[name]) - np.mean(heights["random"]))
    assert [compared[n].outcome for n in ("even", "odd", "alike")] == [
        Outcome.BETTER,
        Outcome.WORSE,
        Outcome.UNDECIDED,
    ]


def test_recall_is_compared_by_seed() -> None:
    setting = the_setting(RUNS)
    (worst,) = compare_recall(setting, None, Rules())
    assert worst.mean == pytest.approx(((0.9 - 0.6) + (0.5 - 0.6)) / 2)
    (bag,) = compare_recall(setting, 2, Rules())
    assert (bag.strategy, bag.reference) == ("margin", "random")
    assert bag.mean == pytest.approx(((0.9 - 0.7) + (0.5 - 0.7)) / 2, abs=1e-12)


def test_where_strategies_share_no_seed_nothing_is_claimed_of_their_classes() -> None:
    even, odd = (5, 5, 5, 5), (17, 1, 1, 1)
    runs = [a_run("random", s, mix=odd) for s in range(6)]
    runs += [a_run("margin", s, mix=even) for s in range(3)]
    runs += [a_run("kl", s, mix=even) for s in range(3, 6)]
    found = compare_evenness(the_setting(runs), Rules())
    assert {c.outcome for c in found} == {Outcome.UNTESTED}
