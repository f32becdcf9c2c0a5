"""Any map-style PyTorch data set as a source."""

import operator
from collections.abc import Sequence
from typing import Any, cast

import numpy as np
import torch
from PIL import Image
from torch import Tensor
from torch.utils.data import Dataset

from al_lightning.data.base import BaseSource
from al_lightning.data.decode import to_bytes
from al_lightning.data.source import ImageData, Images
from al_lightning.errors import DataError

_GRAY_MODES = ("1", "L", "LA", "I", "F")
_FLAT, _CUBE = 2, 3  # the dimensions of an image without and with channels


class DatasetSource(BaseSource):
    """Any map-style data sets of (image, label) pairs, read once into memory.

    An image is a PIL image; a uint8 tensor (C, H, W) or (H, W), 0 to 255; a float tensor of these
    shapes in [0, 1]; or a uint8 array (H, W) or (H, W, C). All images of both data sets have one
    shape and one type. A label is an integer or a tensor of one, from 0. As every image is read
    once, the data sets must not augment: random transforms would be frozen.

    Args:
        train: What the pool consists of.
        test: What measures.
        classes: The names of the classes, by label; None takes ``train.classes`` where there is
            such a thing (torchvision's data sets have it), else numbers them.
        horizontal_flip: Whether a mirrored image keeps its class.
        imbalance: "exponential" or "step" makes the training classes imbalanced.
        imbalance_ratio: The size of the most common training class over that of the rarest.
    """

    def __init__(
        self,
        train: Dataset[Any],
        test: Dataset[Any],
        classes: Sequence[str] | None = None,
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
            DataError: If a data set has no length, or an image or a label is none of the above or
                differs from the first in shape or type; names the index.
        """
        train, test = _read(self.train, "train"), _read(self.test, "test")
        classes = self.classes or getattr(self.train, "classes", None) or _numbered(train, test)
        return ImageData(train, test, tuple(map(str, classes)))


def _numbered(train: Images, test: Images) -> range:
    """Return as many numbers as there are classes."""
    return range(1 + max(int(train.labels.max()), int(test.labels.max())))


def _read(dataset: Dataset[Any], name: str) -> Images:
    """Read a data set into memory, in place: there is never a second copy of it."""
    count = _length(dataset, name)
    pixels, labels = torch.empty(0), torch.empty(count, dtype=torch.int64)
    for index in range(count):
        where = f"{name}[{index}]"
        image, labels[index] = _pair(dataset[index], where)
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
    """Return the length of a data set that has one and is not empty."""
    try:
        count = len(cast(Sequence[object], dataset))
    except TypeError as error:
        raise DataError(
            f"{name} must be a map-style data set, with a length and items by index; "
            f"{type(dataset).__name__} has no length. Read it into a list of (image, label) first"
        ) from error
    if count == 0:
        raise DataError(f"{name} has no images; expected a data set of (image, label) pairs")
    return count


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
    try:
        return pixels, operator.index(cast(int, label))
    except TypeError as error:
        raise DataError(
            f"The label of {where} must be an integer, not {label!r} ({type(label).__name__})"
        ) from error


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
            return _from_float(image if image.ndim == _CUBE else image.unsqueeze(0), where)
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
    except (OSError, ValueError) as error:
        raise DataError(f"The image of {where} ({image.mode}) cannot be read: {error}") from error


def _from_float(image: Tensor, where: str) -> Tensor:
    """Check the range; written so that NaN fails it too."""
    if not bool(((image >= 0) & (image <= 1)).all()):
        low, high = float(image.min()), float(image.max())
        raise DataError(
            f"The float image of {where} must have pixels in [0, 1], "
            f"not {low:.4g} to {high:.4g}: do not normalise in the data set, "
            "al_lightning does that itself; return bytes, or what ToTensor() gives"
        )
    return image.to(torch.float32)
