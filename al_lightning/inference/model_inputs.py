"""What a trained classifier takes: batches of pixels, or image files that are brought to them."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from al_lightning.data.pixels.decode_files import decode_files
from al_lightning.data.source import require_unit_range
from al_lightning.utils.errors import DataError, UsageError
from al_lightning.utils.listing import shortened

#: Files, or pixels as an array (B, C, H, W).
Inputs = str | Path | Sequence[str | Path] | NDArray[np.generic]
Shape = tuple[int, int, int]

_CHANNELS = (1, 3)  # that image files are decoded to
_BATCH = 256  # files that are decoded at once
_NAMED = 5  # files that an error names


def checked(images: Tensor, shape: Shape) -> Tensor:
    """Return pixels that are those of a classifier, (B, C, H, W) uint8 or float32.

    Raises:
        UsageError: If they are not (B, C, H, W) of its shape, neither uint8 nor float, or float and not
            in [0, 1]: such as bytes as floats, or images that are normalised already.
    """
    expected = ", ".join(map(str, shape))
    if images.shape[1:] != shape:
        hint = "resize them"
        if images.ndim == len(shape) and images.shape == shape:
            hint = "a single one is images[None]"
        elif images.ndim == len(shape) + 1 and images.movedim(-1, 1).shape[1:] == shape:
            hint = "channels come first, images.permute(0, 3, 1, 2)"
        raise UsageError(
            f"Images of this run are (B, {expected}), not {tuple(images.shape)}: {hint}"
        )
    if images.dtype == torch.uint8:
        return images
    if not images.is_floating_point():
        raise UsageError(
            f"Images of this run are uint8, 0 to 255, or float in [0, 1], not {images.dtype}: take "
            "images.to(torch.uint8)"
        )
    require_unit_range(images, "Float images of this run")
    return images.float()


def batches(
    images: Inputs, shape: Shape, value_range: tuple[float, float] | None = None
) -> Iterator[Tensor]:
    """Yield pixels, (B, C, H, W), of files or of an array.

    Files are decoded as the run's own, see :func:`al_lightning.data.pixels.decode.read_image`.

    Raises:
        UsageError: If it is neither, or image files have other channels than the classifier wants.
        DataError: If files cannot be read; names them.
    """
    if isinstance(images, np.ndarray):
        yield torch.from_numpy(images)
        return
    given = [images] if isinstance(images, str | Path) else images
    files = list(given) if isinstance(given, Sequence) else []
    if not files or not all(isinstance(file, str | Path) for file in files):
        raise UsageError(
            "Images are a tensor or an array (B, C, H, W), or one or more image files, not "
            f"{type(images).__name__}{f' of {type(files[0]).__name__}' if files else ''}"
        )
    if shape[0] not in _CHANNELS:
        raise UsageError(
            f"The run's images have {shape[0]} channels, and image files have 1 or 3: pass a tensor"
        )
    paths = [Path(file) for file in files]
    if folders := [str(path) for path in paths if path.is_dir()]:
        raise UsageError(
            f"{folders[0]} is a folder: list its files, or run "
            f"python -m al_lightning.predict RUN {folders[0]}"
        )
    for first in range(0, len(paths), _BATCH):
        some = paths[first : first + _BATCH]
        with torch.inference_mode(mode=False):  # threads fill it, which are in no such mode
            pixels, troubles = decode_files(some, shape, value_range)
        unread = [f"{path}: {why}" for path, why in zip(some, troubles, strict=True) if why]
        if unread:
            raise DataError(f"Images cannot be read: {'; '.join(shortened(unread, _NAMED))}")
        yield pixels


def describe_decoding(shape: Shape, value_range: tuple[float, float] | None = None) -> str:
    """Return how files become the images of a run, as JSON, for users of the graph."""
    _, height, width = shape
    return json.dumps(
        {
            "orientation": "as EXIF says",
            "more_than_8_bits": "refused"
            if value_range is None
            else "to bytes at first: black is {:g}, white is {:g}".format(*value_range),
            "transparent": "white",
            "resize": "to cover the size, the aspect kept",
            "interpolation": "bicubic, antialiased, on bytes (PIL.Image.Resampling.BICUBIC)",
            "crop": "centre",
            "size": [height, width],
            "scale": "bytes / 255",
        }
    )
