"""Image files as rows of a data set: training, test, unlabeled."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import torch
from torch import Tensor

from al_lightning.data.pixels.remote_file import ImageFile
from al_lightning.data.source import UNKNOWN
from al_lightning.data.sources.grouped_split import grouped_split
from al_lightning.data.sources.split import stratified_split
from al_lightning.utils.errors import DataError


@dataclass(frozen=True)
class FileRows:
    """Image files in the order of the images: training, test, unlabeled.

    Attributes:
        files: N of them.
        names: The name of each in tables and pages, relative to the data set.
        shown: The name of each in messages.
        labels: (N,) int64; -1 where the class is not known.
        is_test: (N,) bool; whether a file is given as a test image.
        has_test: Whether test images are given; otherwise some may be split off.
        has_unlabeled: Whether images without a label are given.
        groups: (N,) int64, the group of each image, which is never divided between training and test;
            None if each is its own.
        troubles: Why the names of some cannot be shown in tables, by row.
    """

    files: tuple[ImageFile, ...]
    names: tuple[str, ...]
    shown: tuple[str, ...]
    labels: Tensor
    is_test: Tensor
    has_test: bool
    has_unlabeled: bool
    groups: Tensor | None = None
    troubles: Mapping[int, str] = field(default_factory=dict)

    def rows(self, order: Sequence[int]) -> "FileRows":
        """Return all files in another order."""
        place = {i: row for row, i in enumerate(order)}
        return replace(
            self,
            files=tuple(self.files[i] for i in order),
            names=tuple(self.names[i] for i in order),
            shown=tuple(self.shown[i] for i in order),
            labels=self.labels[order],
            is_test=self.is_test[order],
            groups=None if self.groups is None else self.groups[order],
            troubles={place[i]: why for i, why in self.troubles.items()},
        )


def split_test(rows: FileRows, usable: Tensor, fraction: float, classes: Sequence[str]) -> Tensor:
    """Return which of the usable images to test on, (N,) bool: a stratified part, of whole groups."""
    is_test = torch.zeros(len(usable), dtype=torch.bool)
    if fraction == 0:
        return is_test
    left = usable.nonzero().flatten()
    test_count = max(1, round(len(left) * fraction))
    labels = rows.labels[left]
    if rows.groups is None:
        _, test = stratified_split(labels, test_count, classes)
    else:
        _, test = grouped_split(labels, rows.groups[left], test_count, classes)
    is_test[left[test]] = True
    return is_test


def require_images(
    rows: FileRows, usable: Tensor, classes: Sequence[str], remove_unlabeled: str
) -> None:
    """Check that every class, or the unlabeled part, still has images without the skipped ones.

    Args:
        rows: All images.
        usable: Those that are left, (N,) bool.
        classes: The names of the classes, by label.
        remove_unlabeled: What to do without unlabeled images, such as "remove the folder unlabeled".

    Raises:
        DataError: If not; names the class.
    """
    if rows.has_unlabeled:
        if not bool((usable & (rows.labels == UNKNOWN)).any()):
            raise DataError(
                f"None of the unlabeled images can be read; repair them, or {remove_unlabeled}"
            )
        return
    for name, part in (("training", ~rows.is_test), ("test", rows.is_test)):
        given, left = (
            rows.labels[images].bincount(minlength=len(classes)) for images in (part, usable & part)
        )
        for label in ((given > 0) & (left == 0)).nonzero().flatten().tolist():
            raise DataError(
                f"None of the {name} images of class '{classes[label]}' can be used; "
                "repair them, or remove the class"
            )
