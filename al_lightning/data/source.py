"""Data sets: images, their classes and their labels."""

import hashlib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import torch
from torch import Tensor

from al_lightning.data.pixels.stored import Pixels, PixelStore, pixel_rows
from al_lightning.utils.checks import require_kind
from al_lightning.utils.errors import DataError, UsageError
from al_lightning.utils.names import check_class_names

if TYPE_CHECKING:
    from al_lightning.data.project.known_project import ImageUpdate

UNKNOWN = -1  #: stands where the class of an image is not known

_USUAL = (1, 3)  # channels: gray, RGB
_FEWEST_CLASSES = 2


def is_doubtful(channels: int, height: int, width: int) -> bool:
    """Return whether a shape (C, H, W) is likely another order of axes, such as (H, W, C).

    Images of many channels are believed where they are square, or larger than their number.
    """
    return channels not in _USUAL and height != width and channels > min(height, width)


def require_unit_range(pixels: Tensor, what: str) -> None:
    """Check that float pixels are in [0, 1]; bytes need no look.

    Raises:
        DataError: If they are not, or not finite; says what they are of.
    """
    if not pixels.is_floating_point() or pixels.numel() == 0:
        return
    low, high = map(float, pixels.aminmax())
    if not (low >= 0 and high <= 1):  # neither holds for NaN
        raise DataError(
            f"{what} must have pixels in [0, 1], not from {low:.4g} to {high:.4g}. Do not normalise "
            "them, that is done later; where they go up to 255, take images.to(torch.uint8) or "
            "images / 255"
        )


@dataclass(frozen=True)
class Images:
    """Labeled images, row for row.

    >>> import torch
    >>> from al_lightning import Images
    >>> images = Images(torch.zeros(2, 3, 8, 8, dtype=torch.uint8), torch.tensor([1, 0]))
    >>> images.rows(torch.tensor([1])).labels
    tensor([0])

    Attributes:
        pixels: (N, C, H, W) uint8, 0 to 255; or float32 in [0, 1] if the source has no bytes. A
            tensor, or a store that reads images when it is indexed.
        labels: (N,) int64, 0 to number of classes - 1; -1 for an unknown class.
        files: The file of each image, relative to the folder of the data set, or its address; None
            without files.
        digests: (N, 16) uint8, a digest of each image, if the source has computed them; the fingerprint
            of the data set then does not need all pixels.
        groups: (N,) int64, the group of each image, such as a patient or a video: images of one group
            are never divided between training, validation and test. None if each is its own.
    """

    pixels: Pixels
    labels: Tensor
    files: tuple[str, ...] | None = None
    digests: Tensor | None = None
    groups: Tensor | None = None

    def __post_init__(self) -> None:
        """Check shapes and types."""
        if len(self.pixels.shape) != 4 or self.pixels.dtype not in (torch.uint8, torch.float32):  # noqa: PLR2004
            raise DataError(
                "Images must be (N, C, H, W) uint8 or float32, "
                f"not {tuple(self.pixels.shape)} {self.pixels.dtype}"
            )
        if is_doubtful(*self.pixels.shape[1:]):
            raise DataError(
                f"Images are (N, C, H, W), and {tuple(self.pixels.shape)} would be "
                f"{self.pixels.shape[1]} channels. Where it is (N, H, W, C), take "
                "pixels.permute(0, 3, 1, 2)"
            )
        if self.labels.shape != (len(self.pixels),) or self.labels.dtype != torch.int64:
            raise DataError(
                f"{len(self.pixels)} images need as many int64 labels, "
                f"not {tuple(self.labels.shape)} {self.labels.dtype}"
            )
        if self.files is not None and len(self.files) != len(self.pixels):
            raise DataError(f"{len(self.pixels)} images, but {len(self.files)} file names")
        if self.groups is not None and self.groups.shape != self.labels.shape:
            raise DataError(f"{len(self.pixels)} images, but {len(self.groups)} groups")

    def __len__(self) -> int:
        return len(self.pixels)

    def rows(self, ids: Tensor) -> "Images":
        """Return the images at these positions, (M,) int64."""
        files = None if self.files is None else tuple(self.files[i] for i in ids.tolist())
        digests = None if self.digests is None else self.digests[ids]
        groups = None if self.groups is None else self.groups[ids]
        return Images(pixel_rows(self.pixels, ids), self.labels[ids], files, digests, groups)

    def content(self) -> Tensor:
        """Return the pixels, or what stands for them: their digests."""
        if self.digests is not None:
            return self.digests
        return self.pixels[:] if isinstance(self.pixels, PixelStore) else self.pixels

    def fingerprinted(self) -> tuple[Tensor, ...]:
        """Return the tensors that a fingerprint covers: pixels or their digests, labels, and groups."""
        return (self.content(), self.labels, *([] if self.groups is None else [self.groups]))


@dataclass(frozen=True)
class Normalization:
    """The mean and standard deviation of each channel, of pixels scaled to [0, 1].

    >>> from al_lightning.data import Normalization
    >>> Normalization(mean=(0.5,), std=(0.25,)).std
    (0.25,)
    """

    mean: tuple[float, ...]
    std: tuple[float, ...]


@dataclass(frozen=True)
class ImageData:
    """A data set: images to learn from, images to test on.

    >>> import torch
    >>> from al_lightning import ImageData, Images
    >>> images = Images(torch.zeros(2, 3, 8, 8, dtype=torch.uint8), torch.tensor([1, 0]))
    >>> ImageData(train=images, test=images, classes=("cat", "dog")).image_shape
    (3, 8, 8)

    Attributes:
        train: The images of the pool; an image's position is its dataset id. Their labels are hidden:
            only an oracle may read them.
        test: The test images, never used for selection; may be empty, then there are no test metrics.
        classes: The names of the classes, by label.
        normalization: Published constants; None computes them from the labeled images.
        folder: Folder that relative names of files start from, to show the originals to a person; None
            without files. No result depends on it.
        value_range: Black and white of files of more than 8 bits a pixel, to show these; None where
            there are none.
        earlier_files: Names that files of a project had before, by the ids of training images.
        aliases: What classes of a project are called now, by names that they had before.
        origin: The fingerprint of the data set before its classes were changed; None to compute it.
        update: What has become of the images of a project since it was last started; None if they
            cannot change.
    """

    train: Images
    test: Images
    classes: tuple[str, ...]
    normalization: Normalization | None = None
    folder: Path | None = None
    value_range: tuple[float, float] | None = None
    earlier_files: Mapping[int, Collection[str]] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    origin: str | None = None
    update: "ImageUpdate | None" = None

    def __post_init__(self) -> None:
        """Check pixels and labels, that train and test fit together, and the names of classes."""
        check_class_names(self.classes)
        if self.train.pixels.shape[1:] != self.test.pixels.shape[1:]:
            raise DataError(
                "Training and test images differ in shape: "
                f"{self.image_shape} and {tuple(self.test.pixels.shape[1:])}"
            )
        if len(self.train) == 0:
            raise DataError("The training set has no images")
        if len(self.classes) < _FEWEST_CLASSES:
            raise DataError(
                f"There must be at least {_FEWEST_CLASSES} classes, not {list(self.classes)}"
            )
        for name, images, least in (("training", self.train, UNKNOWN), ("test", self.test, 0)):
            if isinstance(images.pixels, Tensor):  # files have bytes
                require_unit_range(images.pixels, f"The float images of the {name} set")
            labels = images.labels
            if bool(((labels < least) | (labels >= len(self.classes))).any()):
                raise DataError(
                    f"The {name} set has labels from {int(labels.min())} to {int(labels.max())}, "
                    f"but there are {len(self.classes)} classes"
                )

    @property
    def image_shape(self) -> tuple[int, int, int]:
        """Channels, height, width."""
        channels, height, width = self.train.pixels.shape[1:]
        return channels, height, width

    @property
    def given_ids(self) -> Tensor:
        """The images with labels, if others have none, (M,) int64.

        Empty if all labels are known: then they are hidden, and an oracle reveals them.
        """
        known = self.train.labels != UNKNOWN
        if bool(known.all()):
            return torch.empty(0, dtype=torch.int64)
        return known.nonzero().squeeze(1)

    @property
    def absent(self) -> frozenset[int]:
        """The images of a project that have no file today; others' pixels stand in their place."""
        return frozenset() if self.update is None else frozenset(self.update.absent)

    def file_names(self, image: int) -> list[str]:
        """Return what the file of a training image is called, and was called before; "" without one."""
        now = "" if self.train.files is None else self.train.files[image]
        return [now, *self.earlier_files.get(image, ())]

    def pixel_fingerprint(self) -> str:
        """Return a digest of all pixels, whatever their labels."""
        return _digest("", (self.train.content(), self.test.content()))

    def fingerprint(self) -> str:
        """Return a digest of all pixels, labels and class names; equal data, equal digest.

        Wherever the pixels are, it is the same.
        """
        if self.origin is not None:
            return self.origin
        tensors = (*self.train.fingerprinted(), *self.test.fingerprinted())
        return _digest(repr(self.classes), tensors)


def _digest(text: str, tensors: Iterable[Tensor]) -> str:
    digest = hashlib.sha256(text.encode())
    for tensor in tensors:
        digest.update(repr((tuple(tensor.shape), tensor.dtype)).encode())
        digest.update(tensor.contiguous().numpy().data)
    return digest.hexdigest()[:16]


class ImageSource(Protocol):
    """Where a data set comes from. Constructing one is cheap; reading happens in :meth:`load`.

    >>> import torch
    >>> from al_lightning import ImageData, Images
    >>> class Noise:
    ...     def load(self):
    ...         images = Images(torch.rand(10, 1, 8, 8), torch.arange(10) % 2)
    ...         return ImageData(images, images, classes=("a", "b"))
    >>> len(Noise().load().train)
    10
    """

    def load(self) -> ImageData:
        """Read, check and return the data.

        Raises:
            DataError: If the data is missing, damaged or unexpected; names the file and what to do.
        """
        ...


def require_source(source: object) -> None:
    """Check that an object is an :class:`ImageSource`.

    Raises:
        UsageError: If it is something else, such as a data set of torch.
    """
    if isinstance(source, type) or not hasattr(source, "load"):
        raise UsageError(
            "source must be a data set with `load`, such as DatasetSource(train, test) of two data "
            f"sets of torch, not {source!r:.50}"
        )


def load_data(source: ImageSource) -> ImageData:
    """Read the data of a source.

    Raises:
        UsageError: If the source returns something else than :class:`ImageData`; names it.
    """
    data = source.load()
    require_kind(f"What {type(source).__name__} loads", data, ImageData)
    return data
