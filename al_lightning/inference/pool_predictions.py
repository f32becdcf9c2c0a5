"""Predictions of all unlabeled images of a run, as a CSV table."""

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from al_lightning.inference.recorded_run import RecordedRun
from al_lightning.inference.trained import TrainedRun
from al_lightning.training.calibration import tempered, to_logits
from al_lightning.utils.errors import UsageError
from al_lightning.utils.files import write_whole
from al_lightning.utils.spreadsheet import cell

_COLUMNS = ("id", "file", "class", "confidence", "margin", "calibrated")


def write_pool_predictions(
    recorded: RecordedRun, run: TrainedRun, output: Path, *, probabilities: bool = False
) -> int:
    """Write down the class of every unlabeled image, and how sure the classifier is of it.

    The table is CSV, a row an image, sorted by class, then from the highest confidence to the lowest:
    ``id``, ``file`` (empty where there are no files), ``class``, ``confidence`` (the probability of
    that class), ``margin`` (how much it is above that of the next class), ``calibrated`` ("yes" if the
    temperature was fitted on labels drawn at random, else "no"), and on request ``p_<class>`` for each.
    Texts are :func:`~al_lightning.utils.spreadsheet.cell`s, which no spreadsheet runs as a formula.

    Args:
        recorded: The run with its images.
        run: The same run, loaded; its calibration holds for the confidences.
        output: The table, which is replaced as a whole.
        probabilities: Whether to write the probabilities of all classes.

    Returns:
        The number of images.

    Raises:
        UsageError: If all images are labeled, or the table cannot be written.
    """
    ids = recorded.pool.unlabeled_ids
    if len(ids) == 0:
        raise UsageError(
            f"All images of {recorded.journal.path.parent} are labeled: none is left to predict"
        )
    table = io.StringIO(newline="")
    writer = csv.writer(table, lineterminator="\n")
    writer.writerow([*_COLUMNS, *(cell(f"p_{name}") for name in run.classes if probabilities)])
    writer.writerows(_rows(recorded, run, probabilities))
    write_whole(output, table.getvalue().encode("utf-8", "surrogateescape"))
    return len(ids)


def _rows(recorded: RecordedRun, run: TrainedRun, every: bool) -> Iterator[list[object]]:
    ids, files = recorded.pool.unlabeled_ids, recorded.learner.data.train.files
    raw = recorded.fitted(run).probabilities(ids)
    found = tempered(
        to_logits(raw), 1.0 if run.calibration is None else run.calibration.temperature
    )
    predicted = raw.argmax(1)  # which no temperature changes, not even by rounding
    confidence = found.gather(1, predicted[:, None]).squeeze(1)
    others = found.scatter(1, predicted[:, None], -1.0).max(1).values
    order = confidence.argsort(descending=True, stable=True)
    order = order[predicted[order].argsort(stable=True)]
    calibrated = run.calibration is not None and run.calibration.source == "validation"
    for row in order.tolist():
        image, sure = int(ids[row]), float(confidence[row])
        values = [sure, sure - float(others[row])]
        yield [
            image,
            "" if files is None else cell(files[image]),
            cell(run.classes[int(predicted[row])]),
            *(f"{value:.9g}" for value in values),
            "yes" if calibrated else "no",
            *(f"{value:.9g}" for value in found[row].tolist() if every),
        ]
