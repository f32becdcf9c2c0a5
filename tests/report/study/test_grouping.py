import random
from dataclasses import replace

from al_lightning.report.study.grouping import build_study
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
    for_test = replace(a_passive_run(0, 0.7, folder="b"), test_labels=90)
    (one,) = build_study([*a_study({"random": 0}), a_passive_run(0, folder="z"), for_test])
    assert [str(run.folder) for run in one.passive.values()] == ["z"]


# Strategies
