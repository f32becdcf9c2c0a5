"""Learning curves: in one panel as long as they can be told apart, else a panel each."""

from collections.abc import Mapping
from dataclasses import replace
from statistics import median
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from al_lightning.report.figures.curves import (
    band,
    labels_axis,
    limits,
    line,
    panel,
    percent_axis,
    wrapped,
)
from al_lightning.report.figures.direct_labels import LineEnd, label_ends
from al_lightning.report.figures.line_styles import INK, MUTED, LineStyle
from al_lightning.report.figures.panels import MOST_TOGETHER, panels
from al_lightning.report.study.scores import Curve, is_share, metric_name

#: Bands in a panel that can be told apart.
MOST_BANDS = 3
_WIDEST = 0.5  # of the range of the lines, the median of bands that share a panel
_HEIGHT = 3.1  # inches, of one panel
_OF_AXES = 2.6  # of it, of the axes
_FAINT: dict[str, Any] = {"color": MUTED, "linewidth": 0.6, "alpha": 0.45, "zorder": 1.5}


def learning_curves(
    curves: Mapping[str, Curve],
    styles: Mapping[str, LineStyle],
    metric: str = "accuracy",
    passive: Curve | None = None,
) -> Figure:
    """Draw a metric over labels bought: the mean of each strategy, and its interval.

    Up to six strategies share a panel, with their names at the ends of the lines, and bands where
    :func:`has_bands`. More get a panel each: its line and band, the others behind it, faint.

    Args:
        curves: By strategy, in their order.
        styles: A line style for each; the one in ink is the reference, which each panel shows.
        metric: What the curves show.
        passive: Of a single point: a horizontal line, as it has no budget.

    Raises:
        ValueError: If there is nothing to draw.
    """
    if not curves:
        raise ValueError(f"There is no curve of {metric!r}; there is nothing to draw")
    unit = ", %" if is_share(metric) else ""
    label = f"{metric_name(metric)}{unit}"
    if len(curves) > MOST_TOGETHER:
        return _apart(curves, styles, metric, passive, label)
    return _together(curves, styles, metric, passive, label)


def has_bands(curves: Mapping[str, Curve]) -> bool:
    """Return whether intervals are drawn: in one panel, up to three that leave the lines legible."""
    widths = [
        high - low
        for curve in curves.values()
        for low, high in zip(curve.low, curve.high, strict=True)
        if low is not None and high is not None
    ]
    if len(curves) > MOST_TOGETHER or not widths:
        return bool(widths)
    means = [value for curve in curves.values() for value in curve.mean]
    wide = median(widths) > _WIDEST * (max(means) - min(means))
    return len(curves) <= MOST_BANDS and not wide


def _together(
    curves: Mapping[str, Curve],
    styles: Mapping[str, LineStyle],
    metric: str,
    passive: Curve | None,
    label: str,
) -> Figure:
    figure, axes = panel(_HEIGHT)
    ends = []
    for name, curve in curves.items():
        if has_bands(curves):
            band(axes, curve, styles[name])
        line(axes, curve.labels, curve.mean, styles[name], name)
        ends.append(LineEnd(curve.labels[-1], curve.mean[-1], wrapped(name), styles[name].colour))
    if passive is not None:
        name = f"passive, {passive.labels[-1]:,} labels"
        _passive(axes, passive, name)
        last = max(curve.labels[-1] for curve in curves.values())
        ends.append(LineEnd(last, passive.mean[-1], name.replace(", ", "\n"), MUTED))
    axes.set(xlabel="labels bought", ylabel=label)
    _axes(axes, curves, metric, passive, 6)
    label_ends(axes, ends, _OF_AXES)
    return figure


def _apart(
    curves: Mapping[str, Curve],
    styles: Mapping[str, LineStyle],
    metric: str,
    passive: Curve | None,
    label: str,
) -> Figure:
    reference = next((name for name in curves if styles[name].colour == INK), None)

    def draw(axes: Axes, name: str, columns: int) -> None:
        for curve in curves.values():
            axes.plot(curve.labels, curve.mean, **_FAINT)
        for shown in dict.fromkeys((reference or name, name)):
            line(axes, curves[shown].labels, curves[shown].mean, styles[shown], shown)
        band(axes, curves[name], styles[name])
        if passive is not None:
            _passive(axes, passive, "passive")
        _axes(axes, curves, metric, passive, 6 // columns)

    names = [name for name in curves if name != reference]
    return panels(names, draw, "labels bought", label)


def _passive(axes: Axes, passive: Curve, name: str) -> None:
    dashes = (0, (6, 3))
    axes.axhline(passive.mean[-1], color=MUTED, linewidth=1.2, linestyle=dashes, label=name)


def _axes(
    axes: Axes, curves: Mapping[str, Curve], metric: str, passive: Curve | None, most: int
) -> None:
    labels_axis(axes, next(iter(curves.values())).labels, most)
    if is_share(metric):
        percent_axis(axes)
    shown = list(curves.values())
    if not has_bands(curves):
        shown = [replace(curve, low=(), high=()) for curve in shown]  # no bands to make room for
    limits(axes, [*shown, *([passive] if passive else [])], least=0.06, most=0.25)
