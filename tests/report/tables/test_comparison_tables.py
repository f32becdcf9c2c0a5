import pytest

from al_lightning.report.study.runs import Run
from al_lightning.report.tables.comparison_tables import (
    against_best,
    against_reference,
    other_measures,
)
from al_lightning.report.tables.formats import to_records
from tests.report.helpers import a_passive_run, a_run, a_study, texts, the_analysis

RUNS = a_study({"random": 0.0, "margin": 0.06, "kl": -0.06}, seeds=3, passive=0.9)


def test_against_the_reference_by_hand() -> None:
    # AUBC of random: 0.65 + 0.01 a seed.
    assert texts(against_reference(the_analysis(RUNS))) == {
        "margin": ["3", "71.00", "66.00", "+5.00", "[4.80, 5.20]", "better"],
        "kl": ["3", "61.00", "66.00", "-5.00", "[-5.19, -4.81]", "worse"],
        "random": ["3", "66.00", *["\u2013"] * 3, "reference"],
    }


def test_scores_beside_a_difference_are_of_the_same_seeds() -> None:
    """A sweep under way: random has an easy seed that margin has not."""
    runs = [a_run("random", s, [0.5, *(0.6 + 0.1 * s,) * 3]) for s in range(4)]
    runs += [a_run("margin", s, [0.5, *(0.62 + 0.1 * s,) * 3]) for s in range(3)]
    runs.append(a_run("l2", 7))
    found = texts(against_reference(the_analysis(runs)))
    # Of seeds 0, 1, 2: from 0.5 to 0.7 and 0.72 in the first step of three.
    assert found["margin"][:4] == ["3", "68.33", "66.67", "+1.67"]
    assert found["random"][:2] == ["3", "66.67"]
    assert found["l2"][:4] == ["0", "\u2013", "\u2013", "\u2013"]
    assert found["l2"][-1] == "no common seed"


def test_too_few_seeds_are_told() -> None:
    runs = a_study({"random": 0.0, "margin": 0.06}, seeds=2)
    row = texts(against_reference(the_analysis(runs)))["margin"]
    assert row[-2:] == ["\u2013", "too few seeds"]
    apart = the_analysis([a_run("random", 0), a_run("margin", 1)])
    assert texts(against_reference(apart))["margin"][-1] == "no common seed"


def test_strategies_that_share_no_seed_are_shown_and_not_read() -> None:
    study = a_study({"random": 0.0, "entropy": 0.06, "kl": 0.0, "margin": 0.03}, seeds=6)
    late = {"margin": 1, "entropy": 0, "kl": 0}  # margin has seeds 3 to 5, the others 0 to 2
    runs = [r for r in study if late.get(r.strategy, (r.seed or 0) // 3) == (r.seed or 0) // 3]
    analysis = the_analysis(runs)
    found = texts(against_reference(analysis))
    assert {name: (row[0], row[-1]) for name, row in found.items()} == {
        "entropy": ("3", "too few seeds"),
        "margin": ("3", "too few seeds"),
        "kl": ("3", "too few seeds"),
        "random": ("6", "reference"),
    }
    assert against_best(analysis) is None


def test_those_that_can_be_the_best_without_the_reference_are_marked_where_all_are_worse() -> None:
    runs = a_study({"random": 0.0, "margin": -0.03, "l2": -0.0301, "entropy": -0.09}, seeds=5)
    table = against_best(the_analysis(runs))
    assert {name: row[0] for name, row in texts(table).items()} == {
        "margin": "can be the best",
        "l2": "can be the best",
        "entropy": "not the best",
    }
    assert table is not None
    assert [record["can_be_best"] for record in to_records(table)] == [True, True, False]


def test_raw_values_are_not_rounded() -> None:
    table = against_reference(the_analysis(RUNS))
    assert table is not None
    margin = to_records(table)[0]
    assert margin["difference"] == pytest.approx(0.05)
    assert margin["aubc"] == pytest.approx(0.71)
    assert margin["reading"] == "better"


def test_who_can_be_the_best() -> None:
    runs = [*RUNS, *a_study({"entropy": 0.059}, noise=0.001)]
    table = against_best(the_analysis(runs))
    assert table is not None
    found = {record["strategy"]: record for record in to_records(table)}
    assert [n for n, r in found.items() if r["can_be_best"]] == ["margin", "entropy"]
    assert found["margin"]["behind_at_most"] == pytest.approx(0, abs=0.005)
    assert float(texts(table)["kl"][1]) > 10  # 10 points and what chance may add


def test_other_measures_are_not_read() -> None:
    table = other_measures(the_analysis(RUNS))
    assert table is not None
    assert "unadjusted 95% intervals" in table.caption
    assert texts(table)["margin"] == [
        "+5.00 [4.88, 5.12]",
        "+6.00 [5.96, 6.04]",
        "+6.00 [5.96, 6.04]",
    ]


@pytest.mark.parametrize("runs", [[a_passive_run()], [a_run("kl", 0, (), (), finished=False)]])
def test_what_there_is_nothing_for_is_left_out(runs: list[Run]) -> None:
    analysis = the_analysis(runs)
    assert against_reference(analysis) is None
    assert against_best(analysis) is None
    assert other_measures(analysis) is None
