import pytest

from al_lightning.report.analysis.model_effects import ModelEffect, model_effects
from al_lightning.report.rules import Rules
from al_lightning.report.statistics.looks import look_level
from al_lightning.report.study.grouping import build_study
from al_lightning.report.study.runs import Run
from al_lightning.report.tables.model_table import model_effects_table
from al_lightning.report.words.overview import model_sentence
from tests.report.helpers import LABELS, a_run, a_study, texts


def a_model(name: str, random: float, margin: float, seeds: int = 3, **more: object) -> list[Run]:
    """Runs of random and margin, whose curves are flat after round 0, with a little spread."""
    return [
        a_run(strategy, s, [height + 0.001 * s * (k + 1)] * 4, model=name, **more)  # type: ignore[arg-type]
        for k, (strategy, height) in enumerate((("random", random), ("margin", margin)))
        for s in range(seeds)
    ]


def effects(*runs: Run, rules: Rules | None = None) -> list[ModelEffect]:
    return model_effects(build_study(runs), rules or Rules())


def test_both_effects_and_their_interaction_by_hand() -> None:
    (found,) = effects(*a_model("wide", 0.8, 0.83), *a_model("cnn", 0.6, 0.65))
    assert (found.dataset, found.models) == ("toys", ("cnn", "wide"))
    assert found.strategies == ("random", "margin")
    assert list(found.budgets) == list(LABELS)
    for each in (found.area, *found.budgets.values()):
        assert each.first.mean == pytest.approx(0.19)
        assert each.second.mean == pytest.approx(0.041)
        assert each.interaction.mean == pytest.approx(-0.02)
        assert each.lead.mean == pytest.approx(0.149)
    assert found.area.lead.confidence == 1 - look_level((3, 5, 10))
    assert found.budgets[20].lead.confidence == 0.95
    table = texts(model_effects_table([found]))["toys"]
    assert table[:3] == ["wide / cnn", "margin / random", "40"]  # of the last row
    assert table[3].startswith("+19.00 [")
    assert table[5] == "-2.00 [-2.00, -2.00]"
    text = model_sentence(found)
    assert text.startswith(
        "On toys, the model is worth more than the strategy: wide instead of cnn brings +19.0 points ["
    )
    assert "margin instead of random +4.1 points [" in text
    assert "3 seeds); at 20 labels it is +19.0 against +4.1 and at 40 labels it is +19.0 ag" in text
    assert text.endswith("what margin brings more with wide than with cnn.")


def test_the_strategy_can_be_worth_more_and_the_question_stay_open() -> None:
    (found,) = effects(*a_model("wide", 0.61, 0.83), *a_model("cnn", 0.6, 0.85))
    assert "the strategy is worth more than the model" in model_sentence(found)
    (found,) = effects(*a_model("wide", 0.65, 0.7), *a_model("cnn", 0.6, 0.6489))
    assert "it is open whether the model or the strategy is worth more" in model_sentence(found)


def test_seeds_are_the_lowest_with_the_same_first_labels_up_to_the_planned_look() -> None:
    odd = [r for r in a_model("wide", 0.8, 0.83, seeds=6) if r.seed != 1]
    odd += [r for r in a_model("wide", 0.8, 0.83, seeds=2, start="elsewhere") if r.seed == 1]
    cnn = a_model("cnn", 0.6, 0.65, seeds=6)
    (found,) = effects(*odd, *cnn)
    assert found.seeds == (0, 2, 3, 4, 5)
    (found,) = effects(*odd, *cnn, rules=Rules(looks=(4, 9)))
    assert found.seeds == (0, 2, 3, 4)
    assert effects(*odd, *cnn, rules=Rules(looks=(6,))) == []


def test_several_effects_share_the_level() -> None:
    models = [a_model(name, 0.6 + k / 10, 0.65 + k / 10) for k, name in enumerate("abc")]
    found = effects(*(run for runs in models for run in runs))
    assert [each.models for each in found] == [("a", "b"), ("a", "c"), ("b", "c")]
    assert found[0].area.lead.confidence == 1 - look_level((3, 5, 10)) / 3


def test_what_cannot_be_compared_gives_nothing() -> None:
    cnn = a_model("cnn", 0.6, 0.65)
    assert effects(*cnn) == []
    assert effects(*cnn, *a_model("wide", 0.8, 0.83, dataset="other")) == []
    assert effects(*cnn, *a_study({"random": 0.0, "kl": 0.1}, model="wide")) == []
    two = [a_model("wide", 0.8, 0.9, config={"extra": k}, folder=None) for k in (1, 2)]
    assert effects(*cnn, *(r for runs in two for r in runs)) == []
    begun = [
        a_run(n, s, (0.5,), (10,), model="wide") for n in ("random", "margin") for s in range(3)
    ]
    assert effects(*cnn, *begun) == []
    assert model_effects_table([]) is None
