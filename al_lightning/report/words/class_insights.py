"""Insights on the classes: which are queried, and which are found."""

from collections.abc import Iterator

from al_lightning.report.analysis.classes import compare_evenness, compare_recall
from al_lightning.report.analysis.results import Analysis
from al_lightning.report.statistics.comparison import Comparison, Outcome
from al_lightning.report.wording import listed, points
from al_lightning.report.words.insight import Insight

_UNEVEN = 1.5  # most frequent / rarest class; from there on, classes are imbalanced


def classes_asked_for(analysis: Analysis) -> Iterator[Insight]:
    """State which strategies query more or less evenly over the classes than the reference."""
    reference = analysis.setting.reference
    if reference is None or len(analysis.setting.budgets) == 1:
        return
    tested = [
        c for c in compare_evenness(analysis.setting, analysis.rules) if c.interval is not None
    ]
    even = sorted(c.strategy for c in tested if c.outcome is Outcome.BETTER)
    uneven = sorted(c.strategy for c in tested if c.outcome is Outcome.WORSE)
    parts = [
        f"{listed(names)} {_verb(names, 'queries', 'query')} the classes {how} evenly"
        for names, how in ((even, "more"), (uneven, "less"))
        if names
    ]
    if not parts:
        return
    yield Insight(
        "Queried classes",
        f"Compared with {reference}, {'; '.join(parts)}.",
        "Entropy of the classes in all queries of a run / ln(number of classes), minus that of "
        f"{reference}, paired by seed; a family of comparisons of its own, at 5%. It does "
        "not show which classes those are.",
        {c.strategy: c.mean for c in tested},
    )


def worst_class(analysis: Analysis) -> Iterator[Insight]:
    """State which strategies change the recall of the class with the lowest recall."""
    yield from _recall(
        analysis,
        None,
        "Worst class",
        "the recall of the class that is found worst",
    )


def rarest_class(analysis: Analysis) -> Iterator[Insight]:
    """State which strategies change the recall of the rarest class of an uneven pool."""
    report = analysis.classes
    if report is None or report.pool is None or (report.pool.ratio or _UNEVEN) < _UNEVEN:
        return
    if not report.pool.uneven:
        return
    rarest = report.pool.rarest
    name = report.names[rarest]
    yield from _recall(analysis, rarest, "Rarest class", f"the recall of {name}, the rarest class")


def _recall(analysis: Analysis, of: int | None, topic: str, what: str) -> Iterator[Insight]:
    if analysis.setting.reference is None or analysis.classes is None:
        return
    found = compare_recall(analysis.setting, of, analysis.rules)
    tested = [c for c in found if c.outcome is not Outcome.UNTESTED]
    if not tested:
        return
    reference = analysis.setting.reference
    raised = _changes(tested, Outcome.BETTER)
    lowered = _changes(tested, Outcome.WORSE)
    parts = [f"raised by {raised}"] if raised else []
    parts += [f"lowered by {lowered}"] if lowered else []
    text = (
        f"Against {reference}, {what} is {' and '.join(parts)}."
        if parts
        else f"No strategy is shown to raise or to lower {what} against {reference}."
    )
    yield Insight(
        topic,
        text,
        f"Recall at the last common budget minus {reference}'s, paired by seed; a family of "
        "comparisons of its own, at 5%.",
        {c.strategy: c.mean for c in tested},
    )


def _changes(comparisons: list[Comparison], outcome: Outcome) -> str:
    changed = [c for c in comparisons if c.outcome is outcome]
    texts = [f"{c.strategy} ({points(c.mean, 1)} points)" for c in changed]
    return listed(texts) if texts else ""


def _verb(names: list[str], one: str, many: str) -> str:
    return one if len(names) == 1 else many
