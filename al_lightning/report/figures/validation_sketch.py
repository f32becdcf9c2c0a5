"""The figure of runs without test images: their accuracy on the labels bought for validation."""

from collections.abc import Iterator, Sequence

from al_lightning.report.figures.learning import has_bands, learning_curves
from al_lightning.report.figures.line_styles import line_styles
from al_lightning.report.figures.sketch import Sketch
from al_lightning.report.study.runs import Run
from al_lightning.report.study.scores import Curve
from al_lightning.report.wording import counted
from al_lightning.utils.intervals import wilson_interval


def validation_sketch(runs: Sequence[Run]) -> Iterator[Sketch]:
    """Yield the accuracy of each run on its validation labels; nothing where none bought some."""
    curves = {_name(run, runs): curve for run in runs if (curve := _curve(run)) is not None}
    if not curves:
        return
    bands = " Bands are 95% intervals, by the number of these labels." if has_bands(curves) else ""
    ends = ", ".join(f"{name} {100 * curve.mean[-1]:.1f}%" for name, curve in curves.items())
    yield Sketch(
        "validation",
        "Accuracy on validation labels over labels bought",
        f"Learning curves of {counted(len(curves), 'run')}, at the end: {ends}.",
        f"A run a line, on the labels that it bought for validation: it has no test images.{bands}",
        learning_curves(curves, line_styles(list(curves))),
        curves=True,
    )


def _name(run: Run, runs: Sequence[Run]) -> str:
    alone = [each.strategy for each in runs].count(run.strategy) == 1
    return run.strategy if alone else f"{run.strategy}, seed {run.seed}"


def _curve(run: Run) -> Curve | None:
    """Return accuracies on validation labels, with their intervals; None where there are none."""
    known = [entry for entry in run.rounds if entry.validation and entry.validation_labels]
    if not known:
        return None
    mean = tuple(float(entry.validation["accuracy"]) for entry in known)
    counts = [entry.validation_labels for entry in known]
    low, high = zip(*map(wilson_interval, mean, counts), strict=True)
    return Curve(tuple(entry.labels for entry in known), mean, low, high, 1)
