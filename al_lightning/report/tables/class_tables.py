"""Tables of the classes one by one."""

from collections.abc import Mapping, Sequence

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.tables.cells import passive_name
from al_lightning.report.tables.formats import Cell, Column, Table, word
from al_lightning.report.wording import percent


def class_recall(analysis: Analysis) -> Table | None:
    """Recall of each class at the last common budget; None where no journal has it."""
    report = analysis.classes
    if report is None or not report.recall:
        return None
    values = {name: report.recall[name] for name in analysis.order if name in report.recall}
    headings = {}
    if report.passive_recall and (length := analysis.setting.passive_length) is not None:
        values["passive"] = report.passive_recall
        headings["passive"] = passive_name(length)
    return _by_class(
        "class_recall",
        "Recall of each class at the last common budget, in per cent"
        f"{', mean of the seeds' if analysis.setting.repeated else ''}.",
        values,
        report.names,
        headings,
    )


def class_mix(analysis: Analysis) -> Table | None:
    """What share of the queries each class has; None where nothing was asked."""
    report = analysis.classes
    if report is None or not report.mix:
        return None
    values: dict[str, Sequence[float]] = {
        n: report.mix[n] for n in analysis.order if n in report.mix
    }
    if report.pool:
        values["pool"] = report.pool.shares
    return _by_class(
        "class_mix",
        "Share of each class in all queries, in per cent.",
        values,
        report.names,
    )


def _by_class(
    name: str,
    caption: str,
    values: Mapping[str, Sequence[float]],
    names: Sequence[str],
    headings: Mapping[str, str] | None = None,
) -> Table:
    """Return a table of a row a class; ``headings`` of columns, where they are not their names."""
    rows = [
        [word("class", names[k]), *(Cell(percent(v[k], 1), {n: v[k]}) for n, v in values.items())]
        for k in range(len(names))
    ]
    columns = [
        Column("class", numeric=False),
        *(Column((headings or {}).get(n, n)) for n in values),
    ]
    return Table(name, caption, columns, rows)
