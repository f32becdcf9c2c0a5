"""The figures of a report, each with words for those who cannot see it."""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from matplotlib.figure import Figure

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.figures.charts import (
    class_dots,
    difference_curves,
    efficiency_curves,
    penalty_heat_map,
    time_bars,
)
from al_lightning.report.figures.curves import learning_curves, metric_name
from al_lightning.report.figures.looks import Look, style
from al_lightning.report.figures.svg import inline_svg, to_png, to_svg
from al_lightning.report.statistics.penalty import PenaltyMatrix
from al_lightning.report.words.wording import count, counted, percent, points, seconds

_CURVES = ("accuracy", "macro_f1")
_MOST_CLASSES = 20  # in a figure; tables have them all


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
    """

    name: str
    title: str
    alt: str
    caption: str
    svg: str
    png: bytes

    @property
    def inline(self) -> str:
        """The figure as an element of a page."""
        return inline_svg(self.svg, f"figure-{self.name}", self.title, self.alt)


@dataclass(frozen=True)
class _Sketch:
    """A figure, and the words that go with it."""

    name: str
    title: str
    alt: str
    caption: str
    figure: Figure


def pictures(analysis: Analysis, looks: Mapping[str, Look], prefix: str) -> dict[str, Picture]:
    """Draw what there is to be seen of a setting.

    Args:
        analysis: Of the setting.
        looks: A look for each strategy.
        prefix: Of the files' names.

    Returns:
        By kind: "accuracy", "macro_f1", "difference", "efficiency", "recall", "mix", "times"; without
        those that there is nothing for.
    """
    if not analysis.setting.runs:
        return {}
    with style():
        return {sketch.name: _drawn(sketch, prefix) for sketch in _sketches(analysis, looks)}


def penalty_picture(penalties: PenaltyMatrix) -> Picture | None:
    """Draw who beats whom how often; None where nobody could be compared."""
    known = {
        n: p
        for n, p in zip(penalties.names, map(float, penalties.penalties), strict=True)
        if not math.isnan(p)
    }
    if not known:
        return None
    with style():
        sketch = _Sketch(
            "penalties",
            "Who beats whom, and how often",
            f"Heat map of {counted(len(penalties.names), 'strategy', 'strategies')} against each "
            f"other. {_beaten(known)}",
            "Each number is the share of the common budgets at which the row beats the column, "
            "mean of the data sets with a model on which both ran; settings of one count once "
            "together. Columns with little blue are good.",
            penalty_heat_map(penalties),
        )
        return _drawn(sketch, "")


def _beaten(penalties: Mapping[str, float]) -> str:
    """Say who is beaten the least and who the most, where one alone is."""
    values = list(penalties.values())
    ends = (("least", min(values)), ("most", max(values)))
    parts = [
        f"{next(n for n, p in penalties.items() if p == value)} is beaten the {word}"
        for word, value in ends
        if values.count(value) == 1 and len(values) > 1
    ]
    return f"{' and '.join(parts)}." if parts else "Nobody stands out."


def _drawn(sketch: _Sketch, prefix: str) -> Picture:
    return Picture(
        f"{prefix}{sketch.name}",
        sketch.title,
        sketch.alt,
        sketch.caption,
        to_svg(sketch.figure),
        to_png(sketch.figure),
    )


def _sketches(analysis: Analysis, looks: Mapping[str, Look]) -> Iterator[_Sketch]:
    yield from _learning(analysis, looks)
    yield from _differences(analysis, looks)
    yield from _efficiency(analysis, looks)
    yield from _classes(analysis, looks)
    yield _Sketch(
        "times",
        "Where the time went",
        f"Stacked bars of the seconds of a round. {_extremes(_totals(analysis), seconds)}",
        "Seconds of a mean round: fitting, testing, scoring the pool, selecting.",
        time_bars({name: analysis.costs[name] for name in analysis.order}),
    )


def _learning(analysis: Analysis, looks: Mapping[str, Look]) -> Iterator[_Sketch]:
    several = any(curve.seeds > 1 for curve in analysis.curves["accuracy"].values())
    bands = " Bands are 95% intervals of the mean over seeds." if several else ""
    for metric in (metric for metric in _CURVES if metric in analysis.metrics):
        curves = {name: analysis.curves[metric][name] for name in analysis.order}
        passive = analysis.passive.get(metric)
        ends = {name: curve.mean[-1] for name, curve in curves.items()}
        baseline = f" The passive baseline is at {percent(passive.mean[0], 1)}%." if passive else ""
        first, last = analysis.setting.budgets[0], analysis.setting.budgets[-1]
        yield _Sketch(
            metric,
            f"{_capital(metric_name(metric))} over labels bought",
            f"Learning curves of {counted(len(curves), 'strategy', 'strategies')} from "
            f"{count(first)} to {count(last)} labels. {_extremes(ends, _percent_sign)}{baseline}",
            f"{_capital(metric_name(metric))} on the test set over labels bought, mean of the "
            f"seeds.{bands}"
            + (" Dashed: the passive baseline, trained on all labels." if passive else ""),
            learning_curves(curves, looks, metric, passive),
        )


def _differences(analysis: Analysis, looks: Mapping[str, Look]) -> Iterator[_Sketch]:
    reference = analysis.setting.reference
    if not analysis.differences or reference is None or len(analysis.setting.budgets) == 1:
        return
    curves = {n: analysis.differences[n] for n in analysis.order if n in analysis.differences}
    ends = {name: curve.mean[-1] for name, curve in curves.items()}
    yield _Sketch(
        "difference",
        f"Accuracy above {reference}",
        f"Paired differences to {reference} over labels, a panel each. "
        f"{_extremes(ends, lambda share: f'{points(share, 1)} points')}",
        f"Accuracy minus that of {reference} under the same seed, in percentage points, with 95% "
        "intervals of the mean. Where the band covers 0, that budget alone decides nothing.",
        difference_curves(curves, looks, reference),
    )


def _efficiency(analysis: Analysis, looks: Mapping[str, Look]) -> Iterator[_Sketch]:
    reference = analysis.setting.reference
    known = {n: analysis.efficiency[n] for n in analysis.order if n in analysis.efficiency}
    if not known or reference is None or len(analysis.setting.budgets) == 1:
        return
    best = {
        name: max((r.value for r in found.ratios if r.bound == "exact" and r.value), default=0.0)
        for name, found in known.items()
    }
    yield _Sketch(
        "efficiency",
        f"Label efficiency against {reference}",
        f"Labels that {reference} needs, divided by those that a strategy needs, over the accuracy "
        f"to reach. Largest ratio of each: {_extremes(best, lambda ratio: f'{ratio:.2f}')}",
        f"Above 1, a strategy needs fewer labels than {reference}. Open triangles are bounds: "
        f"pointing up where {reference} does not come so far within the budget, pointing down "
        "where the strategy does not, or where one is there from the first labels on.",
        efficiency_curves(known, looks, reference),
    )


def _classes(analysis: Analysis, looks: Mapping[str, Look]) -> Iterator[_Sketch]:
    report = analysis.classes
    if report is None:
        return
    recall = {name: report.recall[name] for name in analysis.order if name in report.recall}
    if not recall:
        return
    usual = (
        analysis.setting.reference if analysis.setting.reference in recall else next(iter(recall))
    )
    hardest = _hardest(recall[usual or ""])
    names = [report.names[k] for k in hardest]
    some = (
        f" The {len(hardest)} classes with the lowest recall."
        if len(hardest) < len(report.names)
        else ""
    )
    mark = report.passive_recall
    yield _Sketch(
        "recall",
        "Recall of each class",
        f"Dots for the final recall of {counted(len(names), 'class', 'classes')}, the hardest "
        f"first: {names[0]}.",
        f"Recall at the last common budget, mean of the seeds, the hardest class first.{some}"
        + (" Strokes: the passive baseline." if mark else ""),
        class_dots(
            {name: [values[k] for k in hardest] for name, values in recall.items()},
            names,
            looks,
            "recall, %",
            ("passive", [mark[k] for k in hardest]) if mark else None,
        ),
    )
    mix = {name: report.mix[name] for name in analysis.order if name in report.mix}
    if not mix:
        return
    yield _Sketch(
        "mix",
        "Classes asked for",
        f"Dots for the share of {counted(len(names), 'class', 'classes')} in all queries. "
        f"{_focus(mix, report.names)}",
        f"Share of each class in all queries.{some}"
        + (" Strokes: the pool." if report.pool else ""),
        class_dots(
            {name: [values[k] for k in hardest] for name, values in mix.items()},
            names,
            looks,
            "share of the queries, %",
            ("pool", [report.pool.shares[k] for k in hardest]) if report.pool else None,
        ),
    )


def _hardest(recall: Sequence[float]) -> list[int]:
    return sorted(range(len(recall)), key=lambda k: recall[k])[:_MOST_CLASSES]


def _focus(mix: Mapping[str, Sequence[float]], names: Sequence[str]) -> str:
    name = max(mix, key=lambda n: max(mix[n]))
    share = max(mix[name])
    largest = names[list(mix[name]).index(share)]
    return f"The largest is {largest}, {percent(share, 1)}% of those of {name}."


def _totals(analysis: Analysis) -> dict[str, float]:
    return {name: sum(found.per_round.values()) for name, found in analysis.costs.items()}


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _percent_sign(share: float) -> str:
    return f"{percent(share, 1)}%"


def _extremes(values: Mapping[str, float], say: Callable[[float], str]) -> str:
    """Say who is highest and who is lowest."""
    low, high = min(values, key=lambda n: values[n]), max(values, key=lambda n: values[n])
    if low == high:
        return f"{high}: {say(values[high])}."
    return f"Highest: {high}, {say(values[high])}; lowest: {low}, {say(values[low])}."
