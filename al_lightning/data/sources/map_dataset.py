"""Any map-style PyTorch data set as a source."""

import logging
import operator
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import DataLoader, Dataset, IterableDataset

from al_lightning.data.pixels.decode import to_bytes
from al_lightning.data.pixels.duplicates import equal_images, image_digests, leaks
from al_lightning.data.source import ImageData, Images, is_doubtful, require_unit_range
from al_lightning.data.sources.base_source import BaseSource
from al_lightning.utils.errors import DataError
from al_lightning.utils.listing import shortened

_logger = logging.getLogger(__name__)

_GRAY_MODES = ("1", "L", "LA", "I", "F")
_FLAT, _CUBE = 2, 3  # the dimensions of an image without and with channels
_MOST_LABELS = 2**31  # beyond it, a label is no number of a class
_NAMED = 5  # how many ids or numbers a message names


class DatasetSource(BaseSource):
    """Any map-style data sets of (image, label) pairs, read once into memory.

    An image is a PIL image; a uint8 tensor (C, H, W) or (H, W), 0 to 255; a float tensor of these
    shapes in [0, 1]; or a uint8 array (H, W) or (H, W, C). All images of both data sets have one
    shape and one type; a probable other order of the axes is refused. A label is an integer or a
    tensor of one, from 0. Every image is read once, so the data sets must not augment: random
    transforms would be frozen. A warning names images that are in both data sets.

    >>> import torch
    >>> from torch.utils.data import TensorDataset
    >>> from al_lightning import DatasetSource
    >>> train, test = (TensorDataset(torch.rand(6, 1, 8, 8), torch.arange(6) % 2) for _ in "12")
    >>> DatasetSource(train, test, classes=("cat", "dog")).load().train.labels
    tensor([0, 1, 0, 1, 0, 1])

    Args:
        train: The images of the pool.
        test: The test images; None for no test images.
        classes: The names of the classes, by label, or the label of each name, such as torchvision's
            ``class_to_idx``; None takes ``train.class_to_idx`` or ``train.classes`` where there is such
            a thing (torchvision's data sets have both), else numbers them.
        horizontal_flip: Whether a mirrored image keeps its class.
        imbalance: "exponential" or "step" makes the training classes imbalanced.
        imbalance_ratio: The size of the most common training class over that of the rarest.
    """

    def __init__(
        self,
        train: Dataset[Any],
        test: Dataset[Any] | None = None,
        classes: Sequence[str] | Mapping[str, int] | None = None,
        *,
        horizontal_flip: bool = False,
        imbalance: str | None = None,
        imbalance_ratio: float = 50.0,
    ) -> None:
        super().__init__(
            horizontal_flip=horizontal_flip, imbalance=imbalance, imbalance_ratio=imbalance_ratio
        )
        self.train = train
        self.test = test
        self.classes = classes

    def read(self) -> ImageData:
        """Read every image of both data sets once.

        Raises:
            DataError: If a data set has no length, an item of it cannot be read, an image or a label is
                none of the above, or an image differs from the first in shape or type; names the
                index. If the classes are no names by label, or are others for the two data sets.
        """
        classes = self._class_names()
        train = _read(self.train, "train")
        test = _no_images(train) if self.test is None else _read(self.test, "test")
        _warn_of_leaks(train, test)
        return ImageData(train, test, classes or _numbered(train, test))

    def _class_names(self) -> tuple[str, ...] | None:
        """Return the names that were given, or that the data sets have; None where there are none."""
        if self.classes is not None:
            return _by_label(self.classes, "classes")
        train, test = _names_of(self.train, "train"), _names_of(self.test, "test")
        if train is not None and test is not None and train != test:
            raise DataError(
                "A label means one class in train and another one in test: train.classes are "
                f"{', '.join(shortened(train, _NAMED))}, "
                f"test.classes {', '.join(shortened(test, _NAMED))}. Give both the same classes, in "
                "one order"
            )
        return train


def _no_images(like: Images) -> Images:
    return Images(like.pixels[:0], like.labels[:0])


def _names_of(dataset: object, part: str) -> tuple[str, ...] | None:
    """Return what a data set calls its classes; the labels are those of its ``class_to_idx``."""
    names, labels = getattr(dataset, "classes", None), getattr(dataset, "class_to_idx", None)
    listed = {*map(str, names)} if isinstance(names, Sequence | np.ndarray) else names
    if isinstance(labels, Mapping) and listed in (None, {*map(str, labels)}):
        return _by_label(labels, f"{part}.class_to_idx")
    return None if names is None else _by_label(names, f"{part}.classes")


def _by_label(classes: object, what: str) -> tuple[str, ...]:
    """Return names of classes by label."""
    if isinstance(classes, Mapping):
        named = {label: name for name, label in classes.items() if type(label) is int}
        named = named or {key: name for key, name in classes.items() if type(key) is int}
        if len(named) != len(classes) or sorted(named) != list(range(len(named))):
            raise DataError(
                f"{what} must give each name one label, from 0 to {len(classes) - 1}, "
                f"not {dict(classes)!r:.200}"
            )
        return tuple(str(named[label]) for label in range(len(named)))
    if isinstance(classes, str) or not isinstance(classes, Sequence | np.ndarray):
        raise DataError(
            f"{what} must be a list of names, by label, or the label of each name, not {classes!r:.200}"
        )
    return tuple(map(str, classes))


def _numbered(train: Images, test: Images) -> tuple[str, ...]:
    """Return a number for each class that there is."""
    labels = torch.cat([train.labels, test.labels])
    count = 1 + int(labels.max())
    if count > len(labels):
        part, images = ("train", train) if count == 1 + train.labels.max() else ("test", test)
        raise DataError(
            f"{part}[{int(images.labels.argmax())}] has the label {count - 1}, where there are "
            f"{len(labels)} images. Labels number the classes from 0, without gaps"
        )
    absent = (labels.bincount(minlength=count) == 0).nonzero().flatten().tolist()
    if absent:
        _logger.warning(
            "There are labels from 0 to %d, but no image has %s: these are classes without images. "
            "Number the classes without gaps, or name all of them by `classes`",
            count - 1,
            ", ".join(shortened(absent, _NAMED)),
        )
    return tuple(map(str, range(count)))


def _warn_of_leaks(train: Images, test: Images) -> None:
    """Warn of images that are learnt from and tested on."""
    if len(test) == 0 or train.pixels.shape[1:] != test.pixels.shape[1:]:
        return  # which is refused
    digests = torch.cat([image_digests(part.pixels[:]) for part in (train, test)])
    is_test = [False] * len(train) + [True] * len(test)
    found = leaks(equal_images(digests, range(len(digests))), is_test)
    if not found:
        return
    ids = sorted(i - len(train) for group in found for i in group if is_test[i])
    _logger.warning(
        "%d of the %d images of test are in train too, equal in every pixel, which makes the test "
        "accuracy too high: test[i] with i = %s. Remove them from one of the data sets",
        len(ids),
        len(test),
        ", ".join(shortened(ids, _NAMED)),
    )


def _read(dataset: Dataset[Any], name: str) -> Images:
    """Read a data set into memory, in place: there is never a second copy of it."""
    count = _length(dataset, name)
    pixels, labels = torch.empty(0), torch.empty(count, dtype=torch.int64)
    for index in range(count):
        where = f"{name}[{index}]"
        image, labels[index] = _pair(_item(dataset, index, where), where)
        if index == 0:
            pixels = torch.empty((count, *image.shape), dtype=image.dtype)
        if image.shape != pixels.shape[1:] or image.dtype != pixels.dtype:
            raise DataError(
                f"All images need one shape and type: {where} is {_kind(image)}, "
                f"{name}[0] is {_kind(pixels[0])}. Resize or crop them in the data set's transform"
            )
        pixels[index] = image
    return Images(pixels, labels)


def _length(dataset: Dataset[Any], name: str) -> int:
    """Return the length of a data set that has one, and items by index, and is not empty."""
    lacks = "no items by index" if isinstance(dataset, IterableDataset | DataLoader) else None
    try:
        count = len(cast(Sequence[object], dataset))
    except TypeError:
        lacks, count = "no length", 0
    if lacks:
        raise DataError(
            f"{name} must be a map-style data set, with a length and items by index; "
            f"{type(dataset).__name__} has {lacks}. Read it into a list of (image, label) first"
        )
    if count == 0:
        raise DataError(f"{name} has no images; expected a data set of (image, label) pairs")
    return count


def _item(dataset: Dataset[Any], index: int, where: str) -> object:
    """Return the item of a data set at an index."""
    try:
        return cast(object, dataset[index])
    except Exception as error:  # whatever the data set raises
        raise DataError(f"{where} cannot be read: {type(error).__name__}: {error}") from error


def _kind(image: Tensor) -> str:
    return f"{'x'.join(map(str, image.shape))} {str(image.dtype).removeprefix('torch.')}"


def _pair(sample: object, where: str) -> tuple[Tensor, int]:
    """Split a sample into an image (C, H, W) and a label."""
    try:
        image, label = cast(tuple[object, object], sample)
    except (TypeError, ValueError) as error:
        raise DataError(
            f"{where} must be an (image, label) pair, not {type(sample).__name__}"
        ) from error
    pixels = _image(image, where)
    if is_doubtful(*pixels.shape):
        raise DataError(_doubt(image, where))
    try:
        number = operator.index(cast(int, label))
    except TypeError as error:
        raise DataError(
            f"The label of {where} must be an integer, not {label!r} ({type(label).__name__})"
        ) from error
    if not 0 <= number < _MOST_LABELS:
        raise DataError(
            f"{where} has the label {number}: labels number the classes, from 0. Leave out images "
            "whose class is not known"
        )
    return pixels, number


def _doubt(image: object, where: str) -> str:
    """Return why an image has a wrong shape, and the remedy."""
    array = isinstance(image, np.ndarray)
    kind, order, remedy = (
        ("an array", "(H, W, C)", "image.transpose(1, 2, 0)")
        if array
        else ("a tensor", "(C, H, W)", "image.permute(2, 0, 1)")
    )
    shape = tuple(getattr(image, "shape", ()))
    channels = shape[-1 if array else 0]
    return (
        f"The image of {where} is {kind} {shape}, and {kind} is read as {order}: that would be "
        f"{channels} channels. Return {remedy}"
    )


def _image(image: object, where: str) -> Tensor:
    """Bring an image to (C, H, W) uint8 or float32."""
    match image:
        case Image.Image():
            return _from_pil(image, where)
        case np.ndarray() if image.dtype == np.uint8 and image.ndim in (_FLAT, _CUBE):
            return torch.from_numpy(np.atleast_3d(image).copy()).permute(2, 0, 1)
        case Tensor() if image.ndim in (_FLAT, _CUBE) and image.dtype == torch.uint8:
            return image if image.ndim == _CUBE else image.unsqueeze(0)
        case Tensor() if image.ndim in (_FLAT, _CUBE) and image.is_floating_point():
            require_unit_range(image, f"The float image of {where}")
            return (image if image.ndim == _CUBE else image.unsqueeze(0)).to(torch.float32)
    dtype, shape = getattr(image, "dtype", ""), getattr(image, "shape", "")
    came = " ".join(str(part) for part in (type(image).__name__, dtype, shape and tuple(shape)))
    raise DataError(
        f"The image of {where} must be a PIL image, a uint8 or float tensor (C, H, W) or (H, W), "
        f"or a uint8 array (H, W) or (H, W, C), not {came.strip()}"
    )


def _from_pil(image: Image.Image, where: str) -> Tensor:
    gray = image.mode in _GRAY_MODES or image.mode.startswith("I;16")
    try:
        return to_bytes(image, 1 if gray else 3)
    except (OSError, ValueError, DataError) as error:
        raise DataError(
            f"The image of {where} ({image.mode}) cannot be read: {error}. Convert it in the data "
            "set: to bytes, or to floats in [0, 1]"
        ) from error
