from al_lightning.report.study.runs import Run
from al_lightning.report.words.insight import Insight
from al_lightning.report.words.insights import insights
from tests.report.helpers import a_passive_run, a_study, the_analysis

FIVE = (10, 20, 30, 40, 50)


def found(runs: list[Run]) -> dict[str, Insight]:
    return {insight.topic: insight for insight in insights(the_analysis(runs))}


def test_every_insight_has_a_rule_and_figures() -> None:
    for insight in found(a_study({"random": 0, "margin": 0.05}, passive=0.9)).values():
        assert insight.rule
        assert insight.figures
        assert insight.text.endswith(".")


def test_two_seeds_and_no_runs_say_less() -> None:
    few = found(a_study({"random": 0.0, "margin": 0.05}, seeds=2))
    assert not {"Largest gap", "Dips", "Worst class", "Spread over seeds"} & few.keys()
    assert found([a_passive_run()]) == {}
