"""Labels from elsewhere, taken into a project."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from al_lightning.inference.given_labels import ImageFinder, labels_by_image, read_given
from al_lightning.inference.run_data import load_run_data
from al_lightning.run.journal import Journal
from al_lightning.run.questions import IMPORTED
from al_lightning.utils.errors import UsageError
from al_lightning.utils.listing import shortened

_NAMED = 10  # ids in a message


@dataclass(frozen=True)
class Import:
    """What a table of labels changes in a project.

    Attributes:
        new: Classes by the ids of images that had no label.
        corrected: Classes by the ids of images that had another label.
        unchanged: Number of images that have this label already.
        skipped: Number of images that an annotator could not label, and that stay without a label.
    """

    new: Mapping[int, int]
    corrected: Mapping[int, int]
    unchanged: int
    skipped: int

    def __str__(self) -> str:
        """Return the numbers as one line."""
        parts = (
            (len(self.new), "new"),
            (len(self.corrected), "corrected"),
            (self.unchanged, "unchanged"),
            (self.skipped, "skipped in the project, which they stay"),
        )
        return ", ".join(f"{count} {what}" for count, what in parts if count) or "no label"


def plan_import(journal: Journal, labels: Mapping[int, int]) -> Import:
    """Return what labels from elsewhere change in a project.

    >>> from tempfile import TemporaryDirectory
    >>> from al_lightning import Journal
    >>> with TemporaryDirectory() as folder:
    ...     print(plan_import(Journal(f"{folder}/journal.jsonl"), {4: 0, 7: 2}))
    2 new

    Args:
        journal: Of the project.
        labels: Classes by dataset ids.
    """
    known, skipped = journal.label_of, {*journal.pool.skipped_ids.tolist()}
    given = {i: label for i, label in labels.items() if i not in skipped}
    return Import(
        new={i: label for i, label in given.items() if i not in known},
        corrected={i: label for i, label in given.items() if known.get(i, label) != label},
        unchanged=sum(known.get(i) == label for i, label in given.items()),
        skipped=len(labels) - len(given),
    )


def import_labels(
    journal: Journal,
    table: Path,
    by: str = "",
    *,
    dry_run: bool = False,
    trust: bool = False,
    place: Path | None = None,
) -> Import:
    """Take the labels of a table into a project; the next round trains on them.

    Everything is checked before anything is written. An import that was cut short is completed when it
    is repeated.

    Args:
        journal: Of the project, which no other process uses.
        table: CSV or Parquet, with the columns label, and file or id.
        by: Who gave the labels.
        dry_run: Whether nothing is written.
        trust: See :func:`~al_lightning.inference.run_data.load_run_data`.
        place: See there.

    Raises:
        UsageError: If a row cannot be used, or the project takes no labels now; names the rows.
    """
    classes = list(journal.classes)
    rows = read_given(table)
    # Ids need no images: these may take a while to be read, or be unknown.
    named = any(row.file for row in rows)
    data = load_run_data(journal, trust=trust, place=place) if named else None
    finder = ImageFinder(table, journal.pool.size, data)
    plan = plan_import(journal, labels_by_image(table, rows, finder, classes, journal.aliases))
    index = len(journal.rounds)
    gone = {*journal.pool.absent_ids.tolist()} if data is None else data.absent
    _require_images(table, plan, journal.pool.size, gone)
    if plan.new:
        event = {"event": "labels", "round": index, "origin": IMPORTED}
        new = {"ids": [*plan.new], "labels": [*plan.new.values()]}
        if problem := journal.problem_with({**event, **new}):
            raise UsageError(f"{journal.path.parent} takes no labels now: {problem}")
    if dry_run:
        return plan
    if plan.new:
        journal.record_labels(index, *_tensors(plan.new), IMPORTED, by=by)
    if plan.corrected:
        journal.record_correction(*_tensors(plan.corrected), by)
    return plan


def _require_images(table: Path, plan: Import, size: int, gone: Collection[int]) -> None:
    """Refuse new labels for images that the project does not have: not yet, or not any more."""
    if vanished := [i for i in sorted(plan.new) if i in gone]:
        raise UsageError(
            f"{table} has new labels for images whose files have gone, and nothing was changed: ids "
            f"{', '.join(shortened(vanished, _NAMED))}. Remove these rows, or restore the files"
        )
    if unknown := sum(i >= size for i in plan.new):
        raise UsageError(
            f"{unknown} of the images in {table} are new since the project was last started, and "
            "nothing was changed. Run the project's command first, which takes them in"
        )


def _tensors(labels: Mapping[int, int]) -> tuple[Tensor, Tensor]:
    return torch.tensor([*labels]), torch.tensor([*labels.values()])
