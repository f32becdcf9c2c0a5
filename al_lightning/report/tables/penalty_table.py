"""The penalty matrix as a table."""

from al_lightning.report.figures.charts import by_penalty
from al_lightning.report.statistics.penalty import PenaltyMatrix
from al_lightning.report.tables.cells import NONE, strategy_cell
from al_lightning.report.tables.formats import Cell, Column, Table


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
        caption="Penalty matrix (Ash et al. 2020): the share of the common budgets at which the "
        "row beats the column in a two-sided paired t test at 5%, mean of the data sets with a model "
        "on which both ran (the paper sums). Other settings of one data set and model, such as other "
        "recipes, count once together, by their mean; trials of a search do not count. The mean of a "
        "strategy's column, the penalty, is how often it is beaten: lower is better. Not corrected "
        "for the number of tests.",
        columns=[
            Column("strategy", numeric=False),
            *(Column(matrix.names[j]) for j in order),
            Column("penalty"),
        ],
        rows=rows,
    )


def _number(key: str, value: float, empty: bool = False) -> Cell:
    value = float(value)
    known = not empty and value == value  # noqa: PLR0124 - NaN: no strategies could be compared
    return Cell(f"{value:.2f}" if known else NONE, {key: value if known else None})
