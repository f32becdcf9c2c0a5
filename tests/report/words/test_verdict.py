from dataclasses import replace

import pytest

from al_lightning.report.analysis.results import Analysis, analyse
from al_lightning.report.rules import Rules
from al_lightning.report.statistics.power import needed_seeds
from al_lightning.report.study.grouping import build_study
from al_lightning.report.study.runs import Run
from al_lightning.report.words.verdict import verdict as sentences_of
from tests.report.helpers import a_passive_run, a_run, a_study, the_analysis, the_setting

CLEAR = {"random": 0.0, "margin": 0.06, "entropy": 0.05}


def verdict(analysis: Analysis) -> str:
    return " ".join(sentences_of(analysis))


def say(*runs: Run, rules: Rules | None = None) -> str:
    return verdict(the_analysis(runs, rules))


def test_the_answer_stands_before_the_points() -> None:
    answer, *points = sentences_of(the_analysis(a_study(CLEAR, seeds=5, passive=0.9)))
    assert answer.endswith("margin by 5.0 points [4.9, 5.1] and entropy by 4.2 points [4.1, 4.3].")
    assert points[0] == "entropy is shown to be behind margin."
    assert len(points) == 4


def test_many_that_are_behind_are_counted() -> None:
    behind = {f"s{k}": 0.01 for k in range(5)}
    sentences = sentences_of(the_analysis(a_study({**CLEAR, **behind}, seeds=5)))
    assert "All 6 others are shown to be behind margin." in sentences


def test_the_best_is_named_with_its_interval_its_savings_and_its_seeds() -> None:
    # AUBC: the lead of 0.06 holds for 2.5 of 3 steps, 0.05 on average; random's 0.8 (0.82 on the mean)
    # is reached at 40 - 10 * 0.06 / 0.1 = 34 labels.
    assert say(*a_study(CLEAR, seeds=5, passive=0.9)) == (
        "On toys with the cnn, margin and entropy beat random in AUBC over [10, 40] labels, 5 seeds: "
        "margin by 5.0 points [4.9, 5.1] and entropy by 4.2 points [4.1, 4.3]. entropy is shown to be "
        "behind margin. These readings rest on seeds 0 to 4; the next look is at 10 seeds. On the way "
        "to random's final accuracy, margin saves 15% of the labels (median of 5 seeds, all 15%). With "
        "40 of 200 labels, margin reaches 97.8% of the accuracy of the passive baseline (90.0%, 5 "
        "seeds), which was trained for 100 steps."
    )


def test_those_that_are_not_worse_than_the_best_are_named_beside_it() -> None:
    lead = {"margin": (6, 7, 8), "entropy": (7, 6, 7), "badge": (6, 6, 8), "l2": (1, 2, 3.5)}
    runs = [a_run("random", s) for s in range(3)] + [
        a_run(name, s, (0.5, 0.6 + lead[name][s] / 100, 0.7, 0.8))
        for name in lead
        for s in range(3)
    ]
    text = say(*runs, rules=Rules(looks=(3,)))
    # Leads in AUBC: a third of 0.07 on average, of 0.0667 for the next two; l2 is clearly below.
    assert "margin, entropy and badge beat random" in text
    assert "margin by 2.3 points [1.3, 3.4], entropy by 2.2 points [1.5, 3.0] and badge by" in text
    assert " margin, entropy and badge cannot be told from the best." in text
    assert " l2 is undecided against random." in text


def test_undecided_is_called_undecided_with_the_seeds_that_it_would_take() -> None:
    runs = a_study({"random": 0.0, "margin": 0.004, "entropy": 0.001}, seeds=4, noise=0.01)
    text = say(*runs, rules=Rules(looks=(4,)))
    assert text == (
        "On toys with the cnn, no strategy is shown to beat random in AUBC over [10, 40] labels, 4 "
        "seeds. No strategy can be told from the best. margin and entropy are undecided against "
        "random. These readings rest on seeds 0 to 3; this was the last planned look. To find a "
        "difference of 1 point with 80% power takes 5 to 17 seeds in all: more than the planned looks "
        "have, and a new study has to plan report.looks beforehand. Rules that are not the defaults: "
        "report.looks=[4]."
    )
    assert "beats" not in text


@pytest.mark.parametrize("difference", [0.3, 1, 2, 3, 20])
def test_the_advice_on_seeds_names_the_next_look_where_that_has_the_power(
    difference: float,
) -> None:
    rules = Rules(difference=difference, looks=(4, 10))
    analysis = the_analysis(a_study({"random": 0.0, "margin": 0.004}, seeds=5, noise=0.01), rules)
    found = needed_seeds(analysis.against, rules)
    assert found is not None
    least, most = found.least or 101, found.most or 101
    if most <= 4:
        advice = "is found with 80% power by 4 seeds."
    elif most <= 10:
        advice = "seeds in all: go on to 10 seeds."
    elif least > 10:
        advice = "seeds in all: more than the planned looks have, and a new study has to plan"
    else:
        advice = "seeds in all: the next look may be enough, or not."
    assert advice in verdict(analysis)


def test_the_next_look_is_not_enough_where_a_later_one_may_be() -> None:
    runs = a_study({"random": 0.0, "margin": 0.004}, seeds=4, noise=0.01)
    text = say(*runs, rules=Rules(looks=(4, 5, 50), difference=0.7))
    assert "seeds in all: more than the next look has." in text


def test_after_the_last_look_no_more_seeds_are_advised() -> None:
    runs = a_study({"random": 0.0, "margin": 0.004, "entropy": 0.002}, seeds=30, noise=0.02)
    assert (
        "this was the last planned look. To find a difference of 1 point with 80% power takes 25 to 62 "
        "seeds in all: more than the planned looks have, and a new study has to plan report.looks "
        "beforehand."
    ) in say(*runs)
    few = a_study({"random": 0.0, "margin": 0.0}, seeds=10, noise=0.01)
    assert "seeds in all: it may be more than the planned looks have, and a new" in say(*few)


def test_where_all_are_worse_nobody_is_closest() -> None:
    assert say(*a_study({"random": 0.0, "kl": -0.06}, seeds=3)) == (
        "On toys with the cnn, no strategy is shown to beat random in AUBC over [10, 40] "
        "labels, 3 seeds. kl is worse than random: by 5.0 points [4.8, 5.2]. These readings rest on "
        "seeds 0 to 2; the next look is at 5 seeds."
    )


def test_two_seeds_claim_nothing() -> None:
    assert say(*a_study(CLEAR, seeds=2)) == (
        "On toys with the cnn, nothing is claimed: no strategy has more than 2 seeds in common "
        "with random, and the first planned look takes 3."
    )


def test_a_strategy_with_too_few_seeds_is_told_apart() -> None:
    runs = [*a_study(CLEAR, seeds=3), *a_study({"l2": 0.2}, seeds=2)]
    text = say(*runs)
    assert "margin and entropy beat random" in text
    assert " entropy is shown to be behind margin." in text
    assert " l2 is not compared: fewer than 3 seeds in common with random." in text


@pytest.mark.parametrize(
    ("random", "margin", "said"),
    [
        (
            (0.5, 0.6, 0.7, 0.8),
            (0.5, 0.7, 0.9, 0.9),
            "saves 38% of the labels (median of 3 seeds, range 37 to 38%)",
        ),
        (
            (0.6, 0.7, 0.65, 0.7),
            (0.7, 0.8, 0.8, 0.8),
            "saves at least 50% of the labels (median of 3 seeds, all 50%)",
        ),
        ((0.5, 0.6, 0.7, 0.95), (0.5, 0.9, 0.9, 0.9), "gets there in 0 of 3 seeds"),
        # 0.88 by 10 + 10 * 0.38 / 0.45 and 10 + 10 * 0.38 / 0.4 labels.
        (
            (0.5, 0.95, 0.5, 0.88),
            (0.5, 0.9, 0.9, 0.9),
            "needs 6% more labels (median of 3 seeds, all 6%)",
        ),
        (
            (0.6, 0.5, 0.5, 0.5),
            (0.6, 0.7, 0.7, 0.7),
            "gets there in 3 of 3 seeds; unknown with seeds 0, 1 and 2, where the first labels are "
            "enough.",
        ),
    ],
)
def test_savings_are_stated_as_far_as_they_are_known(
    random: tuple[float, ...], margin: tuple[float, ...], said: str
) -> None:
    runs = [a_run("random", s, random) for s in range(3)]
    apart = [(*margin[:2], margin[2] + (s - 1) / 1000, margin[3]) for s in range(3)]
    text = say(*runs, *[a_run("margin", s, apart[s]) for s in range(3)])
    assert f"On the way to random's final accuracy, margin {said}" in text


def test_seeds_that_never_get_there_are_named() -> None:
    runs = [a_run("random", s, (0.5, 0.6, 0.7, 0.8)) for s in range(5)]
    runs += [a_run("margin", s, (0.5, 0.7, 0.9, 0.95 + s / 1000)) for s in range(4)]
    runs.append(a_run("margin", 4, (0.5, 0.75, 0.77, 0.79)))
    assert "(median of 5 seeds, range never to 38%; never reached with seed 4)." in say(*runs)


def test_seeds_of_which_nothing_is_known_are_named_and_do_not_count() -> None:
    runs = [
        a_run("random", s, (0.5, 0.6, 0.7, 0.8) if s < 3 else (0.8, 0.7, 0.7, 0.75))
        for s in range(5)
    ]
    runs += [
        a_run("margin", s, (0.5, 0.7, 0.9, 0.95) if s < 3 else (0.8, 0.8, 0.8, 0.8 + s / 1000))
        for s in range(5)
    ]
    assert (
        "saves 38% of the labels (median of 3 seeds, all 38%; unknown with seeds 3 and 4, where the "
        "first labels are enough)."
    ) in say(*runs)


def test_more_labels_are_told_with_a_range_of_their_own() -> None:
    runs = [a_run("random", s, (0.5, 0.9, 0.5, 0.88)) for s in range(4)]
    runs += [a_run("margin", s, (0.5, 0.8 + s / 100, 0.9, 0.95)) for s in range(3)]
    runs.append(a_run("margin", 3, (0.5, 0.87, 0.87, 0.875)))
    text = say(*runs)
    assert (
        "margin needs 43% more labels (median of 4 seeds, range 41 to never; never reached with seed 3)"
        in text
    )


def test_the_same_difference_in_all_seeds_is_no_claim() -> None:
    assert say(*a_study({"random": 0.0, "margin": 0.06}, spread=0.0)) == (
        "On toys with the cnn, nothing is claimed: each strategy differs from random by the same in "
        "all seeds."
    )


def test_the_same_within_the_margin_is_told_from_undecided() -> None:
    lead = {"a": (5, 8, 11)} | {name: (-3, 0, 3 + k) for k, name in enumerate("bcdef")}
    runs = [a_run("random", s) for s in range(3)] + [
        a_run(name, s, (0.5, 0.6 + lead[name][s] / 1000, 0.7, 0.8))
        for name in lead
        for s in range(3)
    ]
    text = say(*runs, rules=Rules(looks=(3,)))
    assert "d, c and b are the same as random within 0.5 points." in text
    assert "a, f and e are undecided against random." in text


def test_those_that_cannot_be_told_from_the_best_are_named_where_some_beat_the_reference() -> None:
    lead = {"margin": (6, 7, 8), "entropy": (0, 7, 9)}
    runs = [a_run("random", s) for s in range(3)] + [
        a_run(name, s, (0.5, 0.6 + lead[name][s] / 100, 0.7, 0.8))
        for name in lead
        for s in range(3)
    ]
    text = say(*runs, rules=Rules(looks=(3,)))
    assert "margin beats random" in text
    assert "margin and entropy cannot be told from the best. entropy is undecided" in text


def test_where_all_are_worse_than_the_reference_they_are_held_against_each_other() -> None:
    drop = {"margin": 0.02, "l2": 0.021, "entropy": 0.05}
    runs = [a_run("random", s, (0.5, 0.7, 0.8, 0.9)) for s in range(5)] + [
        a_run(name, s, (0.5, 0.7 - d, 0.8 - d + 0.002 * ((s * k) % 5), 0.9 - d))
        for k, (name, d) in enumerate(drop.items(), 1)
        for s in range(5)
    ]
    text = say(*runs)
    assert "Without random, l2 and margin cannot be told from the best. margin, l2 and" in text
    assert "entropy is shown to be behind margin." in say(*(r for r in runs if r.strategy != "l2"))
    assert "behind random" not in text


def test_claims_are_made_at_planned_looks() -> None:
    setting = the_setting(a_study(CLEAR, seeds=4))
    assert verdict(analyse(setting, Rules(looks=(5, 10)))) == (
        "On toys with the cnn, nothing is claimed: no strategy has more than 4 seeds in common with "
        "random, and the first planned look takes 5. Rules that are not the defaults: "
        "report.looks=[5,10]."
    )
    text = verdict(analyse(setting, Rules(looks=(4, 8))))
    assert "margin and entropy beat random" in text
    assert "rest on seeds 0 to 3; the next look is at 8 seeds." in text
    assert "seeds 0 to 3; this was the last planned look." in verdict(
        analyse(setting, Rules(looks=(4,)))
    )


def test_more_seeds_change_no_reading_before_the_next_look() -> None:
    runs = a_study({"random": 0.0, "margin": 0.01}, seeds=9, noise=0.02)
    texts = {
        k: verdict(the_analysis([run for run in runs if (run.seed or 0) < k])) for k in (5, 7, 9)
    }
    assert texts[5].split(" With")[0] == texts[7].split(" With")[0] == texts[9].split(" With")[0]


def test_strategies_with_too_few_seeds_in_common_are_not_compared() -> None:
    apart = [*a_study({"random": 0.0}, seeds=6), *a_study({"margin": 0.1}, seeds=3)]
    apart += [r for r in a_study({"kl": 0.1}, seeds=6) if (r.seed or 0) > 2]
    assert say(*apart).endswith(
        "nothing is claimed: random, kl and margin have no seed in common, and the first planned look "
        "takes 3."
    )


@pytest.mark.parametrize(("seeds", "have"), [(2, "more than 2 seeds"), (0, "a seed")])
def test_the_reference_is_no_strategy_that_shares_seeds_with_it(seeds: int, have: str) -> None:
    runs = [*(a_run("random", s) for s in range(5)), *(a_run("margin", s) for s in range(seeds))]
    runs += [a_run("margin", 9)]
    assert say(*runs).endswith(
        f"no strategy has {have} in common with random, and the first planned look takes 3."
    )


def test_who_keeps_the_others_from_a_later_look_is_named() -> None:
    runs = [r for r in a_study(CLEAR, seeds=10) if r.strategy != "entropy" or (r.seed or 0) < 3]
    assert (
        "the next look is at 5 seeds. entropy has 3 seeds in common with random; the others share 10."
    ) in say(*runs)
    without = [run for run in runs if run.strategy != "random"] + a_study({"kl": 0.0}, seeds=10)
    assert "look is at 5 seeds. entropy has 3 seeds; the others share 10." in say(*without)


def test_who_keeps_the_others_from_any_look_is_named() -> None:
    first = [r for r in a_study({"entropy": 0.05}, seeds=10) if (r.seed or 0) < 5]
    last = [r for r in a_study({"kl": 0.0}, seeds=10) if (r.seed or 0) >= 5]
    text = say(*a_study({"random": 0.0, "margin": 0.06}, seeds=10), *first, *last)
    assert "have no seed in common, and the first planned look takes 3." in text
    assert text.endswith("entropy and kl have 5 seeds in common with random; the others share 10.")


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
    assert "; random's runs do not reach these labels yet. These" in text


def test_where_nobody_is_best_the_reference_stands_for_all() -> None:
    runs = a_study({"random": 0.0, "margin": 0.001}, noise=0.01)
    text = say(*runs, *(a_passive_run(s, 0.9) for s in (2, 5, 6)))
    assert "With 40 of 200 labels, random reaches" in text
    assert text.endswith("baseline (90.0%, 1 seed), which was trained for 100 steps.")
    apart = say(*a_study({"random": 0.0, "margin": 0.001}, noise=0.01), a_passive_run(7, 0.9))
    assert "(90.0%, 1 seed of the baseline, not paired), which was" in apart


def test_an_unfinished_sweep_is_provisional() -> None:
    half = a_run("kl", 0, (0.5, 0.6), (10, 20), finished=False)
    text = say(*a_study(CLEAR, seeds=3), half)
    assert text.startswith(
        "Provisional, as 1 run is unfinished. On toys with the cnn, margin and entropy beat"
    )


def test_without_random_the_best_are_named() -> None:
    text = say(*a_study({"margin": 0.06, "entropy": 0.0, "kl": 0.0}, seeds=3, noise=0.001))
    assert text == (
        "On toys with the cnn, entropy and kl are shown to be behind margin in AUBC over [10, 40] "
        "labels, 3 seeds; there is no run of random to compare with. These readings rest on seeds "
        "0 to 2; the next look is at 5 seeds."
    )


def test_without_random_and_without_seeds_nothing_is_claimed() -> None:
    text = say(*a_study({"margin": 0.06, "kl": 0.0}, seeds=2))
    assert text.endswith("that takes 3 seeds in common, and a spread.")
    noisy = say(*a_study({"margin": 0.0, "kl": 0.0}, seeds=3))
    assert "no strategy can be told from the best in AUBC over [10, 40] labels, 3 seeds;" in noisy


def test_a_single_strategy_has_nobody_to_be_compared_with() -> None:
    assert say(a_run("margin", 0, (0.5, 0.6, 0.7, 0.85))) == (
        "On toys with the cnn, margin reaches 85.0% accuracy with 40 labels, 1 seed. No other "
        "strategy has runs."
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


def untested(finished: bool, seed: int | None = 0) -> Run:
    """A run without test images, which has labels for validation and for test."""
    run = a_run("margin", seed, (0.5, 0.9), (30, 60), validation=10, finished=finished)
    rounds = tuple(
        replace(entry, metrics={}, test={"accuracy": 0.8}, test_labels=20) for entry in run.rounds
    )
    return replace(run, rounds=rounds, test_labels=30, validation_labels=15)  # some bought since


def test_a_run_without_test_images_is_told_by_the_labels_that_it_bought() -> None:
    # The intervals are Wilson's, by scipy's binomtest(9, 10) and (16, 20).
    assert say(untested(finished=True)).endswith(
        "margin, seed 0, has 60 labels; its accuracy is 90.0% [59.6, 98.2] on 10 validation labels and "
        "80.0% [58.4, 91.9] on 20 test labels."
    )
    assert say(untested(finished=False, seed=None)).endswith(
        "margin has 60 labels; its accuracy is 90.0% [59.6, 98.2] on 10 validation labels and that on "
        "20 test labels is told at the end of the run."
    )


def test_runs_without_test_images_are_nothing_to_compare() -> None:
    run = a_run("margin", accuracy=(0.5,), labels=(10,))
    assert say(replace(run, rounds=(replace(run.rounds[0], metrics={}),))) == (
        "On toys with the cnn, nothing is compared: that takes test images in every round. margin, "
        "seed 0, has 10 labels; no labels were bought to measure its accuracy."
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
        text = say(*runs, rules=Rules(looks=(seeds,)))
        assert "random, query_seed=" in text
        claims += "beats random" in text or "worse than random" in text
    assert 1 <= claims <= 10


def test_what_tells_settings_apart_is_in_brackets() -> None:
    runs = [a_run(), a_run(config={"extra": 1}, folder="other")]
    texts = [verdict(analyse(setting)) for setting in build_study(runs)]
    assert texts[0].startswith("On toys with the cnn (extra=1), random reaches")
