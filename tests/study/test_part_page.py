from al_lightning.report.rules import Rules
from study.part import Part
from study.part_page import part_page
from tests.report.helpers import a_study, the_analysis

PART = Part(
    name="x",
    title="Digits, CNN",
    question="Which is best?",
    overrides=("dataset=digits", "model=cnn"),
    strategies=("random", "margin", "uherding"),
    strategy_overrides={"margin": ("strategy.a=1",), "uherding": ("strategy.b=1",)},
)


def test_a_page_has_the_question_the_answer_and_the_tables() -> None:
    analysis = the_analysis(a_study({"random": 0.0, "margin": 0.06}, seeds=5), Rules(looks=(5,)))
    page = part_page(PART, analysis, ["difference"])
    assert page.startswith("# Part x: Digits, CNN\n\nWhich is best? ")
    assert "`python -m al_lightning dataset=digits model=cnn strategy=... seed=..." in page
    assert "With `strategy=margin`, also `strategy.a=1`." in page
    assert "strategy.b" not in page  # nothing of it is finished
    assert "\n- On toys with the cnn, margin beats random" in page
    assert "(x/difference.svg)" in page
    assert "selected.svg" not in page
    headings = [line for line in page.splitlines() if line.startswith("## ")]
    assert headings[:3] == ["## Accuracy", "## Macro-F1", "## Lead over `random`"]
    assert "## Beside all labels" not in page  # no passive run
