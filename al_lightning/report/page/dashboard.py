"""The mean curves of a sweep as TensorBoard shows them."""

import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path

from torch.utils.tensorboard import SummaryWriter

from al_lightning.report.analysis.results import Analysis
from al_lightning.run.naming import folder_name
from al_lightning.utils.scalar_charts import Layout, chart_title, overlay

#: After the address of TensorBoard: the board of scalars, with lines through their points.
UNSMOOTHED = "?smoothing=0#timeseries"

#: Labels bought, the mean over seeds, and the ends of its interval; None where there is none.
Point = tuple[int, float, float | None, float | None]
Curve = Sequence[Point]

_SUFFIX = ".sweep"  # ends the names of our files, so that no others are taken for ours
_PARTS = 3  # of what tells settings apart
_CATEGORY = "Sweep: means over seeds, over labels bought"


def how_to_open(folder: Path) -> str:
    """Return how to look at a dashboard, for the console.

    TensorBoard selects no run of a folder that has more than 40, and smooths curves by 0.6, which draws
    those of few points at wrong heights. So a sweep's end names the board of means, and a link
    without smoothing.
    """
    return (
        f"Mean curves in TensorBoard: {shlex.join(['tensorboard', '--logdir', str(folder)])}\n"
        f"then open http://localhost:6006/{UNSMOOTHED}"
    )


def write_dashboard(curves: Mapping[str, Mapping[str, Curve]], folder: Path) -> None:
    """Write a sweep's mean curves, one TensorBoard run a line.

    The scalars are ``sweep/<metric>``, and ``sweep/<metric>/low`` and ``/high`` for a curve that has
    an interval at every point; the step is the number of labels bought. A layout of custom scalars
    overlays the lines. What an earlier call wrote below the folder is replaced.

    Args:
        curves: By the name of the line, such as "margin" or "mnist/margin", then by metric.
        folder: Where the runs go; a line's is the folder of its name.

    Raises:
        ValueError: If the name of a line leads out of the folder; nothing is written then.
    """
    for name in curves:
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"The line {name!r} would be written outside of {folder}; rename it")
    for path in folder.rglob(f"events.out.tfevents.*{_SUFFIX}"):
        path.unlink()
    layout = sweep_layout(curves)
    for name, metrics in curves.items():
        with SummaryWriter(str(folder / name), filename_suffix=_SUFFIX) as writer:
            writer.add_custom_scalars(layout)
            for metric, curve in metrics.items():
                _write_curve(writer, f"sweep/{metric}", curve)


def sweep_curves(analyses: Sequence[Analysis]) -> dict[str, dict[str, Curve]]:
    """Return the mean curves of a report as :func:`write_dashboard` takes them.

    A line is called by its strategy, after what tells its setting from the others: in a sweep of one
    setting, by the strategy alone. The passive baseline is left out: its single point, far to the
    right, would press all curves flat.
    """
    places = [_place(analysis) for analysis in analyses]
    shared = [len({place[k] for place in places}) < 2 for k in range(_PARTS)]  # noqa: PLR2004 - one
    return {
        "/".join([*(p for p, same in zip(place, shared, strict=True) if p and not same), name]): {
            metric: list(zip(c.labels, c.mean, c.low, c.high, strict=True))
            for metric, lines in analysis.curves.items()
            if (c := lines.get(name)) is not None
        }
        for analysis, place in zip(analyses, places, strict=True)
        for name in analysis.setting.runs
    }


def _place(analysis: Analysis) -> tuple[str, str, str]:
    """Return the folders of a setting: data set, model, and the keys that differ."""
    setting = analysis.setting
    others = folder_name([f"{key}={value}" for key, value in setting.differences.items()])
    return setting.dataset, setting.model, others


def sweep_layout(curves: Mapping[str, Mapping[str, Curve]]) -> Layout:
    """Return a chart for every metric, which overlays all lines, and their intervals as bands.

    TensorBoard leaves a line out of a chart with bands if it has none. Where only some lines have
    intervals, they so have a second chart, with the bands.

    Args:
        curves: See :func:`write_dashboard`.
    """
    charts: dict[str, tuple[str, list[str]]] = {}
    for metric in dict.fromkeys(metric for line in curves.values() for metric in line):
        banded = [_has_band(line[metric]) for line in curves.values() if metric in line]
        title, tag = chart_title(metric), f"sweep/{metric}"
        bands = ("Margin", [tag, f"{tag}/low", f"{tag}/high"])
        if all(banded):
            charts[title] = bands
        else:
            charts[title] = overlay(tag)
            if any(banded):
                charts[f"{title}, with intervals"] = bands
    return {_CATEGORY: charts}


def _has_band(curve: Curve) -> bool:
    return all(low is not None and high is not None for _, _, low, high in curve)


def _write_curve(writer: SummaryWriter, tag: str, curve: Curve) -> None:
    for labels, mean, low, high in curve:
        writer.add_scalar(tag, mean, labels)
        if _has_band(curve):
            writer.add_scalar(f"{tag}/low", low, labels)
            writer.add_scalar(f"{tag}/high", high, labels)
