"""A run as TensorBoard shows it."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast

from lightning.pytorch.loggers import Logger
from tensorboard.compat.proto.summary_pb2 import Summary
from torch.utils.tensorboard import SummaryWriter
from torch.utils.tensorboard.summary import hparams

from al_lightning.callbacks.figures import (
    Picture,
    class_histogram,
    confusion_figure,
    contact_sheet,
)
from al_lightning.callbacks.logger import (
    Value,
    hyperparameters,
    round_scalars,
    run_names,
)
from al_lightning.callbacks.loop_callback import LoopCallback, QueryResult, RoundResult
from al_lightning.callbacks.training_curves import TrainingCurves
from al_lightning.data.source import ImageData
from al_lightning.run.class_change import ClassChange
from al_lightning.run.journal import Journal
from al_lightning.run.pool import Pool
from al_lightning.utils.scalar_charts import Layout, chart_title, overlay

# What runs can be sorted by; TensorBoard shows the first five unasked.
_SORTED_BY = (
    "labels/aubc",
    "labels/accuracy",
    "labels/macro_f1",
    "labels/balanced_accuracy",
    "labels/nll",
    "labels/macro_precision",
    "labels/macro_recall",
    "labels/ece",
    "validation/aubc",
    "validation/accuracy",
)
_CATEGORIES = {
    "labels": "Test set, over labels bought",
    "validation": "Validation labels, over labels bought",
    "seconds": "Seconds, over labels bought",
    "stopping": "Agreement with the round before, over labels bought",
}
_TRAINING = "Training, over optimiser steps"


class TensorBoardDashboard(LoopCallback):
    """Writes a run's curves, figures and hyperparameters.

    The x-axis ("step") of ``labels/``, ``queries/`` and ``test/`` is the number of labels. Values that
    a fit logs have its name and round, such as ``train/loss/round_03``, over optimiser steps; a fit
    that is repeated after an interruption has separate curves.

    Args:
        folder: The run's TensorBoard folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._writer: SummaryWriter | None = None
        self._data: ImageData | None = None
        self._journal: Journal | None = None
        self._layout: Layout = {}
        self._tags: dict[str, None] = {}  # of all scalars over labels, in their order
        self._labels_bought = 0
        self._sessions = 0
        self._cut_off: int | None = None  # the round that an earlier session may have begun
        self._training: dict[str, None] = {}  # names of training curves, in their order
        self._curves: TrainingCurves | None = None  # of the trainer that was made last

    def close(self) -> None:
        """Close the writer, a thread; a run that ends with an error has left it open."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            writer.close()

    def on_run_start(self, journal: Journal, data: ImageData) -> None:
        """Open the writer, and write the hyperparameters down."""
        self._data, self._journal = data, journal
        self._layout, self._tags = {}, {}
        self._labels_bought = journal.pool.labels_bought
        self._sessions = 1 + len(list(self._folder.glob("events.out.tfevents.*")))
        self._cut_off = journal.current_round if self._sessions > 1 else None
        self._writer = SummaryWriter(str(self._folder))
        *columns_and_row, self._end = hparams_summaries((journal.start or {}).get("config", {}))
        for summary in columns_and_row:
            self._summary(summary)

    def training_curves(self, index: int) -> Logger:
        """Return what a trainer of a round can log to."""

        def write(name: str, value: float, step: int) -> None:
            again = f"_session_{self._sessions}" if index == self._cut_off else ""
            self._training.setdefault(name)
            self._scalar(f"{name}/round_{index:02d}{again}", value, step)

        self._curves = TrainingCurves(write)
        return self._curves

    def shown_curves(self) -> Sequence[tuple[str, float, int]]:
        """Return what the trainer that was made last has logged: ``("train/loss", 0.3, 50)``, ..."""
        return () if self._curves is None else tuple(self._curves.points)

    def show_curves(self, points: Sequence[tuple[str, float, int]]) -> None:
        """Write curves as if the last trainer that was made had logged them: its fit was shared."""
        for point in points:
            if self._curves is not None:
                self._curves.hand_on(*point)

    def on_fit_start(self, index: int, pool: Pool) -> None:
        """Note how many labels the coming events are of."""
        self._labels_bought = pool.labels_bought

    def on_round_end(self, result: RoundResult) -> None:
        """Write the metrics over labels bought, and the confusion matrix."""
        step = self._labels_bought = result.event["labels_bought"]
        earlier = self._journal.rounds if self._journal is not None else []
        scalars = round_scalars([*earlier, result.event], len(result.pool.validation_ids))
        self.write_scalars(scalars, step)
        if result.confusion is not None:
            figure = confusion_figure(result.confusion, self._classes)
            self._figure("test/confusion_matrix", figure, step)

    def on_classes(self, change: ClassChange, data: ImageData) -> None:
        """Learn the new names of classes."""
        self._data = data

    def write_scalars(self, scalars: Mapping[str, float], step: int) -> None:
        """Write values over labels bought, such as ``{"stopping/kappa": 0.9}``."""
        self._tags |= dict.fromkeys(scalars)
        for name, value in scalars.items():
            self._scalar(name, value, step)
        self._lay_out(self._tags)

    def on_query(self, query: QueryResult) -> None:
        """Write the queried images, and the number of each class."""
        if self._data is None:
            return
        step = self._labels_bought
        images = self._data.train.pixels[query.ids]
        sheet = contact_sheet(images, query.predicted, query.labels, self._classes)
        self._figure("queries/images", sheet, step)
        self._figure("queries/classes", class_histogram(query.labels, self._classes), step)
        if self._writer is not None:
            self._writer.add_histogram("queries/scores", query.scores, step)
            self._writer.flush()

    def on_wait(self, journal: Journal, instructions: str) -> None:
        """Close the writer; the run is not over."""
        self.close()

    def on_run_end(self, journal: Journal) -> None:
        """Close the writer; a finished run that is run again has none."""
        if self._writer is not None:
            self._summary(self._end)
        self.close()

    @property
    def _classes(self) -> Sequence[str]:
        return () if self._data is None else self._data.classes

    def _lay_out(self, tags: Iterable[str]) -> None:
        """Write the layout of the custom scalars once there is more to lay out."""
        layout = overlays(tags) | training_overlays(self._training)
        if self._writer is not None and layout != self._layout:
            self._writer.add_custom_scalars(layout)
            self._layout = layout

    def _summary(self, summary: Summary) -> None:
        # SummaryWriter.add_hparams would make a run of its own, named by the clock.
        if self._writer is not None:
            self._writer.file_writer.add_summary(summary)  # type: ignore[attr-defined]

    def _scalar(self, tag: str, value: float, step: int) -> None:
        if self._writer is not None:
            self._writer.add_scalar(tag, value, step)

    def _figure(self, tag: str, figure: Picture, step: int) -> None:
        if self._writer is not None:
            self._writer.add_image(tag, figure, step, dataformats="HWC")
            self._writer.flush()


def overlays(tags: Iterable[str]) -> Layout:
    """Return a layout of TensorBoard's custom scalars: a chart a tag, which overlays all runs.

    TensorBoard merges the layouts of runs, so that equal ones count once.

    Args:
        tags: Such as ``labels/accuracy``; the part before the slash is the category.
    """
    layout: Layout = {}
    for tag in tags:
        group, _, metric = tag.partition("/")
        layout.setdefault(_CATEGORIES.get(group, group), {})[chart_title(metric)] = overlay(tag)
    return layout


def training_overlays(names: Iterable[str]) -> Layout:
    """Return a chart for every training curve, which overlays all rounds.

    Args:
        names: Such as ``train/loss``.
    """
    charts = {name: ("Multiline", [rf"^{re.escape(name)}/round_"]) for name in names}
    return {_TRAINING: charts} if charts else {}


def hparams_summaries(config: Mapping[str, Any]) -> tuple[Summary, Summary, Summary]:
    """Return what the HParams tab is made of: its columns, the row of a run, and the run's end.

    Args:
        config: As the journal recorded it.
    """
    called = run_names(config)
    values = {
        # Numbers are shown with five digits; a seed is a name, "0" and not "0.0000".
        name: value if _is_number(value) and name not in called else _text(value)
        for name, value in hyperparameters(config).items()
    }
    made = hparams(values, dict.fromkeys(_SORTED_BY, 0.0))  # type: ignore[no-untyped-call]
    return cast("tuple[Summary, Summary, Summary]", made)


def _is_number(value: Value) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _text(value: Value) -> str:
    """Return a value as it is written on the command line."""
    return str(value).lower() if isinstance(value, bool) else str(value)
