"""The penalty matrix as a table."""

from al_lightning.report.statistics.penalty import PenaltyMatrix
from al_lightning.report.tables.cells import NONE, strategy_cell
from al_lightning.report.tables.formats import Cell, Column, Table
from al_lightning.report.wording import counted
from al_lightning.report.words.phrases import compared_at


def penalties(matrix: PenaltyMatrix) -> Table:
    """Tell how often each strategy beats each other one, those that are beaten the least first."""
    order = matrix.by_penalty()
    rows = []
    for i in order:
        value, name = float(matrix.penalties[i]), matrix.names[i]
        wins = [_number(f"beats_{matrix.names[j]}", matrix.matrix[i, j], i == j) for j in order]
        rows.append([strategy_cell(name), *wins, _number("penalty", value)])
    return Table(
        name="penalties",
        caption=_caption(matrix),
        columns=[
            Column("strategy", numeric=False),
            *(Column(matrix.names[j]) for j in order),
            Column("penalty"),
        ],
        rows=rows,
    )


def _caption(matrix: PenaltyMatrix) -> str:
    several = (
        f", added up over {counted(matrix.experiments, 'setting')}, so that a cell is at most the "
        "number of those in which both ran"
        if matrix.experiments > 1
        else ""
    )
    return (
        "Penalty matrix as in Ash et al. 2020: the share of the budgets at which the row beats the "
        f"column in a two-sided paired t test at 5%{several}. The budgets are {compared_at(matrix)}: "
        "M + 2^(m-1) B for M first labels, B a query and m = 1, 2, ...; all after the first where "
        "queries differ in size; up to 99% of the final accuracy of random. The mean of a column, the "
        "penalty, is how often a strategy is beaten: lower is better. Not corrected for the number of "
        "tests."
    )


def _number(key: str, value: float, empty: bool = False) -> Cell:
    value = float(value)
    known = not empty and value == value  # noqa: PLR0124 - NaN: no strategies could be compared
    return Cell(f"{value:.2f}" if known else NONE, {key: value if known else None})
