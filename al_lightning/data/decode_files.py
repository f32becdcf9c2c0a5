"""Many image files, decoded beside each other into one tensor."""

import errno
import stat
import warnings
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from al_lightning.data.decode import square, to_bytes, to_mode, upright


def decode_files(paths: Sequence[Path], size: int, channels: int) -> tuple[Tensor, list[str]]:
    """Decode image files to squares, as :mod:`al_lightning.data.decode` does.

    What PIL can read without being sure, it reads without a warning: an image of up to 178,956,970
    pixels, or damaged metadata.

    Args:
        paths: N files.
        size: Height and width of the images, in pixels.
        channels: 3 (RGB) or 1 (gray).

    Returns:
        The pixels, (N, channels, size, size) uint8, 0 where a file cannot be read; and what is wrong
        with each file, "" if nothing.
    """
    pixels = torch.zeros((len(paths), channels, size, size), dtype=torch.uint8)
    decode = partial(_decode_into, size=size, channels=channels)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        with ThreadPoolExecutor() as threads:  # PIL lets go of the interpreter while it decodes
            return pixels, list(threads.map(decode, pixels, paths))


def _decode_into(row: Tensor, path: Path, *, size: int, channels: int) -> str:
    """Decode a file into a row of the pixels; return what is wrong with it."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # to open a pipe would be to wait for ever
            return "it is no file, but a device or a pipe"
        if status.st_size == 0:
            return "it is empty, 0 bytes"
        with Image.open(path) as opened:
            # A JPEG is decoded at a fraction of its size, still twice what is needed.
            opened.draft(None, (2 * size, 2 * size))
            image = to_mode(upright(opened), channels)
            row.copy_(to_bytes(square(image, size), channels))
    except Exception as error:  # damaged bytes make PIL's decoders raise all kinds of errors
        return _trouble(error)
    return ""


def _trouble(error: Exception) -> str:
    """Say in plain words why a file could not be decoded."""
    match error:
        case Image.DecompressionBombError():
            most = 2 * (Image.MAX_IMAGE_PIXELS or 0)
            return f"it says it has more than {most:,} pixels; is it a decompression bomb?"
        case UnidentifiedImageError():
            return "its content is no image that PIL knows"
        case FileNotFoundError():
            return "it has gone, or is a link to nothing"
        case PermissionError():
            return "there is no permission to read it"
        case OSError(errno=errno.ELOOP):
            return "it is a link that leads back to itself"
    return f"it is damaged or cut off ({type(error).__name__}: {error})"
