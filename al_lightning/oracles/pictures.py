"""Images as a person's browser shows them."""

import base64
import io

import torch
from PIL import Image
from torch import Tensor

_BYTE = 255
_SMALLEST = 128  # pixels of the shorter side: a person must be able to see what it is


def data_uri(pixels: Tensor) -> str:
    """Return an image as a PNG inside an address, which needs no file and no server.

    Small images are enlarged by a whole factor, so that their pixels stay pixels.

    Args:
        pixels: (C, H, W) uint8, or float32 in [0, 1]; 1 or 3 channels.
    """
    if pixels.is_floating_point():
        pixels = (pixels.clamp(0, 1) * _BYTE).round().to(torch.uint8)
    rows = pixels.permute(1, 2, 0).numpy()
    image = Image.fromarray(rows[:, :, 0] if rows.shape[2] == 1 else rows)
    if (factor := -(-_SMALLEST // min(image.size))) > 1:
        image = image.resize(
            (factor * image.width, factor * image.height), Image.Resampling.NEAREST
        )
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()
