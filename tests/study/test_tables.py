from dataclasses import replace

import pytest

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.rules import Rules
from al_lightning.report.tables.cells import NONE
from study.tables import tables_over_parts
from tests.report.helpers import a_study, texts, the_analysis


def a_part(name: str, effects: dict[str, float], seeds: int = 5) -> Analysis:
    found = the_analysis(a_study({"random": 0.0, **effects}, seeds=seeds), Rules(looks=(5,)))
    return replace(found, setting=replace(found.setting, name=name))


@pytest.fixture(scope="module")
def parts() -> list[Analysis]:
    effects = {"margin": 0.06, "badge": 0.09, "kl": -0.06}
    return [a_part("digits", effects), a_part("letters", {"margin": 0.0, "l2": 0.2}, seeds=3)]


def test_leads_of_all_parts(parts: list[Analysis]) -> None:
    table = tables_over_parts(parts)["leads"]
    assert [column.heading for column in table.columns] == ["strategy", "digits", "letters"]
    found = texts(table)
    # margin is in both parts; the others in one each, by their lead. Three rounds of four have the
    # effect: the trapezoids are (half + 1 + 1) / 3 of it.
    assert [*found] == ["margin", "l2", "badge", "kl"]
    assert found["badge"][0].startswith("**+7.50** [7.")
    assert found["kl"][0].startswith("**-5.00** [-5.")
    assert found["kl"][1] == NONE
    assert found["l2"] == [NONE, "+16.67"]  # three seeds: nothing is tested
    assert found["margin"][1] == "0.00"


def test_labels_saved_in_all_parts(parts: list[Analysis]) -> None:
    found = texts(tables_over_parts(parts)["savings"])
    # random ends at .8; margin has .76 at 30 labels and .86 at 40: there at 34.
    assert found["margin"][0].startswith("15.0 (")
    assert found["kl"] == ["never (never)", NONE]


def test_seconds_of_queries_below_those_of_a_fit(parts: list[Analysis]) -> None:
    found = texts(tables_over_parts(parts)["seconds"])
    assert next(iter(found)) == "one fit"
    assert found["one fit"] == ["8.00 s", "8.00 s"]
    assert found["badge"] == ["2.50 s", NONE]


def test_final_scores_are_of_the_best_and_of_the_reference(parts: list[Analysis]) -> None:
    rows = tables_over_parts(parts)["final_scores"].rows
    assert [(row[0].text, row[1].text) for row in rows] == [
        ("badge", "digits"),
        ("random", "digits"),
        ("l2", "letters"),
        ("random", "letters"),
    ]


def test_a_part_of_one_strategy_is_compared_with_nothing() -> None:
    (name, table) = next(iter(tables_over_parts([the_analysis(a_study({"margin": 0.0}))]).items()))
    assert name == "final_scores"
    assert len(table.rows) == 1
