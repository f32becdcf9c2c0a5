"""A person's own images, one folder a class, and those without a label yet."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch

from al_lightning.data.folder.copies import leave_out_copies, warn_of_leaks
from al_lightning.data.folder.depth import check_value_range, refuse_unknown_range
from al_lightning.data.folder.duplicates import Group, contradictions, equal_images
from al_lightning.data.folder.folder_classes import check_names, decide_classes
from al_lightning.data.folder.folder_files import FolderFiles, find_images
from al_lightning.data.folder.folder_rows import FolderRows, require_images, split_test
from al_lightning.data.pixels.decode import DEEP
from al_lightning.data.pixels.storage import ImageStorage
from al_lightning.data.source import ImageData, Images
from al_lightning.data.sources.base_source import BaseSource
from al_lightning.utils.errors import DataError, UsageError
from al_lightning.utils.listing import shortened
from al_lightning.utils.names import file_trouble, readable_name

AUTO_SIZE = 64  #: pixels, where no network says what it takes
_TEST_FRACTION = 0.2  # where all images are labeled
_NAMED = 10  # how many files an error names
_CHANNELS = (1, 3)
_ON_ERROR = ("refuse", "skip")

_logger = logging.getLogger(__name__)


class ImageFolder(BaseSource):
    """Your own images: ``train/<class>/*`` and ``test/<class>/*`` below a folder.

    Without ``test/``, a fixed, stratified part of the training images is split off; without ``train/``,
    the folders of classes may be directly in the folder. ``train``, ``test`` and ``unlabeled`` are
    reserved and cannot be classes. Classes and files are sorted by name; hidden files and files without
    the ending of an image are left out.

    Images without a label go into ``unlabeled/``, at any depth. They follow the labeled images in the
    training set, sorted by path, without a label; a person labels the queried images
    (``oracle=csv``). The existing labels are the initial labels. Then a class may have no images yet,
    if another part of the folder or ``classes`` names it, and no test images are split off: the labeled
    images may have been chosen because they are hard, and are no random sample.
    Images are identified by position, so none may be added, moved or removed during a run; new labels
    are in the run's journal.

    Images may have any size and any mode that PIL reads, and are recognised by their content, not by
    their ending; see :data:`al_lightning.data.pixels.image_files.FORMATS`. An animated image
    contributes its first frame, EXIF orientation is applied, transparent pixels become white. The
    shorter side is resized (bicubic, antialiased), then the centre is cropped.

    Duplicates, equal in every decoded pixel, share one label: the first is a training image, and the
    others are left out. A warning names duplicates that are also in ``test/``, because they make the
    test accuracy too high. An image in the folders of two classes is an error.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> from al_lightning.data import ImageFolder
    >>> with TemporaryDirectory() as folder:
    ...     for name, gray in (("cat", 10), ("cat", 20), ("dog", 30), ("dog", 40)):
    ...         path = Path(folder, name, f"{gray}.png")
    ...         path.parent.mkdir(exist_ok=True)
    ...         Image.new("L", (12, 9), gray).save(path)
    ...     data = ImageFolder(folder, image_size=8, test_fraction=0.5, storage="memory").load()
    >>> data.classes, len(data.train), len(data.test), data.image_shape
    (('cat', 'dog'), 2, 2, (3, 8, 8))

    Args:
        path: The folder.
        image_size: Height and width of the images, in pixels. "auto" is 64; on the command line, the
            size of the network, if it has one.
        channels: 3 (RGB) or 1 (gray).
        classes: The names of all classes, in the order of their labels; None uses the names of the
            folders. Required if all images are unlabeled.
        test_fraction: Share of test images if there is no ``test/``, in (0, 1). None is 0.2, or 0 with
            unlabeled images.
        value_range: The values of black and white in images of more than 8 bits per pixel, one range
            for the whole folder; other values are clipped. None refuses such images, and reports their
            values.
        on_error: Action on unreadable files, and on images in the folders of two classes: "refuse"
            raises an error that names them, "skip" leaves them out with a warning that lists them.
        storage: Storage of the decoded images: "memory"; "disk", decoded once for all runs and
            memory-mapped; "stream", decoded at every access; or "auto", see
            :class:`al_lightning.data.pixels.storage.ImageStorage`. No result depends on it.
        cache_dir: Folder of the images on disk; None for no cache.
        workers: Number of decoding processes; None for one per core.
        horizontal_flip: Whether a mirrored image keeps its class.
        imbalance: "exponential" or "step" makes the training classes imbalanced; not possible with
            unlabeled images.
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
        self.path = Path(path).expanduser()
        self.image_size = int(image_size)
        self.channels = channels
        self.classes = None if classes is None else check_names(classes)
        self.test_fraction = test_fraction
        self.value_range = check_value_range(value_range)
        self.on_error = on_error
        self.storage = ImageStorage(storage, cache_dir, workers)

    def read(self) -> ImageData:
        """Find and decode all images.

        Raises:
            UsageError: If ``test_fraction`` or ``imbalance`` cannot be with what is in the folder, or
                images of more than 8 bits a pixel need a ``value_range``.
            DataError: If the folder is missing or otherwise arranged, a class has no image, the
                classes of training and test images differ, files cannot be read, or a picture has
                two classes; names them.
        """
        try:
            found = find_images(self.path, self.classes or ())
        except OSError as error:
            raise DataError(f"{self.path} cannot be read: {error}. Check permissions") from error
        classes = decide_classes(self.path, found, self.classes)
        fraction = self._test_fraction(found)
        self.check_imbalance_of(known=found.unlabeled is None)
        rows = FolderRows.of(found, classes)

        shape = (self.channels, self.image_size, self.image_size)
        decoded = self.storage.decode(self.path, rows.paths, shape, self.value_range)
        if deep := [rows.paths[i] for i, why in sorted(decoded.troubles.items()) if why == DEEP]:
            raise refuse_unknown_range(self.path, deep, len(rows.paths))
        files = tuple(path.relative_to(self.path) for path in rows.paths)
        names = tuple(readable_name(file) for file in files)
        left_out = self._unreadable(files, names, decoded.troubles)
        usable_files = (i for i in range(len(files)) if i not in left_out)
        copies = equal_images(decoded.digests, usable_files)
        left_out |= self._contradictory(copies, rows, names)
        usable = torch.tensor([i not in left_out for i in range(len(files))])
        require_images(found, rows, usable, classes)
        copied = leave_out_copies(self.path, copies, left_out, rows, names)
        usable[copied] = False

        is_test = (
            rows.is_test if found.test is not None else split_test(rows, usable, fraction, classes)
        )
        warn_of_leaks(self.path, copies, {*left_out, *copied}, is_test, names)
        images = Images(decoded.pixels, rows.labels, names, decoded.digests)
        train, test = (
            images.rows((usable & part).nonzero().flatten()) for part in (~is_test, is_test)
        )
        return ImageData(train, test, classes, folder=self.path)

    def _test_fraction(self, found: FolderFiles) -> float:
        """Return which part of the labeled images is split off where there is no folder test."""
        if self.test_fraction is None:
            return _TEST_FRACTION if found.unlabeled is None else 0.0
        if found.test is None and found.unlabeled is None and self.test_fraction == 0:
            raise UsageError(
                f"dataset.test_fraction=0 leaves no test images in {self.path}, where all images "
                "are labeled: use a fraction above 0, or add a folder test; only with a folder "
                "unlabeled, a run needs no test images"
            )
        if found.test is None and found.unlabeled is not None and self.test_fraction > 0:
            raise UsageError(
                f"dataset.test_fraction={self.test_fraction} would test on labels that are no random "
                f"sample: {self.path} has unlabeled images, and the labeled ones may have been chosen "
                "because they are hard. Use budget.validation=50, which queries images drawn at "
                "random from all; or put a random labeled sample into the folder test"
            )
        return self.test_fraction

    def _unreadable(
        self, files: Sequence[Path], names: Sequence[str], troubles: Mapping[int, str]
    ) -> set[int]:
        """Refuse unreadable files, or warn that they are skipped, and return them."""
        unreadable = {
            i: trouble
            for i, file in enumerate(files)
            if (trouble := troubles.get(i) or file_trouble(file)) is not None
        }
        self._refuse_or_skip(
            {names[i]: trouble for i, trouble in unreadable.items()},
            f"{len(unreadable)} of the images below {self.path} cannot be read",
            "Repair or remove them",
        )
        return set(unreadable)

    def _contradictory(
        self, copies: Sequence[Group], rows: FolderRows, names: Sequence[str]
    ) -> set[int]:
        """Refuse images in the folders of two classes, or skip and return them."""
        labels: list[int] = rows.labels.tolist()
        groups = contradictions(copies, labels)
        lines = {}
        for group in groups:
            other = next(i for i in group if labels[i] != labels[group[0]])
            lines[names[group[0]]] = f"the same image as {names[other]}"
        self._refuse_or_skip(
            lines,
            f"{len(groups)} of the images below {self.path} are in folders of different classes, "
            f"equal in every pixel at {self.image_size} x {self.image_size}",
            "Keep each in one class and remove the duplicates",
        )
        return {i for group in groups for i in group}

    def _refuse_or_skip(self, troubles: Mapping[str, str], what: str, remedy: str) -> None:
        """Refuse files, or warn that they are skipped."""
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
    if channels not in _CHANNELS:
        raise UsageError(f"dataset.channels={channels} is not valid; use 3 (RGB) or 1 (gray)")
    if test_fraction is not None and not 0 <= test_fraction < 1:
        raise UsageError(
            f"dataset.test_fraction={test_fraction} is not valid; use a fraction from 0 to less than 1"
        )
    if on_error not in _ON_ERROR:
        raise UsageError(f"dataset.on_error={on_error} is unknown; use {' or '.join(_ON_ERROR)}")
