"""Images as a person's browser shows them."""

import base64
import io
import warnings

import torch
from PIL import Image
from torch import Tensor

from al_lightning.data.pixels.decode import STRIP, ValueRange, to_mode
from al_lightning.data.pixels.image_files import LARGE, open_image
from al_lightning.data.pixels.remote_file import file_at
from al_lightning.data.pixels.upright import UprightRows, upright
from al_lightning.data.source import ImageData

_BYTE = 255
_COLORS = 3
_SMALLEST = 128  # pixels of the shorter side: a person must be able to see what it is
_LARGEST = 384  # of the longer side: a page of a thousand photographs must stay a page


def picture(data: ImageData, image: int) -> str:
    """Return a training image as an address that needs no file and no server.

    Where it comes from a file, that is shown, as a whole and larger than the classifier sees it.

    Args:
        data: The images.
        image: A dataset id.
    """
    shown, kind, _ = _shown(data, image, _LARGEST)
    return _address(_file(_enlarged(shown), kind), kind)


def encoded(data: ImageData, image: int, largest: int) -> tuple[bytes, str, bool]:
    """Return a training image as a file that a browser shows.

    Args:
        data: The images.
        image: A dataset id.
        largest: Pixels of the longer side, at most.

    Returns:
        The file's bytes; its type, "jpeg" or "png"; and whether it is the original. Where the original
        has gone, the pixels that the classifier sees are shown.
    """
    shown, kind, original = _shown(data, image, largest)
    if max(shown.size) <= _LARGEST:  # a small one loses nothing
        kind = "png"
    return _file(shown, kind), kind, original


def _shown(data: ImageData, image: int, largest: int) -> tuple[Image.Image, str, bool]:
    """Return what :func:`encoded` encodes, and how."""
    if data.folder is not None and data.train.files is not None:
        try:
            path = file_at(data.folder, data.train.files[image])
            with warnings.catch_warnings(), open_image(path, largest // 2) as opened:
                # PIL warns of a photograph that is large, but was read before.
                warnings.simplefilter("ignore")
                shown = _shrunk(opened, largest, data.value_range)
                shown.thumbnail((largest, largest))
                return shown, "jpeg", True
        except Exception:  # the file has gone since; its pixels are still here
            return _of_pixels(data.train.pixels[image]), "png", False
    return _of_pixels(data.train.pixels[image]), "png", True


def _shrunk(image: Image.Image, largest: int, value_range: ValueRange | None = None) -> Image.Image:
    """Turn an image and convert it to RGB; a large one in strips that are shrunk one by one.

    So there is no copy of a large image as a whole beside what was decoded. The longer side of what
    comes of it has at least twice as many pixels as wanted: a thumbnail of it is as good.
    """
    if image.width * image.height <= LARGE:
        return to_mode(upright(image), _COLORS, value_range)
    rows = UprightRows(image)
    width, height = rows.size
    factor = max(1, max(rows.size) // (2 * largest))
    step = factor * max(1, STRIP // (factor * width))
    small = Image.new("RGB", (-(-width // factor), -(-height // factor)))
    for first in range(0, height, step):
        strip = to_mode(rows.between(first, first + step), _COLORS, value_range)
        small.paste(strip.reduce(factor), (0, first // factor))
    return small


def _of_pixels(pixels: Tensor) -> Image.Image:
    """Return pixels as a picture: of neither one nor three channels, their mean in gray."""
    if pixels.shape[0] not in (1, _COLORS):
        mean = pixels.float().mean(0, keepdim=True)
        pixels = mean if pixels.is_floating_point() else mean / _BYTE
    if pixels.is_floating_point():
        pixels = (pixels.clamp(0, 1) * _BYTE).round().to(torch.uint8)
    rows = pixels.permute(1, 2, 0).numpy()
    return Image.fromarray(rows[:, :, 0] if rows.shape[2] == 1 else rows)


def _enlarged(image: Image.Image) -> Image.Image:
    factor = -(-_SMALLEST // min(image.size))
    if factor <= 1 or factor * max(image.size) > 8 * _SMALLEST:  # as it is where it is very long
        return image
    return image.resize((factor * image.width, factor * image.height), Image.Resampling.NEAREST)


def _file(image: Image.Image, kind: str) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, kind, quality=85)
    return buffer.getvalue()


def _address(content: bytes, kind: str) -> str:
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"
