import base64
import io
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from al_lightning.data import ImageData, Images
from al_lightning.data.pixels import decode
from al_lightning.oracles import pictures
from al_lightning.oracles.pictures import encoded, picture


def decoded(uri: str, kind: str = "png") -> Image.Image:
    start, content = uri.split(",", 1)
    assert start == f"data:image/{kind};base64"
    return Image.open(io.BytesIO(base64.b64decode(content)))


def of_pixels(pixels: torch.Tensor) -> str:
    """The picture of an image without a file, (C, H, W)."""
    images = Images(pixels[None], torch.tensor([0]))
    return picture(ImageData(images, images, classes=("cat", "dog")), 0)


@pytest.mark.parametrize("channels", [1, 3])
def test_pixels_stay_what_they_are(channels: int) -> None:
    pixels = torch.randint(0, 256, (channels, 8, 9), dtype=torch.uint8)
    image = decoded(of_pixels(pixels))
    assert image.size == (144, 128)  # 9 x 8, enlarged 16 times
    small = np.atleast_3d(np.asarray(image)[::16, ::16])
    assert (torch.from_numpy(small.copy()).permute(2, 0, 1) == pixels).all()


def test_floats_are_taken_from_zero_to_one() -> None:
    pixels = torch.tensor([0.0, 0.5, 1.0, 0.2]).reshape(1, 2, 2)
    values = np.asarray(decoded(of_pixels(pixels)))[::64, ::64]
    assert values.tolist() == [[0, 128], [255, 51]]


def test_large_images_keep_their_size() -> None:
    assert decoded(of_pixels(torch.zeros(3, 200, 300, dtype=torch.uint8))).size == (300, 200)


def test_very_long_images_are_not_enlarged_out_of_all_measure() -> None:
    assert decoded(of_pixels(torch.zeros(1, 1, 1000, dtype=torch.uint8))).size == (1000, 1)


def test_an_image_of_a_file_is_shown_as_the_file_has_it(tmp_path: Path) -> None:
    """A person needs more than the pixels that a network gets."""
    Image.new("RGB", (1200, 600), "red").save(tmp_path / "photo.png")
    pixels = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    train = Images(pixels, torch.tensor([0, -1]), ("photo.png", "gone.png"))
    data = ImageData(train, train.rows(torch.tensor([0])), ("a", "b"), folder=tmp_path)
    photo = decoded(picture(data, 0), "jpeg")
    assert photo.size == (384, 192)
    red, green, _ = np.asarray(photo)[100, 200].tolist()
    assert red > 240
    assert green < 20
    assert decoded(picture(data, 1)).size == (128, 128)  # the file has gone: its pixels


def test_a_file_of_more_than_8_bits_is_shown_in_its_range(tmp_path: Path) -> None:
    Image.fromarray(np.full((300, 200), 1000, dtype=np.uint16)).save(tmp_path / "deep.png")
    train = Images(torch.zeros(1, 1, 8, 8, dtype=torch.uint8), torch.tensor([0]), ("deep.png",))
    data = ImageData(train, train, ("a", "b"), folder=tmp_path, value_range=(0, 2000))
    shown = decoded(picture(data, 0), "jpeg")
    assert shown.size == (200, 300)
    assert set(np.asarray(shown).flatten().tolist()) == {128}


@pytest.mark.parametrize("orientation", [1, 6, 7])
@pytest.mark.parametrize("mode", ["L", "RGBA", "CMYK"])
def test_a_large_file_is_shrunk_in_strips_to_the_same_pixels(
    monkeypatch: pytest.MonkeyPatch, mode: str, orientation: int
) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (50, 90, 4), dtype=np.uint8)
    image = Image.fromarray(noise).convert(mode)
    image.getexif()[0x0112] = orientation
    whole = pictures._shrunk(image, 15)
    converted = []

    def to_mode(strip: Image.Image, channels: int, value_range: None) -> Image.Image:
        converted.append(strip.size)
        return decode.to_mode(strip, channels, value_range)

    monkeypatch.setattr(pictures, "to_mode", to_mode)
    monkeypatch.setattr(pictures, "LARGE", 50 * 90 - 1)
    monkeypatch.setattr(pictures, "STRIP", 500)
    assert pictures._shrunk(image, 15) == whole.reduce(3)
    assert len(converted) > 5
    assert max(width * height for width, height in converted) <= 500


@pytest.mark.parametrize("address", ["memory://photos/photo.png", "file://{folder}/photo.png"])
def test_an_image_behind_an_address_is_shown_as_it_is_there(tmp_path: Path, address: str) -> None:
    fsspec = pytest.importorskip("fsspec")
    address = address.format(folder=tmp_path)
    Image.new("RGB", (1200, 600), "red").save(tmp_path / "made.png")
    system, path = fsspec.core.url_to_fs(address)
    system.pipe_file(path, (tmp_path / "made.png").read_bytes())
    pixels = torch.zeros(2, 3, 8, 8, dtype=torch.uint8)
    train = Images(pixels, torch.tensor([0, -1]), (address, address.replace("photo.", "gone.")))
    data = ImageData(train, train.rows(torch.tensor([0])), ("a", "b"), folder=tmp_path)
    assert decoded(picture(data, 0), "jpeg").size == (384, 192)
    assert decoded(picture(data, 1)).size == (128, 128)


@pytest.mark.parametrize("channels", [2, 4, 5])
@pytest.mark.parametrize("floating", [False, True])
def test_images_of_other_channels_are_shown_in_gray(channels: int, floating: bool) -> None:
    pixels = torch.arange(channels).mul(10)[:, None, None].expand(-1, 8, 8).to(torch.uint8)
    images = Images(pixels[None] / 255 if floating else pixels[None], torch.zeros(1).long())
    content, kind, original = encoded(ImageData(images, images, ("cat", "dog")), 0, 100)
    shown = Image.open(io.BytesIO(content))
    assert (kind, original, shown.mode, shown.size) == ("png", True, "L", (8, 8))
    assert shown.getpixel((0, 0)) == 5 * (channels - 1)
