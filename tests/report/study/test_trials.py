from dataclasses import replace

import pytest

from al_lightning.report.study.grouping import build_study
from al_lightning.report.study.runs import Run
from al_lightning.report.study.trials import Search, searches, verdict
from tests.report.helpers import a_passive_run, a_run, a_study


def tried(lr: float, seeds: int = 3, effect: float | None = None, **arguments: object) -> list[Run]:
    """Runs of a trial; the higher the learning rate, the better by default."""
    config = {"recipe": {"optimizer": {"lr": lr}}, **arguments.pop("config", {})}  # type: ignore[dict-item]
    effects = {"margin": lr if effect is None else effect}
    return a_study(effects, seeds, validation=5, config=config, **arguments)  # type: ignore[arg-type]


def the_search(runs: list[Run]) -> Search:
    (search,) = searches(build_study(runs))
    return search


def test_trials_are_sorted_by_their_validation_labels() -> None:
    search = the_search([run for lr in (0.01, 0.03, 0.02) for run in tried(lr)])
    # The lead is there for 2.5 of 3 steps above 0.66.
    found = {t.parameters["recipe.optimizer.lr"]: t.validation for t in search.trials}
    assert list(found) == [0.03, 0.02, 0.01]
    assert list(found.values()) == pytest.approx([0.685, 0.66 + 0.02 * 2.5 / 3, 0.66 + 0.025 / 3])
    assert search.best is search.trials[0]
    assert (search.keys, search.budgets) == (("recipe.optimizer.lr",), (10, 20, 30, 40))
    assert verdict(search) == (
        "On toys with the cnn, 3 trials of margin differ in recipe.optimizer.lr. The best by AUBC of "
        "the accuracy on validation labels over [10, 40] labels is recipe.optimizer.lr=0.03: 68.5% "
        "(3 seeds). The trial was chosen by this figure, which may therefore be too high; the test "
        "images were not used to choose. No difference between trials is tested."
    )


def test_test_figures_choose_nothing() -> None:
    """The trial that is best on test images is worst on validation labels."""
    runs = []
    for lr, heights in ((0.1, (0.5, 0.6)), (0.2, (0.5, 0.9))):
        run = a_run("margin", 0, heights, (10, 20), validation=5, config={"recipe": {"lr": lr}})
        rounds = tuple(
            replace(e, validation={"accuracy": 1 - e.metrics["accuracy"]}) for e in run.rounds
        )
        runs.append(replace(run, rounds=rounds))
    first, second = the_search(runs).trials
    assert (first.parameters, second.parameters) == ({"recipe.lr": 0.1}, {"recipe.lr": 0.2})
    assert (first.validation, first.test, first.final) == pytest.approx((0.45, 0.55, 0.6))


def test_what_only_some_trials_have_is_null_in_the_others() -> None:
    search = the_search([*tried(0.1), *tried(0.2, config={"model": {"width": 8}})])
    assert search.keys == ("model.width", "recipe.optimizer.lr")
    assert search.trials[0].name == "model.width=8, recipe.optimizer.lr=0.2"
    assert search.trials[1].name == "recipe.optimizer.lr=0.1"


def test_the_number_of_parameters_is_no_hyperparameter_of_its_own() -> None:
    more = [replace(run, trainable_parameters=99) for run in tried(0.2)]
    assert the_search([*tried(0.1), *more]).keys == ("recipe.optimizer.lr",)
    alone = [replace(run, trainable_parameters=99) for run in tried(0.1)]
    assert the_search([*tried(0.1), *alone]).keys == ("model.trainable_parameters",)


def test_how_a_strategy_is_set_up_is_searched_as_well() -> None:
    runs = [
        a_run("shortlist", 0, validation=5, folder=str(k), config={"strategy": {"factor": k}})
        for k in (2, 3)
    ]
    search = the_search(runs)
    assert search.keys == ("strategy.factor",)
    assert [trial.parameters["strategy.factor"] for trial in search.trials] == [3, 2][::-1]
    assert all(setting.trial for setting in build_study(runs))


def test_where_strategies_meet_they_are_compared_and_their_trials_listed() -> None:
    recipes = [{"recipe": {"lr": lr}} for lr in (0.1, 0.2)]
    runs = [r for c in recipes for r in a_study({"random": 0, "kl": 0.1}, validation=5, config=c)]
    settings = build_study(runs)
    assert not any(setting.trial for setting in settings)
    (search,) = searches(settings)
    assert (len(search.trials), search.keys, search.strategies) == (
        4,
        ("recipe.lr",),
        ["kl", "random"],
    )
    assert "is kl with recipe.lr=0.1: " in verdict(search)


def test_without_labels_to_choose_by_there_is_no_search() -> None:
    runs = [a_run("margin"), a_run("margin", config={"recipe": {"a": 1}}, folder="b")]
    settings = build_study(runs)
    assert searches(settings) == []
    assert not any(setting.trial for setting in settings)


def test_other_conditions_make_other_searches() -> None:
    runs = [*tried(0.1), *tried(0.2), *tried(0.1, dataset="others"), *tried(0.2, dataset="others")]
    budget = {"budget": {"initial": 5, "query": 10, "validation": 5}}
    runs += [*tried(0.1, config=budget), *tried(0.2, config=budget)]
    assert [search.name for search in searches(build_study(runs))] == [
        "others with the cnn",
        "toys with the cnn, budget.initial=10, budget.validation=0",
        "toys with the cnn, budget.initial=5, budget.validation=5",
    ]


def test_a_setting_apart_is_no_search() -> None:
    assert searches(build_study(tried(0.1))) == []
    seeds = [a_run("random", validation=5, config={"query_seed": q}, folder=str(q)) for q in (1, 2)]
    assert searches(build_study(seeds)) == []


def test_a_trial_that_was_cut_short_is_not_held_against_others() -> None:
    short = a_run(
        "margin", 0, (0.9, 0.9), (10, 20), validation=5, finished=False,
        config={"recipe": {"optimizer": {"lr": 0.9}}},
    )  # fmt: skip
    search = the_search([*tried(0.1), *tried(0.2), short])
    assert search.budgets == (10, 20, 30, 40)
    assert search.trials[-1].parameters["recipe.optimizer.lr"] == 0.9
    assert search.trials[-1].validation is None
    assert search.best is search.trials[0]
    assert verdict(search).startswith("Provisional, as 1 run is unfinished. On toys")


def test_a_trial_that_has_just_begun_is_part_of_the_search() -> None:
    budget = {"initial": 10, "query": 10, "total": 40, "validation": 5}
    begun = a_run(
        "margin", 0, (), (), finished=False, folder="begun",
        config={"budget": budget, "recipe": {"optimizer": {"lr": 0.9}}},
    )  # fmt: skip
    others = [r for lr in (0.1, 0.2) for r in tried(lr, config={"budget": budget})]
    settings = build_study([*others, begun])
    assert [setting.trial for setting in settings] == [True] * 3
    (search,) = searches(settings)
    assert (len(search.trials), search.unfinished) == (2, 1)
    assert searches(build_study([*others[:1], begun])) == []  # nothing to choose among yet


def test_recipes_may_be_searched_on_all_labels() -> None:
    """A passive run has one round, and so no area: the accuracy there will do."""
    runs = [
        a_passive_run(0, accuracy, validation=20, config={"recipe": {"lr": accuracy}})
        for accuracy in (0.7, 0.8)
    ]
    search = the_search(runs)
    assert search.best is not None
    assert (search.best.strategy, search.best.validation) == ("passive", 0.8)
    assert "The best by accuracy on validation labels over 200 labels is" in verdict(search)


def test_long_lists_of_keys_are_cut_in_sentences() -> None:
    recipes = [{"recipe": dict.fromkeys("abcdef", k)} for k in range(2)]
    search = the_search([a_run("margin", validation=5, config=c) for c in recipes])
    assert "differ in recipe.a, recipe.b, recipe.c, recipe.d and 2 more keys." in verdict(search)
    assert search.trials[0].name.endswith("recipe.d=0, 2 more keys")
