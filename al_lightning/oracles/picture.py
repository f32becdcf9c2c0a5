"""Images as a browser shows them."""

import base64
import io
import math

from PIL import Image
from torch import Tensor

from al_lightning.errors import UsageError

SMALLEST, LARGEST = 128, 1024  #: pixels: shorter sides are enlarged, as far as longer ones allow it


def data_uri(pixels: Tensor) -> str:
    """Return an image as a PNG inside an address: ``data:image/png;base64,...``.

    Images too small for a person to see are enlarged by a whole number, pixel by pixel, so that nothing
    is made up.

    Args:
        pixels: (C, H, W) uint8, or float32 in [0, 1]; 1 or 3 channels.

    Raises:
        UsageError: On another number of channels.
    """
    channels, height, width = pixels.shape
    if channels not in (1, 3):
        raise UsageError(
            f"A browser shows images of 1 or 3 channels, and these have {channels}: such images cannot "
            "be put to a person"
        )
    if pixels.is_floating_point():
        pixels = (pixels * 255).round().clamp(0, 255).byte()
    array = pixels.permute(1, 2, 0).contiguous().numpy()
    image = Image.fromarray(array if channels > 1 else array[:, :, 0])
    if (factor := _enlargement(height, width)) > 1:
        image = image.resize((width * factor, height * factor), Image.Resampling.NEAREST)
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _enlargement(height: int, width: int) -> int:
    wanted = math.ceil(SMALLEST / min(height, width))
    return max(1, min(wanted, LARGEST // max(height, width)))
