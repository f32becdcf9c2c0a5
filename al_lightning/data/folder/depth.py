"""Images of more than 8 bits a pixel: their values, and the range that a person must give."""

import warnings
from collections.abc import Sequence

import numpy as np

from al_lightning.data.pixels.decode import ValueRange
from al_lightning.data.pixels.image_files import has_deep_colors, open_image
from al_lightning.data.pixels.remote_file import ImageFile
from al_lightning.utils.errors import UsageError

_LOOKED_AT = 200  # images: enough to name a likely range, and soon done
_INTEGER_WHITES = (255, 1023, 4095, 16383, 65535)
_SHOWN = 6  # digits of a value


def check_value_range(given: Sequence[float] | None) -> ValueRange | None:
    """Return a range as it was given.

    Raises:
        UsageError: If it is none.
    """
    if given is None:
        return None
    whole = isinstance(given, Sequence) and len(given) == 2  # noqa: PLR2004
    if not whole or any(type(value) not in (int, float) for value in given):
        raise UsageError(
            f"dataset.value_range={given} is not valid: give the values of black and white, such as "
            "'dataset.value_range=[0,4095]'"
        )
    black, white = given
    if not black < white or not np.isfinite([black, white]).all():
        raise UsageError(f"dataset.value_range={given} is not valid: black must be less than white")
    return black, white


def refuse_unknown_range(
    paths: Sequence[ImageFile], example: str, images: str, count: int
) -> UsageError:
    """Return the error that requests the range of images of more than 8 bits per pixel.

    Args:
        paths: The files of these images, N of them.
        example: The name of the first.
        images: What all images of the data set are called, such as "images below photos".
        count: Number of all images.
    """
    step = -(-len(paths) // _LOOKED_AT)
    ranges = [found for path in paths[::step] if (found := _range_of(path)) is not None]
    low, high = (min(r[0] for r in ranges), max(r[1] for r in ranges)) if ranges else (0, 65535)
    black, white = _likely(low, high)
    return UsageError(
        f"{len(paths)} of the {count} {images} have more than 8 bits a pixel, such as "
        f"{example}, and files do not say which values are black and "
        f"white. The values of {'these' if step == 1 else f'{len(ranges)} of them'} go from "
        f"{low:.{_SHOWN}g} to {high:.{_SHOWN}g}. Give black and white for all of them, such as "
        f"'dataset.value_range=[{black:.{_SHOWN}g},{white:.{_SHOWN}g}]'"
    )


def _range_of(path: ImageFile) -> ValueRange | None:
    """Return the least and the largest finite value of an image; None where none can be read."""
    try:
        with warnings.catch_warnings(), open_image(path, 1) as opened:
            warnings.filterwarnings("ignore", module=r"PIL\.")
            if has_deep_colors(opened):
                return 0, _INTEGER_WHITES[-1]
            values = np.asarray(opened)
            finite = values[np.isfinite(values)]
            return float(finite.min()), float(finite.max())
    except Exception:  # it was read a moment ago, and others say as much
        return None


def _likely(low: float, high: float) -> ValueRange:
    """Return a range that files of such values are likely to have."""
    if low < 0:
        return low, max(high, low + 1)
    whites = (1, *_INTEGER_WHITES) if high <= 1 else _INTEGER_WHITES
    return 0, next((white for white in whites if high <= white), high)
