import math

import pytest
from scipy import stats

from al_lightning.report.study.scores import (
    MEASURES,
    curves,
    difference_curves,
    mean_curve,
    metric_name,
    metrics_of,
    scores,
)
from tests.report.helpers import a_passive_run, a_run, the_setting

AUBC, AUBC_F1, FINAL, FINAL_F1 = MEASURES
RANDOM = [a_run("random", 0, (0.5, 0.6, 0.7, 0.8)), a_run("random", 1, (0.5, 0.6, 0.6, 0.6))]
MARGIN = [
    a_run("margin", 1, (0.5, 0.8, 0.8, 0.9), macro_f1=(0.1, 0.2, 0.3, 0.4)),
    a_run("margin", 0, (0.5, 0.7, 0.9, 0.9), macro_f1=(0.2, 0.2, 0.2, 0.2)),
]


def test_scores_by_hand() -> None:
    setting = the_setting([*RANDOM, *MARGIN])
    found = {m.key: scores(setting, m) for m in MEASURES}
    # Steps of 10 over 30 labels: the ends count half.
    assert found["aubc"]["random"] == pytest.approx({0: 1.95 / 3, 1: 1.75 / 3})
    assert found["aubc"]["margin"] == pytest.approx({0: 2.3 / 3, 1: 2.3 / 3})
    assert found["aubc_macro_f1"]["margin"] == pytest.approx({0: 0.2, 1: 0.25})
    assert found["final_accuracy"]["margin"] == {0: 0.9, 1: 0.9}
    assert found["final_macro_f1"]["margin"] == {0: 0.2, 1: 0.4}


def test_a_mean_curve_has_students_interval() -> None:
    curve = mean_curve(the_setting(RANDOM).runs["random"], "accuracy", (10, 40))
    assert curve.labels == (10, 40)
    assert curve.mean == pytest.approx((0.5, 0.7))
    expected = stats.t.interval(0.95, 1, 0.7, stats.sem([0.8, 0.6]))
    assert (curve.low[1], curve.high[1]) == pytest.approx(expected)
    assert (curve.low[0], curve.high[0]) == pytest.approx((0.5, 0.5))
    assert curve.seeds == 2


def test_a_single_seed_has_no_interval() -> None:
    curve = curves(the_setting(RANDOM[:1]), "accuracy")["random"]
    assert curve.low == curve.high == (None,) * 4


def test_differences_are_paired_by_seed() -> None:
    (name, curve), *others = difference_curves(the_setting([*RANDOM, *MARGIN]), "accuracy").items()
    assert (name, others) == ("margin", [])
    assert curve.mean == pytest.approx((0, 0.15, 0.2, 0.2))
    half = stats.t.ppf(0.975, 1) * 0.1 / math.sqrt(2) / math.sqrt(2)  # of 0.1 and 0.2
    assert curve.low[1] == pytest.approx(0.15 - half)
    # 0.2 and 0.2; crossed pairs would give 0.3 and 0.1, and an interval.
    assert (curve.low[2], curve.high[2]) == pytest.approx((0.2, 0.2))


def test_without_a_reference_or_a_common_seed_there_is_no_difference() -> None:
    assert difference_curves(the_setting(MARGIN), "accuracy") == {}
    alone = the_setting([a_run("random", 0), a_run("random", 1), a_run("margin", 2)])
    assert difference_curves(alone, "accuracy") == {}


def test_a_curve_of_one_round_has_no_area() -> None:
    setting = the_setting([a_run("random", 0, (0.5,), (10,))])
    assert scores(setting, AUBC) == {}
    assert scores(setting, FINAL) == {"random": {0: 0.5}}


def test_only_what_all_runs_measured_is_a_metric() -> None:
    more = a_run("margin", 0, metrics={"ece": (0.1,) * 4})
    assert metrics_of(the_setting([a_run("random"), more])) == ["accuracy", "macro_f1"]
    assert metrics_of(the_setting([more])) == ["accuracy", "ece", "macro_f1"]
    assert metrics_of(the_setting([a_passive_run()])) == ["accuracy", "macro_f1"]


def test_metrics_have_names_for_readers() -> None:
    assert metric_name("macro_f1") == "macro-F1"
    assert metric_name("balanced_accuracy") == "balanced accuracy"
    assert metric_name("ece") == "calibration error"
