from dataclasses import replace
from pathlib import Path

from al_lightning.report.study.grouping import build_study
from al_lightning.report.study.runs import Run
from tests.report.helpers import a_run, a_study, the_setting

FAST = {"recipe": {"optimizer": {"lr": 0.1}}}


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
        (by_hand, "it has no test images, on which runs are compared")
    ]
    assert (setting.unfinished, list(setting.runs["margin"])) == ((), [0, 1, 2])
    assert setting.untested == (by_hand,)
    (alone,) = build_study([by_hand])
    assert (alone.runs, alone.budgets) == ({}, ())
    assert alone.known_runs == [by_hand]
    since = replace(by_hand, rounds=(by_hand.rounds[0], a_run().rounds[1]))
    assert reasons(since) == {
        "by hand": "it has no test images in some of its rounds, on which runs are compared"
    }


def test_an_unfinished_run_that_is_compared_is_known_once() -> None:
    run = a_run("margin", finished=False)
    setting = the_setting([run])
    assert setting.unfinished == (run,)
    assert setting.all_runs == setting.known_runs == [run]


def test_of_two_runs_of_a_strategy_and_seed_the_longer_counts() -> None:
    short = a_run("margin", 0, (0.5, 0.6), (10, 20), finished=False, folder="short")
    times = {"fit": 100.0}  # of a slower machine
    short = replace(short, rounds=tuple(replace(e, seconds=times) for e in short.rounds))
    setting = the_setting([a_run("random"), short, a_run("margin", 0, folder="whole")])
    assert setting.runs["margin"][0].folder == Path("whole")
    assert setting.unfinished == ()  # what counts is finished
    (left,) = setting.left_out
    assert left.run is short
    assert left.reason == "it has the same rounds as whole, which is used instead"


def test_another_result_of_the_same_strategy_and_seed_is_named_as_such() -> None:
    again = a_run("margin", 0, (0.5, 0.6, 0.7, 0.9), folder="b")
    runs = [a_run("random"), a_run("margin", folder="a"), again]
    assert "with other results" in the_setting(runs).notes[0]
    found = reasons(*runs)
    assert found == {"b": "it has the strategy and seed of a, which is used instead"}


def test_a_run_that_starts_elsewhere_makes_no_pair() -> None:
    odd = a_run("margin", 1, start="elsewhere", folder="odd")
    runs = [a_run(name, s) for name in ("random", "kl") for s in (0, 1)]
    assert reasons(*runs, odd) == {
        "odd": "it starts from other labels than most runs of seed 1, so it cannot be paired"
    }


def test_where_two_start_differently_the_reference_stays() -> None:
    setting = the_setting([a_run("badge", start="elsewhere"), a_run("random")])
    assert list(setting.runs) == ["random"]


# How far the comparison goes
