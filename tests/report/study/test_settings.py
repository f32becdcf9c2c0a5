import random
from dataclasses import replace
from pathlib import Path

from al_lightning.report.study.runs import Run
from al_lightning.report.study.settings import build_study
from tests.report.helpers import a_passive_run, a_run, a_study, the_setting

FAST = {"recipe": {"optimizer": {"lr": 0.1}}}


def test_strategies_and_seeds_of_one_setting() -> None:
    setting = the_setting(a_study({"margin": 0.1, "random": 0, "badge": 0.2}, seeds=2, passive=0.9))
    assert setting.name == "toys with cnn"
    assert list(setting.runs) == ["random", "badge", "margin"]  # the reference first
    assert {name: list(runs) for name, runs in setting.runs.items()} == {
        "random": [0, 1],
        "badge": [0, 1],
        "margin": [0, 1],
    }
    assert list(setting.passive) == [0, 1]
    assert setting.budgets == (10, 20, 30, 40)
    assert (setting.reference, setting.differences) == ("random", {})
    assert (setting.left_out, setting.unfinished, setting.notes) == ((), (), ())
    assert len(setting.all_runs) == 8


def test_the_order_of_runs_does_not_matter() -> None:
    runs = a_study({"margin": 0.1, "random": 0}, seeds=4, passive=0.9)
    shuffled = random.Random(0).sample(runs, len(runs))
    assert build_study(shuffled) == build_study(runs)
    margin = the_setting(shuffled).runs["margin"]
    assert {seed: run.seed for seed, run in margin.items()} == {s: s for s in range(4)}


# The passive baseline


def test_the_passive_baseline_belongs_to_all_settings_that_differ_in_budget() -> None:
    other = {"budget": {"initial": 10, "query": 5, "total": 40, "validation": 0}}
    runs = [a_run(), a_run(config=other), a_passive_run(0), a_passive_run(1)]
    for setting in build_study(runs):
        assert list(setting.passive) == [0, 1]
        assert list(setting.runs) == ["random"]


def test_a_passive_baseline_with_another_recipe_is_a_setting_of_its_own() -> None:
    alone, active = build_study([a_run(), a_passive_run(config={"epochs": 99})])[::-1]
    assert (alone.name, active.name) == ("toys with cnn, epochs=null", "toys with cnn, epochs=99")
    assert (alone.passive, list(active.passive), active.runs) == ({}, [0], {})
    assert active.budgets == ()


def test_the_passive_baseline_is_known_by_its_labels_and_not_by_its_name() -> None:
    setting = the_setting([a_run(), a_run("anything", 0, [0.9], [200], folder="all")])
    assert list(setting.passive) == [0]
    assert list(setting.runs) == ["random"]


def test_the_baseline_with_as_many_validation_labels_is_preferred() -> None:
    budget = {"initial": 10, "query": 10, "total": 40, "validation": 100}
    held = a_passive_run(0, 0.7, validation=100, folder="a", config={"budget": budget})
    active, alone = build_study([*a_study({"random": 0}), a_passive_run(0, folder="z"), held])
    assert [str(run.folder) for run in active.passive.values()] == ["z"]
    assert [str(run.folder) for run in alone.passive.values()] == ["a"]
    (only,) = build_study([*a_study({"random": 0}), held])
    assert list(only.passive) == [0]


# Strategies


def test_without_random_there_is_no_reference() -> None:
    assert the_setting([a_run("margin"), a_run("entropy")]).reference is None


def test_a_variant_of_random_will_do_as_reference() -> None:
    runs = [a_run("random", config={"strategy": {"k": k}}, folder=str(k)) for k in (2, 3)]
    assert the_setting(runs).reference == "random, k=2"


# What is left out


def reasons(*runs: Run) -> dict[str, str]:
    left_out = [left for s in build_study(runs) for left in s.left_out]
    return {str(left.run.folder): left.reason for left in left_out}


def test_runs_without_a_round_or_a_seed_are_named() -> None:
    runs = a_study({"random": 0, "margin": 0.1})
    begun = a_run("kl", 0, (), (), finished=False, folder="begun")
    found = reasons(*runs, begun, a_run("kl", None, folder="unseeded"))
    assert found == {
        "begun": "no round of it is finished yet",
        "unseeded": "its configuration holds no seed to pair it by",
    }


def test_runs_without_test_images_are_named() -> None:
    by_hand = a_run("margin", 7, (0.5, 0.6), (10, 20), finished=False, folder="by hand")
    by_hand = replace(by_hand, rounds=tuple(replace(e, metrics={}) for e in by_hand.rounds))
    setting = the_setting([*a_study({"random": 0, "margin": 0.1}), by_hand])
    assert [(left.run, left.reason) for left in setting.left_out] == [
        (by_hand, "it has no test images")
    ]
    assert (setting.unfinished, list(setting.runs["margin"])) == ((), [0, 1, 2])
    (alone,) = build_study([by_hand])
    assert (alone.runs, alone.budgets) == ({}, ())


def test_of_two_runs_of_a_strategy_and_seed_the_longer_counts() -> None:
    short = a_run("margin", 0, (0.5, 0.6), (10, 20), finished=False, folder="short")
    setting = the_setting([a_run("random"), short, a_run("margin", 0, folder="whole")])
    assert setting.runs["margin"][0].folder == Path("whole")
    assert setting.unfinished == ()  # what counts is finished
    (left,) = setting.left_out
    assert left.run is short
    assert left.reason == "it has the same rounds as whole, which counts in its place"


def test_another_result_of_the_same_strategy_and_seed_is_named_as_such() -> None:
    again = a_run("margin", 0, (0.5, 0.6, 0.7, 0.9), folder="b")
    runs = [a_run("random"), a_run("margin", folder="a"), again]
    assert "does not come to the same" in the_setting(runs).notes[0]
    found = reasons(*runs)
    assert found == {"b": "it has the strategy and seed of a, which counts in its place"}


def test_a_run_that_starts_elsewhere_makes_no_pair() -> None:
    odd = a_run("margin", 1, start="elsewhere", folder="odd")
    runs = [a_run(name, s) for name in ("random", "kl") for s in (0, 1)]
    assert reasons(*runs, odd) == {
        "odd": "it starts from other labels than most runs of seed 1: they make no pair"
    }


def test_where_two_start_differently_the_reference_stays() -> None:
    setting = the_setting([a_run("badge", start="elsewhere"), a_run("random")])
    assert list(setting.runs) == ["random"]


# How far the comparison goes


def test_unfinished_runs_are_left_out_where_that_costs_less_than_a_shorter_comparison() -> None:
    runs = a_study({"random": 0, "margin": 0.1}, seeds=3)
    half = a_run("kl", 0, (0.5, 0.6), (10, 20), finished=False, folder="half")
    setting = the_setting([*runs, half])
    assert setting.budgets == (10, 20, 30, 40)
    assert setting.unfinished == (half,)
    (left,) = setting.left_out
    assert left.reason == "it is unfinished at 20 labels, and the comparison goes to 40"


def test_where_nearly_all_are_under_way_the_comparison_is_shorter() -> None:
    runs = [a_run("random", 0)]
    for seed in range(3):
        for name in ("random", "margin"):
            run = a_run(name, seed, (0.5, 0.6, 0.7), (10, 20, 30), finished=False)
            runs += [run] if (name, seed) != ("random", 0) else []
    setting = the_setting(runs)
    assert setting.budgets == (10, 20, 30)
    assert {name: list(by_seed) for name, by_seed in setting.runs.items()} == {
        "random": [0, 1, 2],
        "margin": [0, 1, 2],
    }
    assert len(setting.unfinished) == 5


def test_runs_of_other_lengths_are_compared_over_what_they_share() -> None:
    longer = a_run("margin", 0, (0.5, 0.6, 0.7, 0.8, 0.9), (10, 20, 30, 40, 50))
    assert the_setting([a_run("random", 0), longer]).budgets == (10, 20, 30, 40)


def test_a_finished_run_that_is_too_short_has_ended() -> None:
    runs = a_study({"random": 0, "margin": 0.1})
    short = a_run("kl", 0, (0.5, 0.6), (10, 20), folder="short")
    assert reasons(*runs, short)["short"].startswith("it ended at 20 labels")
