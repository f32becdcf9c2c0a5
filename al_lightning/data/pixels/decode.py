"""Image files to pixels of a fixed shape."""

import errno

import numpy as np
import torch
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from al_lightning.data.pixels.image_files import LARGE, has_deep_colors, is_misread, open_image
from al_lightning.data.pixels.remote_file import ImageFile, shown_name
from al_lightning.data.pixels.stopped import DecodingStoppedError
from al_lightning.data.pixels.upright import UprightRows, upright
from al_lightning.utils.errors import DataError

#: Raised whenever the bytes of an image may have changed, so that none that were kept are taken.
DECODER = 3
#: Pixels of a large image that are converted at a time.
STRIP = 2**22
#: Which values of images of more than 8 bits a pixel are black and white.
ValueRange = tuple[float, float]
#: What is wrong with an image of more than 8 bits where no range is known.
DEEP = "it has more than 8 bits a pixel, and which values are black and white is not known"
_DEEP_COLORS = (
    "it has colours of 16 bits, of which the upper 8 are read: convert it to 8 bits, or take "
    "dataset.value_range=[0,65535]"
)
_MISREAD = (
    "its numbers are signed bytes, or of 32 bits and above 2,147,483,647, which are misread: "
    "convert it to 8 or 16 bits"
)
_MODES = {1: "L", 3: "RGB"}
_BYTE = 255
_SIXTEEN_BITS = (0, 65535)
_OF_THE_MOMENT = (errno.ENOMEM, errno.EMFILE, errno.ENFILE, errno.ESTALE, errno.ETIMEDOUT)


def read_image(
    path: ImageFile, image_shape: tuple[int, int, int], value_range: ValueRange | None = None
) -> Tensor:
    """Read an image file of any size and mode, of one of the formats that are read.

    Of an animated image the first frame counts, EXIF orientation is followed, what is transparent
    becomes white; then :func:`cover` brings it to its size.

    Args:
        path: The file.
        image_shape: Channels (1 for gray, 3 for RGB), height, width.
        value_range: See :func:`to_mode`.

    Returns:
        ``image_shape`` uint8.

    Raises:
        DataError: If the file cannot be read; says why in plain words, and leaves it to the caller to
            name the file.
        DecodingStoppedError: If memory, the system or the network fails for the moment; names the file.
    """
    channels, height, width = image_shape
    try:
        with open_image(path, max(height, width)) as opened:
            if has_deep_colors(opened) and value_range != _SIXTEEN_BITS:
                raise DataError(DEEP if value_range is None else _DEEP_COLORS)  # noqa: TRY301
            if is_misread(opened):
                raise DataError(_MISREAD)  # noqa: TRY301
            return to_bytes(_covering(opened, channels, height, width, value_range), channels)
    except (DataError, DecodingStoppedError):
        raise
    except Exception as error:  # damaged bytes make PIL's decoders raise all kinds of errors
        if _is_of_the_moment(error):
            raise DecodingStoppedError(
                f"{shown_name(path)} cannot be decoded now ({type(error).__name__}: {error}), and "
                "is not the cause: no image was left out. Free memory, or use fewer "
                "dataset.workers, and run the same command again"
            ) from error
        raise DataError(_trouble(error)) from error


def to_bytes(image: Image.Image, channels: int, value_range: ValueRange | None = None) -> Tensor:
    """Convert a PIL image of any mode to bytes.

    Args:
        image: The image; of an animated one, the current frame.
        channels: 1 (gray) or 3 (RGB).
        value_range: See :func:`to_mode`.

    Returns:
        (channels, H, W) uint8.

    Raises:
        DataError: If a range is needed.
        ValueError: If PIL cannot convert this mode, or a pixel is NaN or infinite.
    """
    pixels = np.array(to_mode(image, channels, value_range))
    return torch.from_numpy(pixels.reshape(*pixels.shape[:2], channels)).permute(2, 0, 1)


def to_mode(
    image: Image.Image, channels: int, value_range: ValueRange | None = None
) -> Image.Image:
    """Convert a PIL image to mode L (1 channel) or RGB (3 channels); transparent becomes white.

    Args:
        image: The image.
        channels: 1 or 3.
        value_range: Which values become black and white in images of more than 8 bits (the modes I,
            I;16 and F), one for all images that belong together: such modes do not say what white is,
            which the values of one image do not show. Values outside are clipped.

    Raises:
        DataError, ValueError: As :func:`to_bytes`.
    """
    if image.mode.startswith(("I", "F")):
        if value_range is None:
            raise DataError(DEEP)
        image = _deep_to_gray(image, *value_range)
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


def _covering(
    opened: Image.Image, channels: int, height: int, width: int, value_range: ValueRange | None
) -> Image.Image:
    """Turn, convert and :func:`cover` an image, of which there are five copies meanwhile.

    A large one is converted in strips and resized channel by channel, to the same bytes: beside what
    was decoded there is one byte a pixel, and a strip.
    """
    if opened.width * opened.height <= LARGE:
        return cover(to_mode(upright(opened), channels, value_range), height, width)
    rows = UprightRows(opened)
    covered, step = [], max(1, STRIP // rows.size[0])
    for channel in range(channels):
        whole = Image.new("L", rows.size)
        for first in range(0, whole.height, step):
            strip = to_mode(rows.between(first, first + step), channels, value_range)
            whole.paste(strip.getchannel(channel), (0, first))
        covered.append(cover(whole, height, width))
    return Image.merge(_MODES[channels], covered)


def _deep_to_gray(image: Image.Image, black: float, white: float) -> Image.Image:
    """Scale an image of more than 8 bits a pixel to mode L."""
    values = np.asarray(image).astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError("expected finite pixels, found NaN or infinity")
    scaled = ((values - black) * _BYTE / (white - black)).clip(0, _BYTE)
    return Image.fromarray(scaled.round().astype(np.uint8))


def _is_of_the_moment(error: Exception) -> bool:
    """Return whether an error is not the file's fault: it may be read at another time."""
    if isinstance(error, OSError) and error.errno is not None:
        return error.errno in _OF_THE_MOMENT
    # Libraries have errors of their own for that.
    return isinstance(error, MemoryError) or "out of memory" in str(error).lower()


def _trouble(error: Exception) -> str:
    """Say in plain words why a file could not be decoded."""
    match error:
        case Image.DecompressionBombError():
            most = 2 * (Image.MAX_IMAGE_PIXELS or 0)
            return f"it says it has more than {most:,} pixels; is it a decompression bomb?"
        case UnidentifiedImageError():
            return "its content is no image of a format that is read"
        case FileNotFoundError():
            return "it no longer exists, or is a broken link"
        case PermissionError():
            return "there is no permission to read it"
        case OSError(errno=int(number)):
            link = "it is a link to itself"
            return (
                link if number == errno.ELOOP else f"the system cannot read it ({error.strerror})"
            )
    return f"it is damaged or cut off ({type(error).__name__}: {error})"
