"""A run as TensorBoard shows it."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from al_lightning.callbacks.base import LoopCallback, Query, RoundResult
from al_lightning.callbacks.figures import class_histogram, confusion_figure, contact_sheet
from al_lightning.data.source import ImageData
from al_lightning.journal import Journal
from al_lightning.pool import Pool
from al_lightning.report.area import area_under_budget_curve

_CURVES = (
    "accuracy",
    "balanced_accuracy",
    "macro_precision",
    "macro_recall",
    "macro_f1",
    "nll",
    "ece",
)


class TensorBoardDashboard(LoopCallback):
    """Writes a run's curves, figures and hyperparameters.

    The x-axis ("step") of all that stands under ``labels/``, ``queries/`` and ``test/`` is the number
    of labels bought. Beside the run itself stands one TensorBoard run for each round, ``round_NN``,
    with its training curves over optimiser steps; those are Lightning's own.

    Args:
        folder: The run's TensorBoard folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: SummaryWriter | None = None
        self._data: ImageData | None = None
        self._curve: list[tuple[int, float]] = []
        self._labels_bought = 0

    def on_run_start(self, journal: Journal, data: ImageData) -> None:
        """Open the writer, and write the hyperparameters down."""
        self._data = data
        self._curve = [(e["labels_bought"], e["metrics"]["accuracy"]) for e in journal.rounds]
        self._labels_bought = journal.pool.labels_bought
        self._writer = SummaryWriter(str(self._folder))
        start = journal.start or {}
        values = dict(_scalars(start.get("config", {})))
        names = [f"labels/{name}" for name in (*_CURVES, "aubc")]
        summaries = hparams(values, dict.fromkeys(names, 0.0))  # type: ignore[no-untyped-call]
        for summary in summaries:  # add_hparams would make a run of its own, named by the clock
            self._writer.file_writer.add_summary(summary)  # type: ignore[attr-defined]

    def on_fit_start(self, index: int, pool: Pool) -> None:
        """Remove the training curves of a fit that was cut off: it starts from its beginning."""
        self._labels_bought = pool.labels_bought
        shutil.rmtree(self._folder / f"round_{index:02d}", ignore_errors=True)

    def on_round_end(self, result: RoundResult) -> None:
        """Write the metrics over labels bought, and the confusion matrix."""
        step, metrics = result.event["labels_bought"], result.event["metrics"]
        self._labels_bought = step
        self._curve = [point for point in self._curve if point[0] < step]
        self._curve.append((step, metrics["accuracy"]))
        for name in _CURVES:
            self._scalar(f"labels/{name}", metrics[name], step)
        for name, value in result.event.get("validation", {}).items():
            self._scalar(f"validation/{name}", value, step)
        labels, scores = zip(*self._curve, strict=True)
        if (area := area_under_budget_curve(labels, scores)) is not None:
            self._scalar("labels/aubc", area, step)
        for phase, seconds in result.event["seconds"].items():
            self._scalar(f"seconds/{phase}", seconds, step)
        self._figure(
            "test/confusion_matrix", confusion_figure(result.confusion, self._classes), step
        )

    def on_query(self, query: Query) -> None:
        """Write what was asked for: the images, and how many of each class."""
        if self._data is None:
            return
        sheet = contact_sheet(
            self._data.train.pixels[query.ids],
            query.probabilities.argmax(1),
            query.labels,
            self._classes,
        )
        step = self._labels_bought
        self._figure("queries/images", sheet, step)
        self._figure("queries/classes", class_histogram(query.labels, self._classes), step)
        if self._writer is not None:
            self._writer.add_histogram("queries/scores", query.scores, step)
            self._writer.flush()

    def on_run_end(self, journal: Journal) -> None:
        """Close the writer; a finished run that is run again has none."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None

    @property
    def _classes(self) -> Sequence[str]:
        return () if self._data is None else self._data.classes

    def _scalar(self, tag: str, value: float, step: int) -> None:
        if self._writer is not None:
            self._writer.add_scalar(tag, value, step)

    def _figure(self, tag: str, figure: Figure, step: int) -> None:
        if self._writer is not None:
            self._writer.add_figure(tag, figure, step)
            self._writer.flush()


def _scalars(config: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    """Return the leaves of a configuration that TensorBoard can sort by: numbers, texts, switches."""
    leaves: list[tuple[str, Any]] = []
    for key, value in config.items():
        if isinstance(value, Mapping):
            leaves.extend(_scalars(value, f"{prefix}{key}."))
        elif isinstance(value, bool | int | float | str):
            leaves.append((f"{prefix}{key}", value))
        else:
            leaves.append((f"{prefix}{key}", str(value)))
    return leaves
