from dataclasses import replace

import numpy as np
import pytest

from al_lightning.report.rules import Rules
from al_lightning.report.study.runs import Run
from al_lightning.report.words.insight import Insight
from al_lightning.report.words.insights import insights
from tests.report.helpers import a_run, a_study, the_analysis

FIVE = (10, 20, 30, 40, 50)


def found(runs: list[Run]) -> dict[str, Insight]:
    once = Rules(looks=(3,))
    return {insight.topic: insight for insight in insights(the_analysis(runs, once))}


def asking(name: str, *mixes: tuple[int, ...]) -> list[Run]:
    """Runs that ask for these classes in each query, a mix a seed."""
    return [a_run(name, seed, mix=mix) for seed, mix in enumerate(mixes)]


def test_the_classes_that_are_asked_for() -> None:
    runs = asking("random", (3, 2, 3, 2), (2, 3, 2, 3), (3, 3, 2, 2))
    runs += asking("margin", (0, 0, 5, 5), (0, 0, 4, 6), (0, 1, 4, 5))
    insight = found(runs)["Queried classes"]
    assert insight.text == "Compared with random, margin queries the classes less evenly."
    skewed = asking("random", (7, 1, 1, 1), (8, 1, 1, 0), (7, 1, 2, 0))
    for name in ("margin", "kl"):
        skewed += asking(name, (3, 2, 3, 2), (2, 3, 2, 3), (3, 3, 2, 2))
    assert found(skewed)["Queried classes"].text == (
        "Compared with random, kl and margin query the classes more evenly."
    )
    assert found(skewed)["Queried classes"].figures["kl"] > 0.2  # type: ignore[operator]


def test_of_the_classes_asked_for_nothing_is_claimed_without_a_test() -> None:
    topics = [
        found(a_study({"random": 0.0, "margin": 0.0})),  # no difference
        found(a_study({"random": 0.0}) + a_study({"margin": 0.0}, mix=(0, 0, 5, 5))),  # no spread
        found(asking("random", (3, 2, 3, 2)) + asking("margin", (0, 0, 0, 10))),  # one seed
        found(a_study({"kl": 0.0}) + asking("margin", (0, 0, 5, 5), (0, 0, 4, 6), (0, 1, 4, 5))),
    ]
    assert not any("Queried classes" in each for each in topics)


def test_the_recall_of_the_worst_and_of_the_rarest_class() -> None:
    runs = []
    for seed in range(3):
        s = seed / 1000
        flat = [[0.1] * 4] * 3
        rare = (4, 3, 2, 1)
        runs.append(a_run("random", seed, recall=[*flat, [0.9, 0.9, 0.7, 0.8]], mix=rare))
        runs.append(a_run("margin", seed, recall=[*flat, [0.9, 0.9, 0.75 + s, 0.7 - s]], mix=rare))
    insight = found(runs)
    # The worst is bag for random, at 0.7; for margin it is coat, at 0.7, 0.699 and 0.698.
    assert insight["Worst class"].text == (
        "No strategy is shown to raise or to lower the recall of the class that is found worst against "
        "random."
    )
    assert insight["Worst class"].figures["margin"] == pytest.approx(-0.001)
    assert insight["Rarest class"].text == (
        "Against random, the recall of coat, the rarest class is lowered by margin (-10.1 points)."
    )


def test_a_balanced_pool_has_no_rarest_class() -> None:
    assert "Rarest class" not in found(a_study({"random": 0.0, "margin": 0.0}))


def test_a_class_that_is_rare_by_chance_is_not_the_rarest() -> None:
    """450 labels of each strategy, drawn from classes of one size."""
    drawn = np.random.default_rng(0)
    for _ in range(5):
        runs = []
        for name in ("random", "margin"):
            for seed in range(3):
                mixes = [tuple(drawn.multinomial(50, [0.25] * 4).tolist()) for _ in range(3)]
                runs.append(replace(a_run(name, seed), query_mix=tuple(mixes)))
        assert not {"Rarest class", "Queried classes"} & found(runs).keys()
