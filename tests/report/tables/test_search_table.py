from al_lightning.report.study.grouping import build_study
from al_lightning.report.study.trials import searches
from al_lightning.report.tables.formats import to_records
from al_lightning.report.tables.search_table import trials
from tests.report.helpers import a_passive_run, a_run, a_study, texts


def test_the_trials_of_a_search() -> None:
    runs = [
        run
        for lr, name in ((0.01, "Adam"), (0.03, "SGD"))
        for run in a_study({"margin": lr}, validation=5, config={"recipe": {"lr": lr, "by": name}})
    ]
    short = a_run("margin", 0, (0.5,), (10,), validation=5, config={"recipe": {"lr": 1.0}})
    (search,) = searches(build_study([*runs, short]))
    table = trials(search)
    assert [column.heading for column in table.columns] == [
        "trial",
        "recipe.by",
        "recipe.lr",
        "seeds",
        "validation AUBC",
        "test AUBC, not used to choose",
        "test accuracy at the end, not used to choose",
    ]
    assert [column.numeric for column in table.columns[1:3]] == [False, True]
    assert texts(table) == {
        "1": ["SGD", "0.03", "3", "68.50", "68.50", "84.00"],
        "2": ["Adam", "0.01", "3", "66.83", "66.83", "82.00"],
        "\u2013": ["null", "1.0", "1", "\u2013", "\u2013", "\u2013"],
    }
    first = to_records(table)[0]
    assert (first["place"], first["recipe.lr"], first["recipe.by"]) == (1, 0.03, "SGD")


def test_strategies_are_told_where_there_are_several() -> None:
    recipes = [{"recipe": {"lr": lr}} for lr in (0.1, 0.2)]
    runs = [r for c in recipes for r in a_study({"random": 0, "kl": 0.1}, validation=5, config=c)]
    (search,) = searches(build_study(runs))
    found = texts(trials(search))
    assert [row[0] for row in found.values()] == ["kl", "kl", "random", "random"]


def test_a_single_budget_has_no_area() -> None:
    runs = [
        a_passive_run(0, accuracy, validation=20, config={"recipe": {"lr": accuracy}})
        for accuracy in (0.7, 0.8)
    ]
    (search,) = searches(build_study(runs))
    table = trials(search)
    assert "from 200 labels" in table.caption
    assert "On 20 labels for validation, an accuracy of 80.0% in one run" in table.caption
    assert "95% interval [58.4, 91.9] (Wilson)" in table.caption  # by scipy's binomtest(16, 20)
    assert texts(table)["1"] == ["0.8", "1", "80.00", "80.00"]
