"""From what PIL reads to bytes of a fixed shape."""

import errno
import stat
from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps, UnidentifiedImageError
from torch import Tensor

from al_lightning.errors import DataError

#: How the names of image files end, in lower case.
ENDINGS = frozenset(
    [
        ".apng",
        ".avif",
        ".bmp",
        ".gif",
        ".heic",
        ".heif",
        ".jfif",
        ".jp2",
        ".jpeg",
        ".jpg",
        ".pbm",
        ".pgm",
        ".png",
        ".pnm",
        ".ppm",
        ".tga",
        ".tif",
        ".tiff",
        ".webp",
    ]
)
#: Raised whenever the bytes of an image may have changed, so that none that were kept are taken.
DECODER = 1
_MODES = {1: "L", 3: "RGB"}
_BYTE = 255
_SIXTEEN_BITS = 65535


def read_image(path: Path, image_shape: tuple[int, int, int]) -> Tensor:
    """Read an image file of any size and mode.

    Of an animated image the first frame counts, EXIF orientation is followed, what is transparent
    becomes white; then :func:`cover` brings it to its size.

    Args:
        path: The file.
        image_shape: Channels (1 for gray, 3 for RGB), height, width.

    Returns:
        ``image_shape`` uint8.

    Raises:
        DataError: If the file cannot be read; says why in plain words, and leaves it to the caller to
            name the file.
    """
    channels, height, width = image_shape
    try:
        _require_content(path)
        with Image.open(path) as opened:
            # A JPEG is decoded at a fraction of its size, still twice what is needed. It may be
            # turned after that, so either side may become the longer one.
            opened.draft(None, (2 * max(height, width),) * 2)
            image = to_mode(upright(opened), channels)
            return to_bytes(cover(image, height, width), channels)
    except DataError:
        raise
    except Exception as error:  # damaged bytes make PIL's decoders raise all kinds of errors
        raise DataError(_trouble(error)) from error


def _require_content(path: Path) -> None:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):  # to open a pipe would be to wait for ever
        raise DataError("it is no file, but a device or a pipe")
    if status.st_size == 0:
        raise DataError("it is empty, 0 bytes")


def to_bytes(image: Image.Image, channels: int) -> Tensor:
    """Convert a PIL image of any mode to bytes.

    What is transparent becomes white. 16-bit images (mode I;16) are scaled from 0 to 65535. In the
    modes I and F, which do not say what white is, the values decide: from 0 to 1 (F only), to 255
    or to 65535 they are taken to be scaled like that, otherwise the darkest becomes 0 and the
    brightest 255.

    Args:
        image: The image; of an animated one, the current frame.
        channels: 1 (gray) or 3 (RGB).

    Returns:
        (channels, H, W) uint8.

    Raises:
        ValueError: If PIL cannot convert this mode, or a pixel is NaN or infinite.
    """
    pixels = np.array(to_mode(image, channels))
    return torch.from_numpy(pixels.reshape(*pixels.shape[:2], channels)).permute(2, 0, 1)


def to_mode(image: Image.Image, channels: int) -> Image.Image:
    """Convert a PIL image to mode L (1 channel) or RGB (3 channels), as :func:`to_bytes` says."""
    if image.mode.startswith(("I", "F")):
        image = _deep_to_gray(image)
    elif image.has_transparency_data:
        layer = image.convert("RGBA")
        image = Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer)
    return image.convert(_MODES[channels])


def cover(image: Image.Image, height: int, width: int) -> Image.Image:
    """Resize an image until it just covers the size (bicubic, antialiased), then crop the centre.

    Cropping and resizing is one step, so a very long image does not become a huge one in between.
    """
    across = max(1, min(image.width, image.height * width // height))
    down = max(1, min(image.height, image.width * height // width))
    left, top = (image.width - across) // 2, (image.height - down) // 2
    box = (left, top, left + across, top + down)
    return image.resize((width, height), Image.Resampling.BICUBIC, box=box)


def upright(image: Image.Image) -> Image.Image:
    """Turn a photograph as its EXIF orientation says."""
    return ImageOps.exif_transpose(image)


def _deep_to_gray(image: Image.Image) -> Image.Image:
    """Scale an image of more than 8 bits a pixel to mode L."""
    values = np.asarray(image).astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError("expected finite pixels, came NaN or infinity")
    low, high = _range(image.mode, values)
    scaled = (values - low) * _BYTE / (high - low)
    return Image.fromarray(scaled.round().astype(np.uint8))


def _range(mode: str, values: np.ndarray) -> tuple[float, float]:
    """Return which values are black and white."""
    if mode.startswith("I;16"):
        return 0, _SIXTEEN_BITS
    low, high = float(values.min()), float(values.max())
    for white in (1, _BYTE, _SIXTEEN_BITS) if mode == "F" else (_BYTE, _SIXTEEN_BITS):
        if low >= 0 and high <= white:
            return 0, white
    return low, max(high, low + 1)


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
