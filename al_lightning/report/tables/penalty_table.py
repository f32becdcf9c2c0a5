"""The penalty matrix as a table."""

from al_lightning.report.figures.charts import by_penalty
from al_lightning.report.statistics.penalty import PenaltyMatrix
from al_lightning.report.tables.cells import NONE, strategy_cell
from al_lightning.report.tables.formats import Cell, Column, Table
from al_lightning.report.words.wording import count, counted, listed


def penalties(matrix: PenaltyMatrix) -> Table:
    """Pairwise comparison how often."""
    order = by_penalty(matrix)
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
    several = matrix.experiments > 1
    added = (
        f"added up over {counted(matrix.experiments, 'setting')}, so that a cell is at most the number "
        "of those in which both ran"
        if several
        else f"of {listed([count(budget) for budget in matrix.budgets[0]])} labels"
    )
    return (
        "Penalty matrix as in Ash et al. 2020: the share of the budgets at which the row beats the "
        f"column in a two-sided paired t test at 5%, {added}. The budgets are M + 2^(m-1) B for M "
        "first labels, B a query and m = 1, 2, ..., up to 99% of the final accuracy of random. The "
        "mean of a column, the penalty, is how often a strategy is beaten: lower is better. Not "
        "corrected for the number of tests."
    )


def _number(key: str, value: float, empty: bool = False) -> Cell:
    value = float(value)
    known = not empty and value == value  # noqa: PLR0124 - NaN: no strategies could be compared
    return Cell(f"{value:.2f}" if known else NONE, {key: value if known else None})
