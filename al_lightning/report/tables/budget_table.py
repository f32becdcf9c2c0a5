"""Tables of scores by budget: what papers print."""

from collections.abc import Iterator
from statistics import fmean, stdev

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.study.scores import STANDARD_METRICS, is_share, metric_name
from al_lightning.report.tables.cells import count_cell, strategy_cell
from al_lightning.report.tables.formats import Cell, Column, Table
from al_lightning.report.wording import count, slug

_SHOWN = ("accuracy", "macro_f1")
_MOST = 7  # budgets; more would not fit on a page


def by_budget(analysis: Analysis) -> Iterator[Table]:
    """Yield accuracy, macro-F1 and metrics of one's own by budget, a table each."""
    if not analysis.setting.runs:
        return
    others = [metric for metric in analysis.metrics if metric not in STANDARD_METRICS]
    for metric in (*_SHOWN, *others):
        if metric in analysis.metrics:
            yield _table(analysis, metric)


def _table(analysis: Analysis, metric: str) -> Table:
    budgets, every = _chosen(analysis.setting.budgets), len(analysis.setting.budgets)
    some = (
        f" {len(budgets)} of {every} budgets; results.csv has all." if len(budgets) < every else ""
    )
    over = ": mean and standard deviation over the seeds" if analysis.setting.repeated else ""
    unit = "In per cent." if is_share(metric) else "As it was measured."
    rows = []
    for name in analysis.order:
        runs = analysis.setting.runs[name]
        values = [[run.at(b).metrics[metric] for run in runs.values()] for b in budgets]
        cells = [_cell(metric, b, v) for b, v in zip(budgets, values, strict=True)]
        rows.append([strategy_cell(name), count_cell("seeds", len(runs)), *cells])
    name = metric_name(metric)
    return Table(
        name=f"{slug(metric)}_by_budget",
        caption=f"{name[:1].upper()}{name[1:]} on the test set by labels bought{over}. {unit}{some}",
        columns=[
            Column("strategy", numeric=False),
            Column("seeds"),
            *(Column(f"{count(budget)} labels") for budget in budgets),
        ],
        rows=rows,
    )


def _chosen(budgets: tuple[int, ...]) -> list[int]:
    """Return the budgets of the columns: all, or some at even distances, the ends among them."""
    steps = min(len(budgets), _MOST) - 1
    places = [round(k * (len(budgets) - 1) / steps) for k in range(steps + 1)] if steps else [0]
    return [budgets[place] for place in places]


def _cell(metric: str, budget: int, values: list[float]) -> Cell:
    scale, decimals = (100, 2) if is_share(metric) else (1, 3)
    mean, std = fmean(values), stdev(values) if len(values) > 1 else None
    text = f"{scale * mean:.{decimals}f}"
    if std is not None:
        text += f" \u00b1 {scale * std:.{decimals}f}"
    return Cell(text, {f"mean_{budget}": mean, f"std_{budget}": std})
