"""The data set of a project, as it is today."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import torch

from al_lightning.data.project.known_project import KnownProject
from al_lightning.data.project.manifest import NAME, Manifest
from al_lightning.data.source import ImageData, ImageSource
from al_lightning.run.class_change import ClassChange
from al_lightning.run.journal import Journal


class ProjectSource:
    """Reads a data set as a project knows it: with its ids, and with its classes.

    Image files may have come, gone and been moved since the project was last started; see
    :attr:`~al_lightning.ImageData.update`. Other data sets stay as they are, but for their classes.

    Args:
        source: Of the images.
        folder: Of the project.
        journal: Of the project; None if it begins anew.
    """

    def __init__(self, source: ImageSource, folder: Path, journal: Journal | None) -> None:
        self._source, self._folder, self._journal = source, folder, journal

    def load(self) -> ImageData:
        """Read the data set.

        Raises:
            DataError: If it cannot be read, or has none of the project's images.
        """
        known = self._known()
        load_known = getattr(self._source, "load_known", None)  # sources of files have it
        if load_known is not None:
            data: ImageData = load_known(known)
            return data
        return with_classes_of(self._source.load(), known)

    def _known(self) -> KnownProject:
        journal, path = self._journal, self._folder / NAME
        if journal is None or journal.start is None:
            return KnownProject(Manifest(path))
        begun = journal.start["data"]
        tested = begun.get("test", 0)
        return KnownProject(
            Manifest(path, journal.manifest_size or 0, journal.manifest_sha256),
            journal.classes,
            journal.aliases,
            journal.pool.absent_ids.tolist(),
            test_share=tested / max(1, tested + begun["train"]),
            skip_marks=journal.skip_marks,
        )


def with_classes_of(data: ImageData, known: KnownProject) -> ImageData:
    """Return a data set with the classes of a project, and its labels in them."""
    known = known.with_classes(data.classes)
    data = _relabeled(data, known.classes, known.labels_of(data.classes))
    return replace(data, aliases=known.aliases)


def with_changed_classes(data: ImageData, change: ClassChange) -> ImageData:
    """Return a data set whose classes have changed, and its labels in the new classes."""
    labels = torch.tensor([*change.new_labels(data.classes), -1])
    aliases = change.aliases(data.classes, data.aliases)
    return replace(_relabeled(data, change.after(data.classes), labels), aliases=aliases)


def _relabeled(data: ImageData, classes: Sequence[str], labels: torch.Tensor) -> ImageData:
    train, test = (
        replace(images, labels=labels[images.labels]) for images in (data.train, data.test)
    )
    same = tuple(classes) == data.classes
    origin = data.origin if same or data.update is not None else data.fingerprint()
    return replace(data, train=train, test=test, classes=tuple(classes), origin=origin)
