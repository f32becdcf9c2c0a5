"""What figures of curves are made of."""

import re
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullLocator

from al_lightning.report.figures.line_styles import LineStyle
from al_lightning.report.study.scores import Curve

#: Inches. The narrowest page shows it in its own size, a wide one two of them side by side.
WIDTH = 5.0
_LEGEND_COLUMNS = 3
_LEGEND_ROW = 0.2  # inches
_TICKS = 6
_LONGEST_NAME = 24  # characters in a line
_OF_MATPLOTLIB = re.compile(r"_child\d+|_container\d+|_nolegend_|")
_BAND = 0.15  # opacity: several overlap
_FEW, _GROWTH = 3, 4  # budgets; a last step so many times the first makes an axis logarithmic


def panel(
    height: float, legend: Sequence[str] = (), columns: int = _LEGEND_COLUMNS
) -> tuple[Figure, Axes]:
    """Return a figure of one panel, so many inches high, with room for a legend of these names."""
    rows = -(-len(legend) // columns)
    lines = max((wrapped(name).count("\n") + 1 for name in legend), default=1)
    figure = Figure(figsize=(WIDTH, height + _LEGEND_ROW * rows * lines), layout="constrained")
    return figure, figure.add_subplot()


def wrapped(name: str) -> str:
    """Return a name in lines that leave room for the others."""
    return textwrap.fill(name, _LONGEST_NAME)


def line(axes: Axes, x: Any, y: Any, style: LineStyle, label: str) -> None:
    """Draw a line in the colour, marker and dashes of a strategy."""
    axes.plot(x, y, style.dashes, color=style.colour, marker=style.marker, label=label)


def band(axes: Axes, curve: Curve, style: LineStyle) -> None:
    """Draw a curve's interval; nothing where a single seed has none."""
    ends = [
        (x, low, high)
        for x, low, high in zip(curve.labels, curve.low, curve.high, strict=True)
        if low is not None and high is not None
    ]
    if ends:
        x, low_, high_ = zip(*ends, strict=True)
        axes.fill_between(x, low_, high_, color=style.colour, alpha=_BAND, linewidth=0)


def legend(figure: Figure, axes: Axes, columns: int = _LEGEND_COLUMNS) -> None:
    """Put the legend below the panel, where it hides nothing.

    matplotlib leaves out names that begin with "_", unless they are given, and gives such names to
    what was drawn without one, "_child0".
    """
    drawn: list[Any] = [*axes.get_lines(), *axes.containers]
    named = [artist for artist in drawn if not _OF_MATPLOTLIB.fullmatch(str(artist.get_label()))]
    figure.legend(
        named,
        [wrapped(str(artist.get_label())) for artist in named],
        loc="outside lower center",
        ncols=columns,
        columnspacing=1.4,
        handlelength=2.6,
    )


def labels_axis(axes: Axes, budgets: Sequence[int], most: int = _TICKS) -> None:
    """Mark budgets on the axis, evenly chosen where there are too many, with thousands set apart.

    Budgets that grow by larger and larger steps get a logarithmic axis.
    """
    if len(budgets) > _FEW and budgets[-1] - budgets[-2] >= _GROWTH * (budgets[1] - budgets[0]):
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(NullLocator())
    step = -(-(len(budgets) - 1) // (most - 1)) or 1
    marked = budgets[::step]
    axes.set_xticks(marked, [f"{budget:,}" for budget in marked])


def limits(axes: Axes, curves: Iterable[Curve], *, least: float, most: float) -> None:
    """Let the vertical axis show the lines, and their intervals as far as they leave the lines legible.

    Args:
        axes: Of the lines.
        curves: The lines.
        least: Of the room above and below the lines, as a share of their range.
        most: Of it, where intervals are wide; what is beyond is cut off.
    """
    shown = list(curves)
    values = [value for curve in shown for value in curve.mean]
    ends = [e for curve in shown for e in (*curve.low, *curve.high) if e is not None]
    low, high = min(values), max(values)
    span = (high - low) or abs(high) or 1.0
    bottom = min([*ends, low - least * span])
    top = max([*ends, high + least * span])
    axes.set_ylim(max(bottom, low - most * span), min(top, high + most * span))


def _percent_tick(share: float, _position: int) -> str:
    return f"{100 * share:.4g}".replace("-", "\N{MINUS SIGN}")


def percent_axis(axes: Axes, *, vertical: bool = True) -> None:
    """Show shares in per cent."""
    axis = axes.yaxis if vertical else axes.xaxis
    axis.set_major_formatter(FuncFormatter(_percent_tick))
