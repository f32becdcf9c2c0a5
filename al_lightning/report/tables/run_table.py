"""The table of all runs."""

from collections.abc import Sequence

from al_lightning.report.study.settings import Setting
from al_lightning.report.tables.cells import count_cell, strategy_cell
from al_lightning.report.tables.formats import Cell, Column, Table, word


def runs(settings: Sequence[Setting]) -> Table | None:
    """Every run that is compared or tried, and where its journal is."""
    rows = [
        [
            strategy_cell(run.strategy),
            word("setting", setting.name),
            Cell(str(run.seed), {"seed": run.seed}),
            count_cell("labels", run.labels[-1]),
            count_cell("validation_labels", run.validation_labels),
            count_cell("rounds", len(run.rounds)),
            Cell("yes" if run.finished else "no", {"finished": run.finished}),
            word("folder", run.folder.as_posix()),
        ]
        for setting in settings
        for run in setting.all_runs
    ]
    return (
        Table(
            name="runs",
            caption="The runs that are compared, and those of searches.",
            columns=[
                Column("strategy", numeric=False),
                Column("setting", numeric=False),
                Column("seed"),
                Column("labels"),
                Column("for validation"),
                Column("rounds"),
                Column("finished", numeric=False),
                Column("folder", numeric=False),
            ],
            rows=rows,
        )
        if rows
        else None
    )
