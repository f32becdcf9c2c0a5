"""All insights on a setting: statements beyond the verdict and the tables.

Every insight follows from the numbers by a stated rule, and shows the figures that it rests on.
"""

from collections.abc import Callable, Iterator

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.words.class_insights import classes_asked_for, rarest_class, worst_class
from al_lightning.report.words.insight import Insight
from al_lightning.report.words.score_insights import (
    cheaper_choice,
    dips,
    lead_over_the_budget,
)


def insights(analysis: Analysis) -> list[Insight]:
    """Return the insights on a setting."""
    rules: list[Callable[[Analysis], Iterator[Insight]]] = [
        lead_over_the_budget,
        cheaper_choice,
        classes_asked_for,
        worst_class,
        rarest_class,
        dips,
    ]
    if not analysis.setting.runs:
        return []
    return [insight for rule in rules for insight in rule(analysis)]
