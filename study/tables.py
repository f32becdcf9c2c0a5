"""Tables over all parts of the study: strategies from top to bottom, parts from left to right."""

from collections.abc import Callable, Sequence
from statistics import fmean

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.statistics.comparison import Outcome
from al_lightning.report.tables.cells import NONE, strategy_cell
from al_lightning.report.tables.formats import Column, Table, word
from al_lightning.report.tables.savings_tables import saved
from al_lightning.report.tables.score_table import final_scores
from al_lightning.report.wording import count, interval, points, seconds
from al_lightning.report.words.phrases import ends

_DECIDED = (Outcome.BETTER, Outcome.WORSE)
_FIT = "one fit"


def tables_over_parts(analyses: Sequence[Analysis]) -> dict[str, Table]:
    """Return the tables over all parts, by name.

    Args:
        analyses: Of the parts; the name of a setting is the heading of its part.
    """
    made = (
        final_scores(analyses, _best_and_reference),
        _leads(analyses),
        _savings(analyses),
        _seconds(analyses),
        _hours(analyses),
    )
    return {table.name: table for table in made if table is not None and table.rows}


def _leads(analyses: Sequence[Analysis]) -> Table:
    """Each strategy against the reference, in AUBC."""
    return _table(
        "leads",
        "What each strategy leads `random` by in AUBC of accuracy, in percentage points, paired by "
        "seed, with 95% intervals that hold at once in a part and at all its planned looks. Bold: "
        "shown to be better or worse; all others are undecided. First those of the most parts, by "
        "their mean lead.",
        analyses,
        _compared(analyses),
        _lead,
    )


def _savings(analyses: Sequence[Analysis]) -> Table:
    """Labels saved by each strategy."""
    return _table(
        "savings",
        "Labels saved on the way to `random`'s last accuracy, in per cent of its labels: median of the "
        "seeds, and the 95% interval by order statistics from 6 seeds on, else the range. A seed that "
        "never reaches that accuracy counts as the smallest.",
        analyses,
        _compared(analyses),
        _saving,
    )


def _seconds(analyses: Sequence[Analysis]) -> Table:
    """What a query of each strategy takes, below what a fit takes."""
    table = _table(
        "seconds",
        "Seconds of a mean query, which scores the pool and selects; above them those of a mean fit of "
        "`random`. Medians of the seeds, one thread, as measured beside another run.",
        analyses,
        [name for name in _compared(analyses) if any(name in a.costs for a in analyses)],
        _query_seconds,
    )
    fit = [strategy_cell(_FIT), *(word(a.setting.name, _fit_seconds(a)) for a in analyses)]
    return Table(table.name, table.caption, table.columns, [fit, *table.rows])


def _hours(analyses: Sequence[Analysis]) -> Table:
    """What the parts took to run."""
    rows = []
    for analysis in analyses:
        groups = [*analysis.setting.runs.values(), analysis.setting.passive]
        runs = [run for group in groups for run in group.values()]
        took = sum(sum(each.seconds.values()) for run in runs for each in run.rounds) / 3600
        cells = {"setting": analysis.setting.name, "runs": count(len(runs)), "hours": f"{took:.1f}"}
        rows.append([word(key, text) for key, text in cells.items()])
    return Table(
        name="hours",
        caption="Hours of all fits, tests and queries of the finished runs, one thread each.",
        columns=[Column("setting", numeric=False), Column("runs"), Column("hours")],
        rows=rows,
    )


def _table(
    name: str,
    caption: str,
    analyses: Sequence[Analysis],
    strategies: Sequence[str],
    text: Callable[[Analysis, str], str],
) -> Table:
    return Table(
        name=name,
        caption=caption,
        columns=[
            Column("strategy", numeric=False),
            *(Column(analysis.setting.name) for analysis in analyses),
        ],
        rows=[
            [
                strategy_cell(strategy),
                *(word(analysis.setting.name, text(analysis, strategy)) for analysis in analyses),
            ]
            for strategy in strategies
        ],
    )


def _compared(analyses: Sequence[Analysis]) -> list[str]:
    """Return all that is compared anywhere: in the most parts first, then by the mean lead."""
    leads: dict[str, list[float]] = {}
    for analysis in analyses:
        for comparison in analysis.against:
            if comparison.difference is not None:
                leads.setdefault(comparison.strategy, []).append(comparison.difference.mean)
    return sorted(leads, key=lambda strategy: (-len(leads[strategy]), -fmean(leads[strategy])))


def _lead(analysis: Analysis, strategy: str) -> str:
    found = next((c for c in analysis.against if c.strategy == strategy), None)
    if found is None or found.difference is None:
        return NONE
    mean = points(found.difference.mean)
    shown = f"**{mean}**" if found.outcome in _DECIDED else mean
    return shown if found.interval is None else f"{shown} {interval(*found.interval)}"


def _saving(analysis: Analysis, strategy: str) -> str:
    found = analysis.savings.get(strategy)
    return NONE if found is None else f"{saved(found)} ({ends(found)})"


def _query_seconds(analysis: Analysis, strategy: str) -> str:
    found = analysis.costs.get(strategy)
    return NONE if found is None or found.query is None else seconds(found.query)


def _fit_seconds(analysis: Analysis) -> str:
    found = analysis.costs.get(analysis.setting.reference or "")
    return NONE if found is None else seconds(found.per_round["fit"])


def _best_and_reference(analysis: Analysis) -> list[str]:
    """Return the highest strategy of a part in AUBC, and the one that all are compared with."""
    reference = analysis.setting.reference
    return list(dict.fromkeys([*analysis.order[:1], *([reference] if reference else [])]))
