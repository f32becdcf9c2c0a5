"""The table of final scores."""

from collections.abc import Callable, Mapping, Sequence
from operator import attrgetter

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.study.scores import STANDARD_METRICS, Curve, is_share, metric_name
from al_lightning.report.tables.cells import NONE, count_cell, passive_cell, strategy_cell
from al_lightning.report.tables.formats import Cell, Column, Table, word

_HEADS = {"nll": "NLL", "ece": "ECE"}  # their full names would push the last ones off the page


def final_scores(
    analyses: Sequence[Analysis],
    shown: Callable[[Analysis], Sequence[str]] = attrgetter("order"),
) -> Table | None:
    """Strategies at their last common budget, and the passive baselines.

    Args:
        analyses: Of the settings.
        shown: Returns which strategies of a setting are shown; all by default.
    """
    several = len(analyses) > 1
    known = [m for m in STANDARD_METRICS if any(m in a.metrics for a in analyses)]
    over = (
        ": mean of the seeds that each has, \u00b1 half of the 95% interval by Student's t; not "
        "paired, so they are no test"
        if any(analysis.setting.repeated for analysis in analyses)
        else ""
    )
    rows = []
    for analysis in analyses:
        setting = analysis.setting
        where = [word("setting", setting.name)]
        for name in shown(analysis):
            ends = {m: analysis.curves[m].get(name) for m in known if m in analysis.curves}
            rows.append([strategy_cell(name), *where, *_ends(ends, known)])
        if (length := setting.passive_length) is not None:
            rows.append([passive_cell(length), *where, *_ends(analysis.passive, known)])
    if not several:
        rows = [[row[0], *row[2:]] for row in rows]
    return (
        Table(
            name="final_scores",
            caption=f"Test scores at the last common budget{over}. "
            "In per cent, but for the negative log-likelihood, NLL (nats). "
            "ECE is the calibration error.",
            columns=[
                Column("strategy", numeric=False),
                *([Column("setting", numeric=False)] if several else []),
                Column("labels"),
                Column("seeds"),
                *(Column(_HEADS.get(m, metric_name(m).removeprefix("macro "))) for m in known),
            ],
            rows=rows,
        )
        if rows
        else None
    )


def _ends(curves: Mapping[str, Curve | None], metrics: Sequence[str]) -> list[Cell]:
    """Return labels, seeds and the last points of some curves."""
    known = [curve for curve in curves.values() if curve]
    return [
        count_cell("labels", known[0].labels[-1]),
        count_cell("seeds", known[0].seeds),
        *(_end(metric, curves.get(metric)) for metric in metrics),
    ]


def _end(metric: str, curve: Curve | None) -> Cell:
    if curve is None:
        return Cell(NONE, {metric: None, f"{metric}_low": None, f"{metric}_high": None})
    mean, low, high = curve.mean[-1], curve.low[-1], curve.high[-1]
    scale, decimals = (100, 2) if is_share(metric) else (1, 3)
    text = f"{scale * mean:.{decimals}f}"
    if low is not None and high is not None:
        text += f" \u00b1 {scale * (high - low) / 2:.{decimals}f}"
    return Cell(text, {metric: mean, f"{metric}_low": low, f"{metric}_high": high})
