"""Figures of the classes one by one: their recall, and their share of the queries."""

from collections.abc import Iterator, Mapping, Sequence

from al_lightning.report.analysis.classes import ClassReport
from al_lightning.report.analysis.results import Analysis
from al_lightning.report.figures.charts import class_dots
from al_lightning.report.figures.line_styles import LineStyle
from al_lightning.report.figures.panels import MOST_TOGETHER
from al_lightning.report.figures.sketch import Sketch
from al_lightning.report.study.fit_length import FitLength
from al_lightning.report.wording import counted, percent

_MOST_CLASSES = 20  # in a figure; tables have them all


def class_sketches(analysis: Analysis, styles: Mapping[str, LineStyle]) -> Iterator[Sketch]:
    """Yield the recall of each class and the classes of the queries, where journals have them."""
    report = analysis.classes
    if report is None:
        return
    reference = analysis.setting.reference
    order = sorted(analysis.order, key=lambda name: name != reference)
    recall = {name: report.recall[name] for name in order if name in report.recall}
    if not recall:
        return
    hardest = _hardest(next(iter(recall.values())))
    over = ", mean of the seeds" if analysis.setting.repeated else ""
    yield _recall(report, recall, hardest, styles, analysis.setting.passive_length, over)
    mix = {name: report.mix[name] for name in order if name in report.mix}
    if mix:
        yield _mix(report, mix, hardest, styles)


def _recall(
    report: ClassReport,
    recall: Mapping[str, Sequence[float]],
    hardest: Sequence[int],
    styles: Mapping[str, LineStyle],
    length: FitLength | None,
    over: str,
) -> Sketch:
    names, mark = [report.names[k] for k in hardest], report.passive_recall
    strokes = f" Strokes: the passive baseline, {length.text}." if mark and length else ""
    return Sketch(
        "recall",
        "Recall of each class",
        f"Dots for the final recall of {counted(len(names), 'class', 'classes')}, the hardest "
        f"first: {names[0]}.",
        f"Recall at the last common budget{over}, the hardest class first."
        f"{_some(report, hardest)}{_ranges(recall)}{strokes}",
        class_dots(
            {name: [values[k] for k in hardest] for name, values in recall.items()},
            names,
            styles,
            "recall, %",
            ("passive", [mark[k] for k in hardest]) if mark else None,
        ),
    )


def _mix(
    report: ClassReport,
    mix: Mapping[str, Sequence[float]],
    hardest: Sequence[int],
    styles: Mapping[str, LineStyle],
) -> Sketch:
    names, pool = [report.names[k] for k in hardest], report.pool
    return Sketch(
        "mix",
        "Queried classes",
        f"Dots for the share of {counted(len(names), 'class', 'classes')} in all queries. "
        f"{_focus(mix, report.names)}",
        f"Share of each class in all queries.{_some(report, hardest)}"
        f"{_ranges(mix)}{' Strokes: the pool.' if pool else ''}",
        class_dots(
            {name: [values[k] for k in hardest] for name, values in mix.items()},
            names,
            styles,
            "share of the queries, %",
            ("pool", [pool.shares[k] for k in hardest]) if pool else None,
        ),
    )


def _ranges(values: Mapping[str, Sequence[float]]) -> str:
    """Return what the lines are, where not every strategy has dots."""
    if len(values) <= MOST_TOGETHER:
        return ""
    return (
        f" Dots: {next(iter(values))}. Lines go from the lowest to the highest of "
        f"{len(values)} strategies; the table has each."
    )


def _some(report: ClassReport, hardest: Sequence[int]) -> str:
    """Return that a figure has not all classes, where it has not."""
    if len(hardest) == len(report.names):
        return ""
    return f" The {len(hardest)} classes with the lowest recall."


def _hardest(recall: Sequence[float]) -> list[int]:
    return sorted(range(len(recall)), key=lambda k: recall[k])[:_MOST_CLASSES]


def _focus(mix: Mapping[str, Sequence[float]], names: Sequence[str]) -> str:
    name = max(mix, key=lambda n: max(mix[n]))
    share = max(mix[name])
    largest = names[list(mix[name]).index(share)]
    return f"The largest is {largest}, {percent(share, 1)}% of those of {name}."
