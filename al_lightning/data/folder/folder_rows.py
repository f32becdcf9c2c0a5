"""The files of a folder as rows of a data set: training, test, unlabeled."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from al_lightning.data.folder.folder_files import FolderFiles
from al_lightning.data.source import UNKNOWN
from al_lightning.data.sources.split import stratified_split
from al_lightning.utils.errors import DataError


@dataclass(frozen=True)
class FolderRows:
    """The files in the order of the images: training, test, unlabeled.

    Attributes:
        paths: N of them.
        labels: (N,) int64; -1 where the class is not known.
        is_test: (N,) bool; whether a file is in the folder test.
    """

    paths: tuple[Path, ...]
    labels: Tensor
    is_test: Tensor

    @classmethod
    def of(cls, found: FolderFiles, classes: Sequence[str]) -> "FolderRows":
        """Return the files of a folder; labels are positions in ``classes``."""
        rows = [
            (path, label, is_test)
            for is_test, part in ((False, found.train), (True, found.test or {}))
            for label, name in enumerate(classes)
            for path in part.get(name, ())
        ]
        rows += [(path, UNKNOWN, False) for path in found.unlabeled or ()]
        paths, labels, is_test = zip(*rows, strict=True)
        return cls(paths, torch.tensor(labels), torch.tensor(is_test))


def split_test(rows: FolderRows, usable: Tensor, fraction: float, classes: Sequence[str]) -> Tensor:
    """Return which of the usable images to test on, (N,) bool; a stratified part of them."""
    is_test = torch.zeros(len(usable), dtype=torch.bool)
    if fraction == 0:
        return is_test
    left = usable.nonzero().flatten()
    test_count = max(1, round(len(left) * fraction))
    _, test = stratified_split(rows.labels[left], test_count, classes)
    is_test[left[test]] = True
    return is_test


def require_images(
    found: FolderFiles, rows: FolderRows, usable: Tensor, classes: Sequence[str]
) -> None:
    """Check that every class, or the unlabeled part, still has images without the skipped ones.

    Raises:
        DataError: If not; names the class.
    """
    if found.unlabeled is not None:
        if not bool((usable & (rows.labels == UNKNOWN)).any()):
            raise DataError(
                "None of the unlabeled images can be read; repair them, or remove the folder unlabeled"
            )
        return
    parts = [("training", ~rows.is_test)]
    parts += [] if found.test is None else [("test", rows.is_test)]
    for name, part in parts:
        counts = rows.labels[usable & part].bincount(minlength=len(classes))
        for label, count in enumerate(counts.tolist()):
            if count == 0:
                raise DataError(
                    f"None of the {name} images of class '{classes[label]}' can be used; "
                    "repair them, or remove the class"
                )
