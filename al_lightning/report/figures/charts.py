"""The figures of a report, but for the learning curves."""

from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from al_lightning.report.analysis.costs import Costs
from al_lightning.report.analysis.savings import Efficiency
from al_lightning.report.figures.curves import (
    WIDTH,
    band,
    labels_axis,
    legend,
    limits,
    line,
    panel,
    percent_axis,
    wrapped,
)
from al_lightning.report.figures.line_styles import INK, MUTED, RULE, LineStyle
from al_lightning.report.figures.panels import MOST_TOGETHER, panels
from al_lightning.report.statistics.penalty import PenaltyMatrix
from al_lightning.report.study.runs import PHASES
from al_lightning.report.study.scores import Curve

#: Strategies of a penalty matrix whose cells have room for their numbers.
MOST_NUMBERED = 12
_ROW = 0.3  # inches, the height of a row of dots or bars
_PHASE_COLOURS = {"fit": "#0072b2", "test": "#bdbdbd", "score": "#e69f00", "select": "#d55e00"}
_PHASE_HATCHES = {"fit": "", "test": "", "score": "////", "select": "xxxx"}
_CELL_COLOUR = "#0072b2"
_MOST_OPAQUE = 0.85  # of a cell: the ink can be read on it, on dark pages and on light ones


def difference_curves(
    curves: Mapping[str, Curve], styles: Mapping[str, LineStyle], reference: str
) -> Figure:
    """Draw each strategy's paired difference to the reference over labels, a panel each.

    Args:
        curves: Of the differences, in shares.
        styles: A line style for each strategy.
        reference: Whose line is 0.
    """
    zero = Curve((), (0.0,), (), (), 0)

    def draw(axes: Axes, name: str, columns: int) -> None:
        curve = curves[name]
        axes.axhline(0, color=INK, linewidth=0.9)
        band(axes, curve, styles[name])
        line(axes, curve.labels, curve.mean, styles[name], name)
        labels_axis(axes, curve.labels, most=6 // columns)
        percent_axis(axes)
        limits(axes, [*curves.values(), zero], least=0.1, most=1.0)

    ylabel = f"points of accuracy above {reference}"
    return panels(list(curves), draw, "labels bought", ylabel)


def efficiency_curves(
    efficiency: Mapping[str, Efficiency], styles: Mapping[str, LineStyle], reference: str
) -> Figure:
    """Draw how many times as many labels the reference needs, over the accuracy to reach.

    Bounds are open triangles: they point to where the ratio may be. More strategies than can be told
    apart have a panel each.
    """
    xlabel, ylabel = "accuracy to reach, %", f"labels of {reference} / labels needed"
    if len(efficiency) > MOST_TOGETHER:

        def draw(axes: Axes, name: str, columns: int) -> None:  # noqa: ARG001
            axes.axhline(1, color=INK, linewidth=0.9)
            _efficiency(axes, efficiency[name], styles[name], name)

        return panels(list(efficiency), draw, xlabel, ylabel)
    figure, axes = panel(3.1, legend=list(efficiency))
    axes.axhline(1, color=INK, linewidth=0.9)
    for name, found in efficiency.items():
        _efficiency(axes, found, styles[name], name)
    axes.set(xlabel=xlabel, ylabel=ylabel)
    legend(figure, axes)
    return figure


def _efficiency(axes: Axes, found: Efficiency, style: LineStyle, name: str) -> None:
    points = list(zip(found.targets, found.ratios, strict=True))
    exact = [(t, r.value) for t, r in points if r.bound == "exact"]
    line(axes, *_columns(exact), style, name)
    for bound, marker in (("at_least", "^"), ("at_most", "v")):
        bounds = [(t, r.value) for t, r in points if r.bound == bound]
        x, y = _columns(bounds)
        axes.plot(x, y, marker, color=style.colour, markerfacecolor="none")
    percent_axis(axes, vertical=False)


def penalty_heat_map(penalties: PenaltyMatrix) -> Figure:
    """Draw how often the strategy of a row beats that of a column; columns with little are good.

    Of more strategies than have room for them, cells have no numbers, and names stand upright.
    """
    order = penalties.by_penalty()
    names = [penalties.names[k] for k in order]
    matrix = penalties.matrix[order][:, order]
    size = len(names)
    numbered = size <= MOST_NUMBERED
    figure = Figure(figsize=(WIDTH, 1.3 + _ROW * size), layout="constrained")
    axes = figure.add_subplot()
    axes.set(xlim=(0, size), ylim=(size, 0))
    for i in range(size):
        for j in range(size):
            if i != j:
                _cell(axes, i, j, float(matrix[i, j]), penalties.experiments, numbered)
    centres = [k + 0.5 for k in range(size)]
    names = [wrapped(name) for name in names]
    slant = {"rotation": 40, "ha": "left", "rotation_mode": "anchor"}
    axes.set_xticks(centres, names, **(slant if numbered else {"rotation": 90}))
    axes.set_yticks(centres, names)
    axes.xaxis.tick_top()
    axes.grid(visible=False)
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0)
    return figure


def class_dots(
    values: Mapping[str, Sequence[float]],
    names: Sequence[str],
    styles: Mapping[str, LineStyle],
    xlabel: str,
    mark: tuple[str, Sequence[float]] | None = None,
) -> Figure:
    """Draw shares of classes, a row a class, a dot a strategy; a line from the lowest to the highest.

    Of more strategies than can be told apart, only the first has dots.

    Args:
        values: By strategy, a value a class.
        names: Of the classes.
        styles: A line style for each strategy.
        xlabel: What the values are.
        mark: A name and a value a class, drawn as a stroke: what the dots are to be held against.
    """
    dotted = list(values)[: len(values) if len(values) <= MOST_TOGETHER else 1]
    figure, axes = panel(0.6 + _ROW * len(names), legend=[*dotted, *([mark[0]] if mark else [])])
    rows = range(len(names))
    columns = list(zip(*values.values(), strict=True))
    axes.hlines(
        rows, [min(c) for c in columns], [max(c) for c in columns], color=MUTED, linewidth=0.6
    )
    for name in dotted:
        style = styles[name]
        axes.plot(
            values[name],
            rows,
            style.marker,
            color=style.colour,
            markersize=4.5,
            alpha=0.9,
            label=name,
        )
    if mark is not None:
        stroke: dict[str, Any] = {"markersize": 11, "markeredgewidth": 1.4, "zorder": 1.9}
        axes.plot(mark[1], rows, "|", color=INK, label=mark[0], **stroke)
    axes.set_yticks(rows, [wrapped(name) for name in names])
    axes.invert_yaxis()
    axes.tick_params(axis="y", length=0)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel(xlabel)
    percent_axis(axes, vertical=False)
    legend(figure, axes)
    return figure


def time_bars(costs: Mapping[str, Costs]) -> Figure:
    """Draw where a mean round's seconds went, a bar a strategy."""
    figure, axes = panel(0.6 + _ROW * len(costs), legend=PHASES, columns=len(PHASES))
    left = [0.0] * len(costs)
    for phase in PHASES:
        widths = [found.per_round[phase] for found in costs.values()]
        axes.barh(
            [wrapped(name) for name in costs],
            widths,
            left=left,
            height=0.62,
            color=_PHASE_COLOURS[phase],
            hatch=_PHASE_HATCHES[phase],
            edgecolor="#ffffff",
            linewidth=0.4,
            label=phase,
        )
        left = [start + width for start, width in zip(left, widths, strict=True)]
    axes.invert_yaxis()
    axes.grid(visible=False, axis="y")
    axes.tick_params(axis="y", length=0)
    axes.set_xlabel("seconds a round")
    legend(figure, axes, columns=len(PHASES))
    return figure


def _columns(points: Sequence[tuple[float, float | None]]) -> tuple[list[float], list[float]]:
    known = [(x, y) for x, y in points if y is not None]
    return [x for x, _ in known], [y for _, y in known]


def _cell(axes: Axes, row: int, column: int, value: float, most: int, numbered: bool) -> None:
    known = value == value  # noqa: PLR0124 - NaN: no setting could compare the two
    opacity = _MOST_OPAQUE * value / most if known else 0.0
    corner = (column, row)
    axes.add_patch(Rectangle(corner, 1, 1, facecolor=_CELL_COLOUR, alpha=opacity, linewidth=0))
    axes.add_patch(Rectangle(corner, 1, 1, fill=False, edgecolor=RULE, linewidth=0.5))
    if numbered or not known:
        text = f"{value:.2f}" if known else "-"
        axes.text(column + 0.5, row + 0.5, text, ha="center", va="center", fontsize=7.5)
