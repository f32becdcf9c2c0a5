from tests.report.helpers import a_run, a_study, the_setting

FAST = {"recipe": {"optimizer": {"lr": 0.1}}}


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
    (left,) = the_setting([*runs, short]).left_out
    assert left.reason.startswith("it ended at 20 labels")
