from dataclasses import replace

import pytest

from al_lightning.report.analysis.results import analyse
from al_lightning.report.study.grouping import build_study
from al_lightning.report.study.runs import Run
from al_lightning.report.words.verdict import verdict
from tests.report.helpers import a_passive_run, a_run, a_study, the_analysis

CLEAR = {"random": 0.0, "margin": 0.06, "entropy": 0.05}


def say(*runs: Run) -> str:
    return verdict(the_analysis(runs))


def test_the_best_is_named_with_its_interval_its_savings_and_its_seeds() -> None:
    # AUBC: the lead of 0.06 holds for 2.5 of 3 steps, 0.05 on average; random's 0.8 (0.82 on the mean)
    # is reached at 40 - 10 * 0.06 / 0.1 = 34 labels.
    assert say(*a_study(CLEAR, seeds=5, passive=0.9)) == (
        "On toys with the cnn, margin beats random by 5.0 points of AUBC [4.9, 5.1] over [10, 40] "
        "labels, 5 seeds, and reaches random's final accuracy with 15% fewer labels (in 5 of 5 "
        "seeds, 15%); it beats entropy as well. With 40 of 200 labels, margin reaches 97.8% of the "
        "accuracy of the passive baseline (88.0% against 90.0%, 5 seeds), which was trained for 100 "
        "steps."
    )


def test_those_that_are_not_worse_than_the_best_are_named_beside_it() -> None:
    lead = {"margin": (6, 7, 8), "entropy": (7, 6, 7), "badge": (6, 6, 8), "l2": (1, 2, 3.5)}
    runs = [a_run("random", s) for s in range(3)] + [
        a_run(name, s, (0.5, 0.6 + lead[name][s] / 100, 0.7, 0.8))
        for name in lead
        for s in range(3)
    ]
    text = say(*runs)
    # Leads in AUBC: a third of 0.07 on average, of 0.0667 for the next two; l2 is clearly below.
    assert "margin beats random by 2.3 points of AUBC" in text
    assert "; badge and entropy are undecided against margin." in text
    assert "Undecided against random" in text
    assert "undecided against random" not in text


def test_undecided_is_called_undecided_with_the_seeds_that_it_would_take() -> None:
    text = say(*a_study({"random": 0.0, "margin": 0.004, "entropy": 0.001}, seeds=4, noise=0.01))
    assert text.startswith(
        "On toys with the cnn, no strategy is shown to beat random over [10, 40] labels: the "
        "largest mean difference that is undecided is that of margin, +1.0 points of AUBC "
        "[-0.4, 2.4], 4 seeds."
    )
    assert text.endswith(
        "Undecided against random, with the seeds that the spread suggests for 80% power: "
        "margin (6 more seeds) and entropy (more than 96 more seeds)."
    )
    assert "beats" not in text


def test_where_all_are_worse_nobody_is_closest() -> None:
    assert say(*a_study({"random": 0.0, "kl": -0.06}, seeds=3)) == (
        "On toys with the cnn, no strategy is shown to beat random over [10, 40] labels. "
        "Worse than random: kl by 5.0 points [4.9, 5.1]."
    )


def test_two_seeds_claim_nothing() -> None:
    assert say(*a_study(CLEAR, seeds=2)) == (
        "On toys with the cnn, nothing is claimed: no strategy has more than 2 seeds in common "
        "with random, and a test needs 3."
    )


def test_a_strategy_with_too_few_seeds_is_told_apart() -> None:
    runs = [*a_study(CLEAR, seeds=3), *a_study({"l2": 0.2}, seeds=2)]
    text = say(*runs)
    assert "margin beats random" in text
    assert "; l2 has too few seeds in common with it." in text
    assert text.endswith("Too few seeds in common for a claim: l2.")


@pytest.mark.parametrize(
    ("random", "margin", "said"),
    [
        ((0.5, 0.6, 0.7, 0.8), (0.5, 0.7, 0.9, 0.9), "and reaches {} with 38% fewer labels"),
        (
            (0.6, 0.7, 0.65, 0.7),
            (0.7, 0.8, 0.8, 0.8),
            "and reaches {} with at least 50% fewer labels",
        ),
        ((0.5, 0.6, 0.7, 0.95), (0.5, 0.9, 0.9, 0.9), "but does not reach {}"),
        # 0.88 by 10 + 10 * 0.38 / 0.45 and 10 + 10 * 0.38 / 0.4 labels.
        ((0.5, 0.95, 0.5, 0.88), (0.5, 0.9, 0.9, 0.9), "but needs 6% more labels for {}"),
        ((0.6, 0.5, 0.5, 0.5), (0.6, 0.7, 0.7, 0.7), "but is not shown to save labels for {}"),
    ],
)
def test_savings_are_stated_as_far_as_they_are_known(
    random: tuple[float, ...], margin: tuple[float, ...], said: str
) -> None:
    runs = [a_run("random", s, random) for s in range(3)]
    apart = [(*margin[:2], margin[2] + (s - 1) / 1000, margin[3]) for s in range(3)]
    text = say(*runs, *[a_run("margin", s, apart[s]) for s in range(3)])
    said = said.format("random's final accuracy")
    assert f"3 seeds, {said}" in text


def test_a_crossing_that_does_not_last_is_told_as_such() -> None:
    runs = [a_run("random", s, (0.5, 0.6, 0.7, 0.8)) for s in range(3)]
    runs += [a_run("margin", s, (0.5, 0.8, 0.85, 0.789 + s / 1000)) for s in range(3)]
    assert (
        "3 seeds, first reaches random's final accuracy with 50% fewer labels, but ends 1.0 points "
        "below it."
    ) in say(*runs)


def test_the_same_difference_in_all_seeds_is_no_claim() -> None:
    assert say(*a_study({"random": 0.0, "margin": 0.06}, spread=0.0)) == (
        "On toys with the cnn, no strategy is shown to beat random over [10, 40] labels. The same "
        "difference in all seeds, which cannot be tested: margin (+5.0 points)."
    )


def test_an_interval_that_excludes_0_is_told_from_a_claim() -> None:
    # Six are alike but for the first, whose p of 0.02 is not below 0.05 / 6.
    lead = {"a": (5, 8, 11)} | {name: (-3, 0, 3 + k) for k, name in enumerate("bcdef")}
    runs = [a_run("random", s) for s in range(3)] + [
        a_run(name, s, (0.5, 0.6 + lead[name][s] / 1000, 0.7, 0.8))
        for name in lead
        for s in range(3)
    ]
    text = say(*runs)
    assert (
        "is that of a, +0.3 points of AUBC [0.0, 0.5] (interval not adjusted for 6 comparisons)"
    ) in text


def test_a_round_0_that_is_not_shared_is_warned_of() -> None:
    runs = a_study({"random": 0.0, "margin": 0.06})
    odd = a_run("kl", 1, (0.55, 0.6, 0.7, 0.8))
    assert say(*runs, odd).endswith(
        "Caution: under seed 1, round 0 is not the same for all strategies, although versions and "
        "hardware are: more than the strategy may differ."
    )


def test_random_that_lags_behind_is_not_missing() -> None:
    runs = [a_run("random", s, (0.5,), (10,), finished=False) for s in range(3)]
    text = say(*runs, *a_study({"margin": 0.06, "kl": 0.0}))
    assert "random's runs do not reach these labels yet; among all pairs" in text


def test_where_nobody_is_best_the_reference_stands_for_all() -> None:
    runs = a_study({"random": 0.0, "margin": 0.001}, noise=0.01)
    text = say(*runs, *(a_passive_run(s, 0.9) for s in (2, 5, 6)))
    assert "With 40 of 200 labels, random reaches" in text
    assert text.endswith("against 90.0%, 1 seed), which was trained for 100 steps.")
    apart = say(*a_study({"random": 0.0, "margin": 0.001}, noise=0.01), a_passive_run(7, 0.9))
    assert "against 90.0%, 1 seed of the baseline, not paired), which was" in apart


def test_an_unfinished_sweep_is_provisional() -> None:
    half = a_run("kl", 0, (0.5, 0.6), (10, 20), finished=False)
    text = say(*a_study(CLEAR, seeds=3), half)
    assert text.startswith(
        "Provisional, as 1 run is unfinished. On toys with the cnn, margin beats"
    )


def test_without_random_all_pairs_are_compared() -> None:
    text = say(*a_study({"margin": 0.06, "entropy": 0.0, "kl": 0.0}, seeds=3, noise=0.001))
    assert text.startswith(
        "On toys with the cnn, there is no run of random to compare with; among all pairs of "
        "strategies over [10, 40] labels, "
    )
    assert "margin beats entropy by " in text
    assert "margin beats kl by " in text
    assert text.endswith("; 1 pair is undecided.")


def test_without_random_and_without_seeds_nothing_is_claimed() -> None:
    text = say(*a_study({"margin": 0.06, "kl": 0.0}, seeds=2))
    assert text.endswith("which a test needs: nothing is claimed.")
    noisy = say(*a_study({"margin": 0.0, "kl": 0.0}, seeds=3))
    assert noisy.endswith(
        "among all pairs of strategies, no difference is decided over [10, 40] labels."
    )


def test_a_single_strategy_has_nobody_to_be_compared_with() -> None:
    assert say(a_run("margin", 0, (0.5, 0.6, 0.7, 0.85))) == (
        "On toys with the cnn, margin is the only strategy with runs, so that there is nothing to "
        "compare it with. It reaches 85.0% accuracy with 40 labels, 1 seed."
    )


def test_the_passive_baseline_alone() -> None:
    known = {"config": {"recipe": {"batch_size": 50}}}
    assert say(a_passive_run(0, 0.9, **known), a_passive_run(1, 0.92, **known)) == (
        "On toys with the cnn, only the passive baseline was run: 91.0% accuracy with all 200 "
        "labels after 25 epochs (100 steps), 2 seeds."
    )


def test_runs_that_have_just_begun() -> None:
    text = say(a_run("random", 0, (), (), finished=False))
    assert "there is nothing to report on yet" in text


def test_runs_without_test_images_are_nothing_to_compare() -> None:
    untested = a_run("margin", accuracy=(0.5,), labels=(10,))
    untested = replace(untested, rounds=(replace(untested.rounds[0], metrics={}),))
    assert say(untested) == (
        "On toys with the cnn, there is nothing to compare; what was left out, and why, is named "
        "below."
    )


def test_round_0_decides_nothing() -> None:
    runs = [
        a_run(name, s, (0.5,), (10,), finished=False) for name in ("random", "kl") for s in range(3)
    ]
    assert "share round 0 alone, which is the same for all strategies" in say(*runs)


@pytest.mark.parametrize("seeds", [3, 5])
def test_random_against_itself_is_seldom_a_claim(seeds: int) -> None:
    """At a level of 5 %, 100 draws give 5 claims on average, and more than 10 once in 90 times."""
    claims = 0
    for draw in range(100):
        runs = []
        for query_seed in (2 * draw + 1, 2 * draw + 2):
            config = {"query_seed": query_seed}
            runs += a_study({"random": 0.0}, seeds, noise=0.01, spread=0.0, config=config)
        text = say(*runs)
        assert "random, query_seed=" in text
        claims += "beats random" in text or "Worse than random" in text
    assert 1 <= claims <= 10


def test_what_tells_settings_apart_is_in_brackets() -> None:
    runs = [a_run(), a_run(config={"extra": 1}, folder="other")]
    texts = [verdict(analyse(setting)) for setting in build_study(runs)]
    assert texts[0].startswith("On toys with the cnn (extra=1), random is the only strategy")
