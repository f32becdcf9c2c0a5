"""A person's own images, one folder a class."""

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from al_lightning.data.base import BaseSource
from al_lightning.data.decode import ENDINGS, read_image
from al_lightning.data.source import ImageData, Images
from al_lightning.data.split import stratified_split
from al_lightning.errors import DataError, UsageError

_NAMED = 10  # how many unreadable files an error names
_FEWEST_CLASSES = 2
_CHANNELS = (1, 3)
_ON_ERROR = ("refuse", "skip")

_EXPECTED = (
    "expected one folder a class, with the class's images directly in it: "
    "train/<class>/* and test/<class>/*; or train/<class>/* or <class>/* alone, "
    "and the test images are split off"
)

_logger = logging.getLogger(__name__)


class ImageFolder(BaseSource):
    """A person's own images: ``train/<class>/*`` and ``test/<class>/*`` below a folder.

    Where there is no ``test/``, a fixed, stratified part of the training images is split off; where
    there is no ``train/`` either, the classes may lie directly in the folder. Classes and files are
    sorted by name; hidden files and files that are no images by their ending are left out.

    Images may have any size and any mode that PIL reads. Of an animated image the first frame
    counts, EXIF orientation is followed, what is transparent becomes white. The shorter side is
    resized (bicubic, antialiased), then the centre is cropped.

    Args:
        path: The folder.
        image_size: Height and width of the images, in pixels.
        channels: 3 (RGB) or 1 (gray).
        test_fraction: The part of the images to test on where there is no ``test/``, in (0, 1).
        on_error: What to do with files that cannot be read: "refuse" to go on, naming them, or
            "skip" them with a warning that lists them.
        horizontal_flip: Whether a mirrored image keeps its class.
        imbalance: "exponential" or "step" makes the training classes imbalanced.
        imbalance_ratio: The size of the most common training class over that of the rarest.

    Raises:
        UsageError: If an argument cannot be; names the configuration's key.
    """

    def __init__(
        self,
        path: str,
        *,
        image_size: int = 64,
        channels: int = 3,
        test_fraction: float = 0.2,
        on_error: str = "refuse",
        horizontal_flip: bool = False,
        imbalance: str | None = None,
        imbalance_ratio: float = 50.0,
    ) -> None:
        super().__init__(
            horizontal_flip=horizontal_flip, imbalance=imbalance, imbalance_ratio=imbalance_ratio
        )
        _check_arguments(image_size, channels, test_fraction, on_error)
        self.path = Path(path).expanduser()
        self.image_size = image_size
        self.channels = channels
        self.test_fraction = test_fraction
        self.on_error = on_error

    def read(self) -> ImageData:
        """Find and decode all images.

        Raises:
            DataError: If the folder is missing or otherwise arranged, a class has no image, the
                classes of training and test images differ, or files cannot be read; names them.
        """
        try:
            found = _find(self.path)
        except OSError as error:
            raise DataError(f"{self.path} cannot be read: {error}. Check permissions") from error
        images, readable = self._decode(found)
        if found.has_test:
            _check_all_left(found, readable)
            train, test = (readable[found.is_test[readable] == part] for part in (False, True))
        else:
            test_count = max(1, round(len(readable) * self.test_fraction))
            labels = images.labels[readable]
            train, test = stratified_split(labels, test_count, found.classes)
            train, test = readable[train], readable[test]
        return ImageData(images.rows(train), images.rows(test), found.classes)

    def _decode(self, found: "_Found") -> tuple[Images, Tensor]:
        """Return all images, and the positions of those that could be read."""
        shape = (self.channels, self.image_size, self.image_size)
        pixels = torch.zeros((len(found.paths), *shape), dtype=torch.uint8)
        with ThreadPoolExecutor() as threads:  # PIL lets go of the interpreter while it decodes
            troubles = list(threads.map(self._read_into, pixels, found.paths))
        files = tuple(path.relative_to(self.path).as_posix() for path in found.paths)
        unreadable = {
            file: trouble for file, trouble in zip(files, troubles, strict=True) if trouble
        }
        if unreadable:
            self._report(unreadable)
        readable = [index for index, trouble in enumerate(troubles) if not trouble]
        return Images(pixels, found.labels, files), torch.tensor(readable, dtype=torch.int64)

    def _read_into(self, row: Tensor, path: Path) -> str:
        """Decode a file into a row of the pixels; return what went wrong, "" if nothing."""
        try:
            row.copy_(read_image(path, (self.channels, self.image_size, self.image_size)))
        except DataError as error:
            return str(error)
        return ""

    def _report(self, unreadable: Mapping[str, str]) -> None:
        """Refuse unreadable files, or warn that they are skipped."""
        lines = [f"  - {file}: {trouble}" for file, trouble in unreadable.items()]
        what = f"{len(lines)} of the images below {self.path} cannot be read"
        if self.on_error == "skip":
            _logger.warning("%s and are skipped:\n%s", what, "\n".join(lines))
            return
        if len(lines) > _NAMED:
            lines[_NAMED:] = [f"  - and {len(lines) - _NAMED} more"]
        remedy = "Repair or remove them, or leave them out with dataset.on_error=skip"
        raise DataError("\n".join([f"{what}:", *lines, remedy]))


@dataclass(frozen=True)
class _Found:
    """The files of a folder, before any is read: paths, labels (N,) and is_test (N,) agree."""

    paths: Sequence[Path]
    labels: Tensor
    is_test: Tensor
    classes: tuple[str, ...]

    @property
    def has_test(self) -> bool:
        return bool(self.is_test.any())


def _check_arguments(image_size: int, channels: int, test_fraction: float, on_error: str) -> None:
    if image_size < 1:
        raise UsageError(f"dataset.image_size={image_size} cannot be; use at least 1 pixel")
    if channels not in _CHANNELS:
        raise UsageError(f"dataset.channels={channels} cannot be; use 3 (RGB) or 1 (gray)")
    if not 0 < test_fraction < 1:
        raise UsageError(
            f"dataset.test_fraction={test_fraction} cannot be; use a fraction between 0 and 1"
        )
    if on_error not in _ON_ERROR:
        raise UsageError(f"dataset.on_error={on_error} is unknown; use {' or '.join(_ON_ERROR)}")


def _find(root: Path) -> _Found:
    """List the images of a folder that is arranged as expected."""
    parts = {part: _class_files(folder) for part, folder in _parts(root).items()}
    classes = tuple(parts["train"])
    if len(classes) < _FEWEST_CLASSES:
        named = f"only '{classes[0]}'" if classes else "none"
        raise DataError(
            f"{root} needs at least {_FEWEST_CLASSES} classes, has {named}: {_EXPECTED}"
        )
    _check_classes_agree(root, classes, tuple(parts.get("test", classes)))
    rows = [
        (path, label, part == "test")
        for part, files in parts.items()
        for label, name in enumerate(classes)
        for path in files[name]
    ]
    paths, labels, is_test = zip(*rows, strict=True)
    return _Found(paths, torch.tensor(labels), torch.tensor(is_test), classes)


def _parts(root: Path) -> dict[str, Path]:
    """Return the folders that contain the classes: train and test, or train alone."""
    if not root.is_dir():
        what = "is no folder" if root.exists() else "does not exist"
        raise DataError(f"dataset.path={root} {what}: {_EXPECTED}")
    train, test = root / "train", root / "test"
    if not train.is_dir():
        if test.is_dir():
            raise DataError(f"{root} has a folder test, but no folder train: {_EXPECTED}")
        return {"train": root}
    unused = [folder.name for folder in _visible(root) if folder.is_dir() and folder != train]
    if test.is_dir():
        unused.remove("test")
    _warn_unused(root, unused, "only train and test are read")
    return {"train": train, "test": test} if test.is_dir() else {"train": train}


def _class_files(folder: Path) -> dict[str, list[Path]]:
    """Return the images of each class, both sorted by name."""
    return {entry.name: _images(entry) for entry in _visible(folder) if entry.is_dir()}


def _images(folder: Path) -> list[Path]:
    """Return the images directly in a class's folder, of which there must be some."""
    entries = _visible(folder)
    folders = [entry.name for entry in entries if entry.is_dir()]
    images = [
        entry for entry in entries if entry.suffix.lower() in ENDINGS and entry.name not in folders
    ]
    if not images:
        inside = f" (it has the folders {', '.join(folders)})" if folders else ""
        raise DataError(
            f"The class folder {folder} has no image directly in it{inside}: add some with one of "
            f"the endings {' '.join(sorted(ENDINGS))}, or remove the folder; {_EXPECTED}"
        )
    _warn_unused(folder, folders, "only images directly in a class's folder are read")
    return images


def _visible(folder: Path) -> list[Path]:
    """Return what lies in a folder and is not hidden, sorted by name."""
    return sorted(entry for entry in folder.iterdir() if not entry.name.startswith("."))


def _warn_unused(folder: Path, names: Sequence[str], why: str) -> None:
    if names:
        _logger.warning("%s: the folders %s are left out; %s", folder, ", ".join(names), why)


def _check_classes_agree(root: Path, train: Sequence[str], test: Sequence[str]) -> None:
    """Check that training and test images have the same classes."""
    troubles = [
        f"{there} has {', '.join(more)}, which {missing} has not"
        for there, missing, more in (
            ("train", "test", sorted(set(train) - set(test))),
            ("test", "train", sorted(set(test) - set(train))),
        )
        if more
    ]
    if troubles:
        raise DataError(
            f"The classes in {root} differ: {'; '.join(troubles)}. "
            "Each class needs a folder of the same name in both"
        )


def _check_all_left(found: _Found, readable: Tensor) -> None:
    """Check that each class still has training and test images without the skipped ones."""
    for part, name in ((False, "training"), (True, "test")):
        labels = found.labels[readable[found.is_test[readable] == part]]
        for label, count in enumerate(
            torch.bincount(labels, minlength=len(found.classes)).tolist()
        ):
            if count == 0:
                raise DataError(
                    f"None of the {name} images of class '{found.classes[label]}' can be read; "
                    "repair them, or remove the class"
                )
