import pytest

from al_lightning.report.tables.budget_table import by_budget
from al_lightning.report.tables.formats import to_records
from tests.report.helpers import a_passive_run, a_run, texts, the_analysis

LABELS = tuple(range(10, 130, 10))  # 12 budgets


def test_mean_and_standard_deviation_of_the_seeds() -> None:
    heights = {0: (0.5, 0.6), 1: (0.5, 0.7), 2: (0.5, 0.8)}
    runs = [a_run("margin", s, h, (10, 20), macro_f1=(0.4, 0.45)) for s, h in heights.items()]
    runs += [a_run("random", 0, (0.5, 0.55), (10, 20)), a_passive_run()]
    accuracy, macro_f1 = by_budget(the_analysis(runs))
    # 0.6, 0.7 and 0.8: mean 0.7, standard deviation 0.1; a single seed has none.
    assert texts(accuracy) == {
        "margin": ["3", "50.00 \u00b1 0.00", "70.00 \u00b1 10.00"],
        "random": ["1", "50.00", "55.00"],
    }
    assert [column.heading for column in accuracy.columns] == [
        "strategy", "seeds", "10 labels", "20 labels",
    ]  # fmt: skip
    assert to_records(accuracy)[0] == pytest.approx(
        {
            "strategy": "margin",
            "seeds": 3,
            "mean_10": 0.5,
            "std_10": 0.0,
            "mean_20": 0.7,
            "std_20": 0.1,
        }
    )
    assert texts(macro_f1)["margin"][2] == "45.00 \u00b1 0.00"
    assert (accuracy.name, macro_f1.name) == ("accuracy_by_budget", "macro_f1_by_budget")
    assert macro_f1.caption.startswith(
        "Macro-F1 on the test set by labels bought: mean and standard"
    )


def test_of_many_budgets_seven_are_shown_the_ends_among_them() -> None:
    run = a_run("margin", 0, [k / 12 for k in range(12)], LABELS)
    accuracy, _ = by_budget(the_analysis([run]))
    assert [column.heading for column in accuracy.columns][2:] == [
        f"{b} labels" for b in (10, 30, 50, 70, 80, 100, 120)
    ]
    assert accuracy.caption.endswith("7 of 12 budgets; results.csv has all.")


def test_a_metric_of_ones_own_is_not_in_per_cent() -> None:
    run = a_run("margin", 0, (0.5, 0.6), (10, 20), metrics={"kappa(weights=None)": (0.1, 0.25)})
    *_, table = by_budget(the_analysis([run]))
    assert table.name == "kappa_weights_None_by_budget"
    assert texts(table) == {"margin": ["1", "0.100", "0.250"]}


def test_a_single_budget_and_no_run() -> None:
    (accuracy, _) = by_budget(the_analysis([a_run("margin", 0, (0.5,), (10,))]))
    assert texts(accuracy) == {"margin": ["1", "50.00"]}
    assert [*by_budget(the_analysis([a_passive_run()]))] == []
