import base64
import io

import numpy as np
import pytest
import torch
from PIL import Image

from al_lightning.oracles.pictures import data_uri


def decoded(uri: str) -> Image.Image:
    kind, content = uri.split(",", 1)
    assert kind == "data:image/png;base64"
    return Image.open(io.BytesIO(base64.b64decode(content)))


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_stay_what_they_are(channels: int) -> None:
    pixels = torch.randint(0, 256, (channels, 8, 9), dtype=torch.uint8)
    image = decoded(data_uri(pixels))
    assert image.size == (144, 128)  # 9 x 8, enlarged 16 times
    small = np.atleast_3d(np.asarray(image)[::16, ::16])
    assert (torch.from_numpy(small.copy()).permute(2, 0, 1) == pixels).all()


def test_floats_are_taken_from_zero_to_one() -> None:
    pixels = torch.tensor([0.0, 0.5, 1.0, 1.5]).reshape(1, 2, 2)
    values = np.asarray(decoded(data_uri(pixels)))[::64, ::64]
    assert values.tolist() == [[0, 128], [255, 255]]


def test_large_images_keep_their_size() -> None:
    assert decoded(data_uri(torch.zeros(3, 200, 300, dtype=torch.uint8))).size == (300, 200)
