from al_lightning.report.study.grouping import build_study
from tests.report.helpers import a_run, a_study, the_setting

FAST = {"recipe": {"optimizer": {"lr": 0.1}}}


def test_strategies_that_ran_under_other_conditions_alone_are_told() -> None:
    settings = build_study([*a_study({"random": 0}), *a_study({"margin": 0.1}, config=FAST)])
    assert settings[0].notes == (
        "margin is not compared with random, because recipe.optimizer.lr differs",
    )


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


def test_seeds_without_a_partner_are_told() -> None:
    runs = [*a_study({"random": 0}, seeds=4), *a_study({"margin": 0.1}, seeds=2)]
    assert the_setting(runs).notes == (
        "There is no run of margin under seeds 2 and 3 that can be compared",
    )
