"""Small multiples: a panel a strategy, on the same axes."""

import textwrap
from collections.abc import Callable, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from al_lightning.report.figures.curves import WIDTH, wrapped
from al_lightning.report.figures.line_styles import MUTED

#: Lines in a panel that can be told apart; more get a panel each.
MOST_TOGETHER = 6
_PANEL = 1.25  # inches, the height of one of several panels
_ALONE = 2.2  # inches, the height of a panel that has no others beside it
_CHARACTER = 0.075  # inches along an axis, on average, of the labels that all panels share
_FEW_PANELS = 8  # two columns; more get three


def panels(
    names: Sequence[str], draw: Callable[[Axes, str, int], None], xlabel: str, ylabel: str
) -> Figure:
    """Draw a panel for each name.

    Args:
        names: Titles of the panels.
        draw: Draws one, given its axes, its name and the number of columns.
        xlabel: Of all panels.
        ylabel: Likewise.
    """
    columns = min(len(names), 2 if len(names) <= _FEW_PANELS else 3)
    rows = -(-len(names) // columns)
    height = (_PANEL if len(names) > 1 else _ALONE) * rows + 0.4
    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    grid = list(figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False).flat)
    for axes, name in zip(grid, names, strict=False):
        axes.set_title(wrapped(name), loc="left", pad=3)
        draw(axes, name, columns)
    for axes in grid[len(names) :]:
        axes.remove()
    for axes in grid[: len(names)][-columns:]:  # a panel with nothing below it
        axes.tick_params(labelbottom=True)
    figure.supxlabel(xlabel, color=MUTED, fontsize=9)
    figure.supylabel(textwrap.fill(ylabel, int(height / _CHARACTER)), color=MUTED, fontsize=9)
    return figure
