from al_lightning.report.study.grouping import build_study
from tests.report.helpers import a_run, a_study, the_setting

FAST = {"recipe": {"optimizer": {"lr": 0.1}}}


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


def test_long_values_are_cut_in_names() -> None:
    runs = [a_run(), a_run(config={"extra": 50 * "x"})]
    assert build_study(runs)[1].name == f"toys with cnn, extra={40 * 'x'}\u2026"
