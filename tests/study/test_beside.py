from typing import Any

import pytest

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.rules import Rules
from al_lightning.report.tables.cells import NONE
from study.beside import beside
from tests.report.helpers import LABELS, a_study, texts, the_analysis


def a_part(effects: dict[str, float], seeds: int = 5, **arguments: Any) -> Analysis:
    return the_analysis(a_study(effects, seeds=seeds, **arguments), Rules(looks=(5,)))


def other_part(effects: dict[str, float], **arguments: Any) -> Analysis:
    return a_part(effects, spread=0.001, **arguments)  # else its seeds would all differ by the same


def test_each_strategy_is_compared_with_itself_in_the_other_part() -> None:
    here, there = {"random": 0.0, "margin": 0.06, "kl": 0.1}, {"random": 0.03, "margin": 0.0}
    table = beside(a_part(here), other_part(there), "b")
    assert table is not None
    assert [column.heading for column in table.columns][3:5] == ["in part b", "to part b"]
    found = texts(table)
    # Three rounds of four have the effect: the trapezoids are (half + 1 + 1) / 3 of it.
    assert [*found] == ["margin", "random"]  # kl is in one part alone
    assert (found["margin"][0], found["margin"][3], found["margin"][-1]) == ("5", "+5.00", "better")
    assert (found["random"][3], found["random"][-1]) == ("-2.50", "worse")
    assert float(found["margin"][1]) - float(found["margin"][2]) == pytest.approx(5.0, abs=0.011)


def test_budgets_are_those_of_both_parts() -> None:
    # The first three rounds alone: (half + 1) / 2 of the effect.
    table = beside(a_part({"random": 0.04}), other_part({"random": 0.0}, labels=LABELS[:3]), "b")
    assert texts(table)["random"][0] == "5"
    assert texts(table)["random"][3] == "+3.00"
    assert table is not None
    assert "at the 3 budgets of both parts" in table.caption


def test_seeds_are_those_of_both_parts() -> None:
    table = beside(a_part({"random": 0.04}, seeds=7), other_part({"random": 0.0}, seeds=6), "b")
    assert texts(table)["random"][0] == "5"  # the planned look is at five


def test_with_few_seeds_nothing_is_claimed() -> None:
    table = beside(a_part({"random": 0.04}, seeds=3), other_part({"random": 0.0}, seeds=3), "b")
    assert texts(table)["random"][3:] == ["+3.33", NONE, "too few seeds"]


def test_parts_without_a_common_strategy_are_not_compared() -> None:
    assert beside(a_part({"margin": 0.0}), a_part({"random": 0.0}), "b") is None
