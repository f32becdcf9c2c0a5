import numpy as np
import pytest

from al_lightning.report.analysis.results import penalties
from al_lightning.report.statistics.comparison import Outcome, compare
from al_lightning.report.study.grouping import build_study
from tests.report.helpers import a_passive_run, a_run, a_study, the_analysis, the_setting

EFFECTS = {"random": 0.0, "margin": 0.06, "entropy": 0.03, "kl": -0.03}


def test_strategies_against_the_reference_and_each_other() -> None:
    analysis = the_analysis(a_study(EFFECTS, passive=0.9))
    assert analysis.best == "margin"
    assert analysis.order == ["margin", "entropy", "random", "kl"]
    against = analysis.against["aubc"]
    assert [c.strategy for c in against] == ["margin", "entropy", "kl"]
    # The lead is there for two whole steps of three, and half of the first.
    assert [c.mean for c in against] == pytest.approx([0.05, 0.025, -0.025])
    assert [c.mean for c in analysis.against["final_accuracy"]] == pytest.approx(
        [0.06, 0.03, -0.03]
    )
    assert len(analysis.pairs) == 6
    assert [(c.strategy, c.reference) for c in analysis.rivals] == [
        ("margin", "entropy"),
        ("margin", "kl"),
    ]
    assert {c.outcome for c in analysis.rivals} == {Outcome.BETTER}
    # They are read out of all pairs: the best was chosen by the same scores.
    pairs = {frozenset((c.strategy, c.reference)): c.p for c in analysis.pairs}
    assert [c.p for c in analysis.rivals] == [
        pairs[frozenset(("margin", n))] for n in ("entropy", "kl")
    ]
    assert analysis.passive["accuracy"].mean == pytest.approx((0.9,))
    assert set(analysis.savings) == set(analysis.efficiency) == {"margin", "entropy", "kl"}


def test_equal_strategies_seldom_beat_each_other_for_having_been_the_best() -> None:
    """Six are equally far above random: a claim among them is false, whoever is best."""
    false, alone, drawn = 0, 0, np.random.default_rng(0)
    for _ in range(60):
        runs = []
        for seed in range(5):
            runs.append(a_run("random", seed, [0.5, *(0.6 + drawn.normal(0, 0.003, 3))]))
            runs += [
                a_run(name, seed, [0.5, *(0.7 + drawn.normal(0, 0.003, 3))]) for name in "abcdef"
            ]
        analysis = the_analysis(runs)
        assert analysis.best is not None
        false += any(c.outcome is Outcome.BETTER for c in analysis.rivals)
        others = [(analysis.best, name) for name in "abcdef" if name != analysis.best]
        alone += any(c.outcome is Outcome.BETTER for c in compare(analysis.scores["aubc"], others))
    assert false < alone
    assert false <= 6  # 3 are 5 % of 60


def test_the_order_is_that_of_the_paired_differences() -> None:
    """margin has the easy seed alone, and so the higher mean, but the smaller lead."""
    runs = [a_run("random", s, [0.5, *(0.6 + 0.1 * s,) * 3]) for s in range(3)]
    runs += [a_run("kl", s, [0.5, *(0.63 + 0.1 * s,) * 3]) for s in range(3)]
    runs += [a_run("margin", 2, [0.5, *(0.81,) * 3]), a_run("l2", 7, [0.5, *(0.95,) * 3])]
    analysis = the_analysis(runs)
    assert analysis.order == ["kl", "margin", "random", "l2"]
    assert analysis.headline_strategy == "random"


def test_without_a_reference_there_is_no_best() -> None:
    analysis = the_analysis(a_study({"margin": 0.06, "kl": 0.0}))
    assert (analysis.best, analysis.against, analysis.rivals) == (None, {}, [])
    assert len(analysis.pairs) == 1


def test_a_baseline_alone_can_be_analysed() -> None:
    analysis = the_analysis([a_passive_run()])
    assert (analysis.order, analysis.best, analysis.classes) == ([], None, None)


def test_a_single_round_has_no_first_measure() -> None:
    runs = [a_run(name, s, (0.5,), (10,)) for name in ("random", "kl") for s in range(3)]
    analysis = the_analysis(runs)
    assert "aubc" not in analysis.against
    assert analysis.order == ["kl", "random"]


def test_penalties_over_two_settings() -> None:
    settings = [
        the_setting(a_study({"random": 0.0, "margin": 0.06})),
        the_setting(a_study({"random": 0.0, "margin": 0.0}, dataset="other")),
    ]
    found = penalties(settings)
    assert found is not None
    assert found.names == ("random", "margin")
    # At 20 and 30 labels, M + 2^(m-1) B, in one of them.
    assert found.matrix[1, 0] == pytest.approx(1)
    assert found.matrix[0, 1] == 0
    assert np.asarray(found.penalties) == pytest.approx([1, 0])
    assert found.budgets == ((20, 30), (20, 30))


def test_trials_of_a_search_give_no_penalties() -> None:
    runs = a_study({"random": 0.0, "margin": 0.06}, dataset="other")
    for factor in (2, 3):  # both far below random, under a condition of their own
        config = {"strategy": {"factor": factor}, "recipe": {"lr": 99}}
        for seed in range(3):
            runs.append(a_run("odd", seed, [0.5, *(0.1 + seed / 1000,) * 3], validation=5,
                              config=config, folder=f"{factor}-{seed}"))  # fmt: skip
    found = penalties(build_study(runs))
    assert found is not None
    assert (found.names, found.experiments) == (("random", "margin"), 1)
    assert found.matrix[1, 0] == pytest.approx(1)


def test_a_strategy_alone_has_no_penalties() -> None:
    assert penalties([the_setting(a_study({"random": 0.0}))]) is None
    single = [a_run(name, s, (0.5,), (10,)) for name in ("random", "kl") for s in range(3)]
    assert penalties([the_setting(single)]) is None
