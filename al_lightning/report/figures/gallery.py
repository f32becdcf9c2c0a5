"""The figures of a report, each with an alternative text."""

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.figures.charts import (
    MOST_NUMBERED,
    difference_curves,
    efficiency_curves,
    penalty_heat_map,
    time_bars,
)
from al_lightning.report.figures.class_sketches import class_sketches
from al_lightning.report.figures.learning import has_bands, learning_curves
from al_lightning.report.figures.line_styles import LineStyle, figure_style
from al_lightning.report.figures.panels import MOST_TOGETHER
from al_lightning.report.figures.sketch import Sketch
from al_lightning.report.figures.svg import inline_svg, to_png, to_svg
from al_lightning.report.figures.validation_sketch import validation_sketch
from al_lightning.report.statistics.penalty import PenaltyMatrix
from al_lightning.report.study.scores import STANDARD_METRICS, Curve, is_share, metric_name
from al_lightning.report.wording import count, counted, percent, points, seconds, slug
from al_lightning.report.words.phrases import compared_at

# Of the range of a figure: where macro-F1 is nowhere further from the accuracy, it has no figure.
_TWIN = 0.06


@dataclass(frozen=True)
class Picture:
    """A figure, drawn.

    Attributes:
        name: Of its files; unique in a report.
        title: What it shows, in a few words.
        alt: What there is to be seen, in words.
        caption: How to read it.
        svg: A document that stands alone.
        png: The same in pixels, on white.
        curves: Whether it shows learning curves.
    """

    name: str
    title: str
    alt: str
    caption: str
    svg: str
    png: bytes
    curves: bool = False

    @property
    def inline(self) -> str:
        """The figure as an element of a page."""
        return inline_svg(self.svg, f"figure-{self.name}", self.title, self.alt)


def pictures(
    analysis: Analysis, styles: Mapping[str, LineStyle], prefix: str
) -> dict[str, Picture]:
    """Draw the figures of a setting.

    Args:
        analysis: Of the setting.
        styles: A line style for each strategy.
        prefix: Of the files' names.

    Returns:
        By kind: "validation", "accuracy", "macro_f1", metrics of one's own, "difference", "efficiency",
        "recall", "mix", "times"; without those that there is nothing for.
    """
    with figure_style():
        return {sketch.name: _drawn(sketch, prefix) for sketch in _sketches(analysis, styles)}


def penalty_picture(penalties: PenaltyMatrix) -> Picture | None:
    """Draw the penalty matrix; None where no strategies could be compared."""
    known = {
        n: p
        for n, p in zip(penalties.names, map(float, penalties.penalties), strict=True)
        if not math.isnan(p)
    }
    if not known:
        return None
    numbered = len(penalties.names) <= MOST_NUMBERED
    with figure_style():
        sketch = Sketch(
            "penalties",
            "Pairwise wins",
            f"Heat map of {counted(len(penalties.names), 'strategy', 'strategies')} against each "
            f"other. {_beaten(known)}",
            f"{'Each number' if numbered else 'Blue'} is the share of the budgets "
            f"({compared_at(penalties)}) at which the row beats the column"
            f"{', added up over the settings' if penalties.experiments > 1 else ''}. Columns with "
            f"little blue are good.{'' if numbered else ' The table has the numbers.'}",
            penalty_heat_map(penalties),
        )
        return _drawn(sketch, "")


def _beaten(penalties: Mapping[str, float]) -> str:
    """Name the strategies that are beaten the least and the most, where each is one alone."""
    values = list(penalties.values())
    ends = (("least", min(values)), ("most", max(values)))
    parts = [
        f"{next(n for n, p in penalties.items() if p == value)} is beaten the {word}"
        for word, value in ends
        if values.count(value) == 1 and len(values) > 1
    ]
    return f"{' and '.join(parts)}." if parts else "No strategy stands out."


def _drawn(sketch: Sketch, prefix: str) -> Picture:
    return Picture(
        f"{prefix}{sketch.name}",
        sketch.title,
        sketch.alt,
        sketch.caption,
        to_svg(sketch.figure),
        to_png(sketch.figure),
        sketch.curves,
    )


def _sketches(analysis: Analysis, styles: Mapping[str, LineStyle]) -> Iterator[Sketch]:
    yield from validation_sketch(analysis.setting.untested)
    if not analysis.setting.runs:
        return
    yield from _learning(analysis, styles)
    yield from _differences(analysis, styles)
    yield from _efficiency(analysis, styles)
    yield from class_sketches(analysis, styles)
    yield Sketch(
        "times",
        "Time per stage",
        f"Stacked bars of the seconds of a round. {_extremes(_totals(analysis), seconds)}",
        "Seconds of a mean round: fitting, testing, scoring the pool, selecting.",
        time_bars({name: analysis.costs[name] for name in analysis.order}),
    )


def _learning(analysis: Analysis, styles: Mapping[str, LineStyle]) -> Iterator[Sketch]:
    metrics, note = _drawn_metrics(analysis)
    for metric in metrics:
        curves = {name: analysis.curves[metric][name] for name in analysis.order}
        passive = analysis.passive.get(metric)
        ends = {name: curve.mean[-1] for name, curve in curves.items()}
        say = _percent_sign if is_share(metric) else _short
        baseline = f" The passive baseline is at {say(passive.mean[0])}." if passive else ""
        first, last = analysis.setting.budgets[0], analysis.setting.budgets[-1]
        name = _capital(metric_name(metric))
        yield Sketch(
            slug(metric),
            f"{name} over labels bought",
            f"Learning curves of {counted(len(curves), 'strategy', 'strategies')} from "
            f"{count(first)} to {count(last)} labels. {_extremes(ends, say)}{baseline}",
            f"{name} on the test set over labels bought"
            + _means_and_bands(curves, analysis.setting.reference)
            + (_passive_baseline(analysis) if passive else "")
            + (note if metric == "accuracy" else ""),
            learning_curves(curves, styles, metric, passive),
            curves=True,
        )


def _drawn_metrics(analysis: Analysis) -> tuple[list[str], str]:
    """Return the metrics that have a figure, and a sentence on macro-F1 where it would be a twin."""
    others = [metric for metric in analysis.metrics if metric not in STANDARD_METRICS]
    if "macro_f1" not in analysis.metrics or "accuracy" not in analysis.metrics:
        return [m for m in ("accuracy", "macro_f1", *others) if m in analysis.metrics], ""
    accuracy, macro_f1 = (
        [value for curve in analysis.curves[metric].values() for value in curve.mean]
        for metric in ("accuracy", "macro_f1")
    )
    apart = max(abs(one - other) for one, other in zip(accuracy, macro_f1, strict=True))
    if apart > _TWIN * (max(accuracy) - min(accuracy)):
        return ["accuracy", "macro_f1", *others], ""
    return ["accuracy", *others], (
        f" The means of macro-F1 differ from these by at most {percent(apart)} points, and have no "
        "figure."
    )


def _means_and_bands(curves: Mapping[str, Curve], reference: str | None) -> str:
    """Return the end of a sentence that says what lines and bands are."""
    panels = ""
    if len(curves) > MOST_TOGETHER:
        black = f" Black (white on a dark page): {reference}." if reference in curves else ""
        panels = f" A panel has the other strategies too, faint.{black}"
    if all(curve.seeds == 1 for curve in curves.values()):
        return f".{panels}"
    bands = " Bands are 95% intervals of the mean over seeds; those that leave the panel are cut."
    return f", mean of the seeds.{panels}{bands if has_bands(curves) else ''}"


def _passive_baseline(analysis: Analysis) -> str:
    """Return what the dashed line is; nothing where there is none."""
    if (length := analysis.setting.passive_length) is None:
        return ""
    return f" Dashed: the passive baseline, trained on all labels for {length.text}."


def _differences(analysis: Analysis, styles: Mapping[str, LineStyle]) -> Iterator[Sketch]:
    reference = analysis.setting.reference
    if not analysis.differences or reference is None or len(analysis.setting.budgets) == 1:
        return
    curves = {n: analysis.differences[n] for n in analysis.order if n in analysis.differences}
    ends = {name: curve.mean[-1] for name, curve in curves.items()}
    yield Sketch(
        "difference",
        f"Accuracy above {reference}",
        f"Paired differences to {reference} over labels, a panel each. "
        f"{_extremes(ends, lambda share: f'{points(share, 1)} points')}",
        f"Accuracy minus that of {reference} under the same seed, in percentage points, with 95% "
        "intervals of the mean. Where the band covers 0, that budget alone decides nothing.",
        difference_curves(curves, styles, reference),
    )


def _efficiency(analysis: Analysis, styles: Mapping[str, LineStyle]) -> Iterator[Sketch]:
    reference = analysis.setting.reference
    known = {n: analysis.efficiency[n] for n in analysis.order if n in analysis.efficiency}
    if not known or reference is None or len(analysis.setting.budgets) == 1:
        return
    best = {
        name: max((r.value for r in found.ratios if r.bound == "exact" and r.value), default=0.0)
        for name, found in known.items()
    }
    yield Sketch(
        "efficiency",
        f"Label efficiency against {reference}",
        f"Labels that {reference} needs, divided by those that a strategy needs, over the accuracy "
        f"to reach. Largest ratio of each: {_extremes(best, lambda ratio: f'{ratio:.2f}')}",
        f"Above 1, a strategy needs fewer labels than {reference}. Open triangles are bounds: "
        f"pointing up where {reference} does not reach the accuracy within the budget, pointing down "
        "where the strategy does not, or where one reaches it with the first labels.",
        efficiency_curves(known, styles, reference),
    )


def _totals(analysis: Analysis) -> dict[str, float]:
    return {name: sum(found.per_round.values()) for name, found in analysis.costs.items()}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _short(value: float) -> str:
    return f"{value:.3f}"


def _percent_sign(share: float) -> str:
    return f"{percent(share, 1)}%"


def _extremes(values: Mapping[str, float], say: Callable[[float], str]) -> str:
    """Name the strategies with the highest and the lowest value."""
    low, high = min(values, key=lambda n: values[n]), max(values, key=lambda n: values[n])
    if low == high:
        return f"{high}: {say(values[high])}."
    return f"Highest: {high}, {say(values[high])}; lowest: {low}, {say(values[low])}."
