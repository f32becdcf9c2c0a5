"""Data sets whose images are files: what a folder and a table have in common."""

import logging
from abc import abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import torch
from torch import Tensor

from al_lightning.data.files.checked_files import CheckedFiles
from al_lightning.data.files.file_rows import FileRows, require_images, split_test
from al_lightning.data.folder.class_names import check_names
from al_lightning.data.folder.copies import (
    leave_out_copies,
    warn_of_leaks,
    with_labels_of_copies,
)
from al_lightning.data.folder.depth import check_value_range, refuse_unknown_range
from al_lightning.data.folder.wording import Wording
from al_lightning.data.pixels.decode import DEEP
from al_lightning.data.pixels.decoded import Decoded
from al_lightning.data.pixels.duplicates import Group, contradictions, equal_images
from al_lightning.data.pixels.remote_file import ImageFile, file_at
from al_lightning.data.pixels.storage import ImageStorage
from al_lightning.data.project.known_files import find_known, known_data
from al_lightning.data.project.known_project import KnownProject
from al_lightning.data.project.renamed_classes import renamed_classes
from al_lightning.data.source import ImageData, Images
from al_lightning.data.sources.base_source import BaseSource
from al_lightning.utils.errors import DataError, UsageError
from al_lightning.utils.listing import shortened

AUTO_SIZE = 64  #: pixels, where no network says what it takes
_TEST_FRACTION = 0.2  # where all images are labeled
_NAMED = 10  # how many files an error names
_CHANNELS = (1, 3)
_ON_ERROR = ("refuse", "skip")

_logger = logging.getLogger(__name__)


class FileSource(BaseSource):
    """Finds image files, decodes and checks them. A source implements :meth:`find`.

    Args:
        path: The folder or the table.
        image_size: Height and width of the images, in pixels; "auto" is 64.
        channels: 3 (RGB) or 1 (gray).
        classes: The names of all classes, in the order of their labels; None where the files name them.
        test_fraction: Share of test images if none are given, in (0, 1). None is 0.2, or 0 with
            unlabeled images.
        value_range: The values of black and white in images of more than 8 bits per pixel.
        on_error: "refuse" or "skip" unreadable files, and images of two classes.
        storage: Storage of the decoded images, see
            :class:`al_lightning.data.pixels.storage.ImageStorage`.
        cache_dir: Folder of the images on disk; None for no cache.
        workers: Number of decoding processes; None for one per core.
        horizontal_flip: Whether a mirrored image keeps its class.
        imbalance: "exponential" or "step" makes the training classes imbalanced.
        imbalance_ratio: The size of the most common training class divided by that of the rarest.

    Raises:
        UsageError: If an argument is not valid; names the configuration's key.
    """

    def __init__(
        self,
        path: str,
        *,
        image_size: int | str = "auto",
        channels: int = 3,
        classes: Sequence[str] | None = None,
        test_fraction: float | None = None,
        value_range: Sequence[float] | None = None,
        on_error: str = "refuse",
        storage: str = "auto",
        cache_dir: str | None = None,
        workers: int | None = None,
        horizontal_flip: bool = False,
        imbalance: str | None = None,
        imbalance_ratio: float = 50.0,
    ) -> None:
        super().__init__(
            horizontal_flip=horizontal_flip, imbalance=imbalance, imbalance_ratio=imbalance_ratio
        )
        image_size = AUTO_SIZE if image_size == "auto" else image_size
        _check_arguments(image_size, channels, test_fraction, on_error)
        place = file_at(Path(), str(path))
        self.path: ImageFile = place.expanduser() if isinstance(place, Path) else place
        self.image_size = int(image_size)
        self.channels = channels
        self.classes = None if classes is None else check_names(classes)
        self.test_fraction = test_fraction
        self.value_range = check_value_range(value_range)
        self.on_error = on_error
        self.storage = ImageStorage(storage, cache_dir, workers)

    @abstractmethod
    def find(self, known: KnownProject | None = None) -> tuple[FileRows, tuple[str, ...]]:
        """List the files and the classes; no image is read.

        Args:
            known: The project, whose classes may have no images; None if this is none, or it has not
                begun.
        """

    @property
    @abstractmethod
    def folder(self) -> Path:
        """The folder that relative names of files start from."""

    @property
    @abstractmethod
    def wording(self) -> Wording:
        """What messages call the parts of the data set."""

    def read(self) -> ImageData:
        """Find and decode all images.

        Raises:
            UsageError: If ``test_fraction`` or ``imbalance`` cannot be with these images, or images of
                more than 8 bits a pixel need a ``value_range``.
            DataError: If the files are not as :meth:`find` expects them, cannot be read, or a picture
                has two classes; names them.
        """
        rows, classes = self.find()
        fraction = self._test_fraction(rows)
        self.check_imbalance_of(known=not rows.has_unlabeled)
        checked = self._checked(rows)
        require_images(rows, checked.usable, classes, self.wording.remove_unlabeled)
        usable, is_test = checked.usable, rows.is_test
        if not rows.has_test:
            is_test = split_test(rows, usable, fraction, classes)
        self._warn_of_leaks(rows, checked, is_test)
        images = Images(checked.pixels, checked.labels, rows.names, checked.digests, rows.groups)
        train, test = (
            images.rows((usable & part).nonzero().flatten()) for part in (~is_test, is_test)
        )
        return ImageData(train, test, classes, folder=self.folder, value_range=self.value_range)

    def load_known(self, known: KnownProject) -> ImageData:
        """Find and decode the images of a project: those that it knows keep their ids.

        Raises:
            UsageError: As :meth:`read`; also where images would be left out to make classes rare.
            DataError: As :meth:`read`; also if none of the project's images is there.
        """
        if self.imbalance is not None:
            raise UsageError(
                f"dataset.imbalance={self.imbalance} is not possible in a project of image files, "
                "where images may come and go"
            )
        begun = bool(known.manifest.entries)
        rows, found = self.find(known if begun else None)
        files = find_known(rows, found, self.folder, known)
        renamed = renamed_classes(files, self.classes or (), known, self.folder)
        known = known.with_classes(found, renamed)
        files = files.in_project(known)
        files.warn_of_earlier_names(self.path)
        rows, classes = files.rows, tuple(known.classes)
        fraction = files.test_fraction if begun else self._test_fraction(rows)
        checked = self._checked(rows, files.kept)
        is_test = rows.is_test
        if not begun:
            require_images(rows, checked.usable, classes, self.wording.remove_unlabeled)
        if not rows.has_test:
            usable = checked.usable
            split = files.split if begun else partial(split_test, rows, classes=classes)
            is_test = split(usable, fraction=fraction)
        self._warn_of_leaks(rows, checked, is_test)
        data = known_data(files, checked, is_test, self.folder, renamed)
        return replace(data, value_range=self.value_range)

    def _checked(self, rows: FileRows, kept: Collection[int] = ()) -> CheckedFiles:
        """Decode all files, and decide which of them can be used.

        Args:
            rows: The files.
            kept: Which of them are images of a project: they stay, also as copies.
        """
        decoded = self._decode(rows)
        left_out = self._unreadable(rows, decoded.troubles)
        usable_files = (i for i in range(len(rows.files)) if i not in left_out)
        copies = equal_images(decoded.digests, usable_files)
        left_out |= self._contradictory(copies, rows)
        usable = torch.tensor([i not in left_out for i in range(len(rows.files))])
        copied = leave_out_copies(self.path, copies, left_out, rows, kept)
        usable[copied] = False
        labels = with_labels_of_copies(rows.labels, copies, rows.is_test)
        return CheckedFiles(
            decoded.pixels, decoded.digests, labels, usable, copies, left_out, copied
        )

    def _warn_of_leaks(self, rows: FileRows, checked: CheckedFiles, is_test: Tensor) -> None:
        without = {*checked.left_out, *checked.copied}
        warn_of_leaks(self.path, checked.copies, without, is_test, rows.shown)

    def _test_fraction(self, rows: FileRows) -> float:
        """Return which part of the labeled images is split off where no test images are given."""
        if self.test_fraction is None:
            return 0.0 if rows.has_unlabeled else _TEST_FRACTION
        if not rows.has_test and not rows.has_unlabeled and self.test_fraction == 0:
            raise UsageError(
                f"dataset.test_fraction=0 leaves no test images in {self.path}, where all images "
                f"are labeled: use a fraction above 0, or {self.wording.add_test}; only "
                f"{self.wording.with_unlabeled}, a run needs no test images"
            )
        if not rows.has_test and rows.has_unlabeled and self.test_fraction > 0:
            raise UsageError(
                f"dataset.test_fraction={self.test_fraction} would test on labels that are no random "
                f"sample: {self.path} has unlabeled images, and the labeled ones may have been chosen "
                "because they are hard. Use budget.validation=50, which queries images drawn at "
                f"random from all; or {self.wording.move_to_test}"
            )
        return self.test_fraction

    def _decode(self, rows: FileRows) -> Decoded:
        """Decode all files; refuse those of more than 8 bits a pixel where their range is not known."""
        shape = (self.channels, self.image_size, self.image_size)
        decoded = self.storage.decode(self.path, rows.files, shape, self.value_range)
        if deep := [i for i, why in sorted(decoded.troubles.items()) if why == DEEP]:
            paths, example = [rows.files[i] for i in deep], rows.shown[deep[0]]
            raise refuse_unknown_range(paths, example, self.wording.images, len(rows.files))
        return decoded

    def _unreadable(self, rows: FileRows, troubles: Mapping[int, str]) -> set[int]:
        """Refuse unreadable files, or warn that they are skipped, and return them."""
        unreadable = {**rows.troubles, **troubles}
        self.refuse_or_skip(
            {rows.shown[i]: unreadable[i] for i in sorted(unreadable)},
            f"{len(unreadable)} of the {self.wording.images} cannot be read",
            "Repair or remove them",
        )
        return set(unreadable)

    def _contradictory(self, copies: Sequence[Group], rows: FileRows) -> set[int]:
        """Refuse images of two classes, or skip and return them."""
        labels: list[int] = rows.labels.tolist()
        groups = contradictions(copies, labels)
        lines = {}
        for group in groups:
            other = next(i for i in group if labels[i] != labels[group[0]])
            lines[rows.shown[group[0]]] = f"the same image as {rows.shown[other]}"
        self.refuse_or_skip(
            lines,
            f"{len(groups)} of the {self.wording.images} {self.wording.in_two_classes}, "
            f"equal in every pixel at {self.image_size} x {self.image_size}",
            "Keep each in one class and remove the duplicates",
        )
        return {i for group in groups for i in group}

    def refuse_or_skip(self, troubles: Mapping[str, str], what: str, remedy: str) -> None:
        """Refuse files, or warn that they are skipped.

        Args:
            troubles: What is wrong with each, by its name in messages.
            what: The beginning of the message, such as "2 of the images below photos cannot be read".
            remedy: How to do without skipping them.

        Raises:
            DataError: If ``on_error`` is "refuse" and there are any.
        """
        if not troubles:
            return
        lines = [f"{file}: {trouble}" for file, trouble in troubles.items()]
        if self.on_error == "skip":
            _logger.warning("%s, and are skipped:\n%s", what, "\n".join(f"  - {x}" for x in lines))
            return
        listed = [f"  - {line}" for line in shortened(lines, _NAMED)]
        remedy += ", or leave them out with dataset.on_error=skip"
        raise DataError("\n".join([f"{what}:", *listed, remedy]))


def _check_arguments(
    image_size: int | str, channels: int, test_fraction: float | None, on_error: str
) -> None:
    if type(image_size) is not int or image_size < 1:
        raise UsageError(
            f"dataset.image_size={image_size} is not valid; use a whole number of pixels, or auto"
        )
    if type(channels) is not int or channels not in _CHANNELS:
        raise UsageError(f"dataset.channels={channels} is not valid; use 3 (RGB) or 1 (gray)")
    if test_fraction is not None and not 0 <= test_fraction < 1:
        raise UsageError(
            f"dataset.test_fraction={test_fraction} is not valid; use a fraction from 0 to less than 1"
        )
    if on_error not in _ON_ERROR:
        raise UsageError(f"dataset.on_error={on_error} is unknown; use {' or '.join(_ON_ERROR)}")
