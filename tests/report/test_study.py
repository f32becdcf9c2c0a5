import random
from dataclasses import replace
from pathlib import Path

import pytest

from al_lightning.report.run import Run
from al_lightning.report.study import build_study, flat
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


def test_a_setting_is_all_but_strategy_seed_and_what_changes_no_result() -> None:
    config = {"threads": 2, "data_root": "/elsewhere", "output_root": "o", "cache": False,
              "logger": {"_target_": "x"}, "dataset": {"root": "/d", "path": "/p", "download": True},
              "progress": True, "overwrite": True, "spend": None, "query_seed": None,
              "budget": {"initial": 10, "query": 10, "total": 4000, "validation": 0}}  # fmt: skip
    runs = [*a_study({"random": 0}), *a_study({"margin": 0.1}, config=config)]
    assert list(the_setting(runs).runs) == ["random", "margin"]


def test_null_is_absent() -> None:
    assert flat({"a": {"b": 1, "c": None, "d": {}}, "e": [None]}) == {"a.b": 1, "e": [None]}
    runs = [a_run("random"), a_run("margin", config={"new": {"key": None}})]
    assert len(build_study(runs)) == 1


def test_what_differs_between_settings_is_in_their_names() -> None:
    runs = [*a_study({"random": 0}), *a_study({"random": 0}, config=FAST)]
    runs += a_study({"random": 0}, dataset="other")
    assert [setting.name for setting in build_study(runs)] == [
        "other with cnn",
        "toys with cnn, recipe.optimizer.lr=0.003",
        "toys with cnn, recipe.optimizer.lr=0.1",
    ]


def test_a_key_that_only_one_setting_has_is_null_in_the_other() -> None:
    runs = [a_run(), a_run(config={"extra": True})]
    names = [setting.name for setting in build_study(runs)]
    assert names == ["toys with cnn, extra=null", "toys with cnn, extra=true"]


def test_settings_that_differ_in_much_have_short_names_that_differ() -> None:
    several = [{"a": k, **dict.fromkeys("bcdefg", k)} for k in range(2)]
    several += [{**several[0], "g": 5}]
    names = [setting.name for setting in build_study([a_run(config=c) for c in several])]
    assert names == [
        "toys with cnn, a=0, b=0, c=0, d=0, 3 more keys",
        "toys with cnn, a=0, b=0, c=0, d=0, 3 more keys, variant 2",
        "toys with cnn, a=1, b=1, c=1, d=1, 3 more keys",
    ]


@pytest.mark.parametrize(
    "other",
    [
        a_run("margin", hardware={"precision": "bf16-mixed"}),
        a_run("margin", dataset="others"),
        a_run("margin", model="resnet"),
        a_run("margin", config={"budget": {"initial": 10, "query": 5, "total": 40}}),
    ],
)
def test_other_conditions_are_another_setting(other: Run) -> None:
    assert len(build_study([a_run(), other])) == 2


def test_other_data_under_the_same_name_is_another_setting() -> None:
    more = replace(a_run("margin"), data={"train": 200, "test": 30, "fingerprint": "more"})
    runs = [a_run(), more]
    assert [setting.name for setting in build_study(runs)] == [
        "toys with cnn, data.fingerprint=data of toys",
        "toys with cnn, data.fingerprint=more",
    ]


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


def test_where_the_trainer_computes_is_no_condition() -> None:
    trainers = [{"accelerator": a, "enable_progress_bar": a == "gpu"} for a in ("cpu", "gpu")]
    runs = [
        a_run(name, config={"trainer": trainer})
        for name, trainer in zip(("random", "margin"), trainers, strict=True)
    ]
    assert list(the_setting(runs).runs) == ["random", "margin"]


def test_strategies_that_ran_under_other_conditions_alone_are_told() -> None:
    settings = build_study([*a_study({"random": 0}), *a_study({"margin": 0.1}, config=FAST)])
    assert settings[0].notes == (
        "margin is not compared with random, because recipe.optimizer.lr differs",
    )


# Strategies


def test_strategies_of_one_name_are_told_apart_by_how_they_are_set_up() -> None:
    def shortlist(factor: int | None) -> dict[str, object]:
        return {"strategy": {"_target_": "Shortlist", "factor": factor}}

    runs = [a_run("shortlist", 0, config=shortlist(f), folder=str(f)) for f in (None, 5, 10)]
    assert list(the_setting(runs).runs) == [
        "shortlist",
        "shortlist, factor=10",
        "shortlist, factor=5",
    ]


def test_a_part_of_a_strategy_is_named_by_its_class() -> None:
    parts = [
        {"_target_": "Shortlist", "score": {"_target_": f"al_lightning.strategies.{name}"}}
        for name in ("Margin", "Entropy")
    ]
    runs = [
        a_run("shortlist", 0, config={"strategy": p}, folder=str(k)) for k, p in enumerate(parts)
    ]
    assert list(the_setting(runs).runs) == ["shortlist, score=Entropy", "shortlist, score=Margin"]


def test_random_under_other_query_seeds_is_compared_with_random() -> None:
    runs = [a_run("random", s, folder=f"a{s}") for s in range(3)]
    runs += [a_run("random", s, config={"query_seed": 7}, folder=f"b{s}") for s in range(3)]
    setting = the_setting(runs)
    assert list(setting.runs) == ["random", "random, query_seed=7"]
    assert setting.reference == "random"


def test_a_query_seed_for_each_seed_is_no_other_strategy() -> None:
    runs = [a_run("margin", s, config={"query_seed": 100 + s}) for s in range(3)]
    assert list(the_setting(runs).runs) == ["margin"]


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


# Notes


def test_other_versions_and_hardware_are_told_and_not_left_out() -> None:
    setting = the_setting(
        [
            a_run("random", 0),
            a_run("random", 1),
            a_run("margin", 0, versions={"python": "3.12.1", "torch": "2.6.0"}),
            a_run("margin", 1, hardware={"device": "cuda"}),
        ]
    )
    assert [note.split(":")[0] for note in setting.notes] == [
        "The runs differ in the version of python",
        "The runs differ in device",
    ]
    assert "3.11.7 (3 runs) and 3.12.1 (1 run)" in setting.notes[0]
    assert len(setting.all_runs) == 4


def test_a_round_0_that_is_not_shared_is_told() -> None:
    runs = [a_run("random", 2), a_run("margin", 2, (0.51, 0.6, 0.7, 0.8))]
    setting = the_setting(runs)
    (note,) = setting.notes
    assert note.startswith("Under seed 2, the strategies do not share the results of round 0")
    assert "neither versions nor hardware explain it" in note
    assert setting.unexplained == (2,)


def test_a_round_0_that_other_hardware_may_explain_is_no_riddle() -> None:
    runs = [a_run("random", 2), a_run("margin", 2, (0.51, 0.6), (10, 20), hardware={"threads": 2})]
    setting = the_setting(runs)
    assert any("may be due to" in note for note in setting.notes)
    assert setting.unexplained == ()


@pytest.mark.parametrize(
    "other",
    [
        replace(a_run("margin"), trainable_parameters=99),
        a_run("margin", classes=("a", "b", "c", "d")),
        replace(a_run("margin"), data={"train": 200, "test": 31, "fingerprint": "data of toys"}),
    ],
)
def test_what_a_library_run_does_not_configure_is_taken_from_what_it_saw(other: Run) -> None:
    assert len(build_study([a_run(), other])) == 2


def test_long_values_are_cut_in_names() -> None:
    runs = [a_run(), a_run(config={"extra": 50 * "x"})]
    assert build_study(runs)[1].name == f"toys with cnn, extra={40 * 'x'}\u2026"


def test_seeds_without_a_partner_are_told() -> None:
    runs = [*a_study({"random": 0}, seeds=4), *a_study({"margin": 0.1}, seeds=2)]
    assert the_setting(runs).notes == (
        "There is no run of margin under seeds 2 and 3 that can be compared",
    )
