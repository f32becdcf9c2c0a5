import errno
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import ExifTags, Image, ImageFile

from al_lightning.data.pixels import decode
from al_lightning.data.pixels.decode import DEEP, cover, read_image, to_bytes
from al_lightning.data.pixels.stopped import DecodingStoppedError
from al_lightning.utils.errors import DataError
from tests.data.folders import png16


def _gray(values: np.ndarray, value_range: tuple[float, float] | None = None) -> list[int]:
    image: list[int] = to_bytes(Image.fromarray(values), 1, value_range).flatten().tolist()
    return image


def test_rgb_keeps_its_pixels() -> None:
    pixels = np.arange(24, dtype=np.uint8).reshape(2, 4, 3)
    expected = torch.from_numpy(pixels).permute(2, 0, 1)
    assert torch.equal(to_bytes(Image.fromarray(pixels), 3), expected)


@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB", "CMYK", "YCbCr", "HSV", "I", "I;16", "F"])
@pytest.mark.parametrize("channels", [1, 3])
def test_every_mode_becomes_bytes(mode: str, channels: int) -> None:
    image = to_bytes(Image.new(mode, (5, 4)), channels, (0, 255))
    assert image.shape == (channels, 4, 5)
    assert image.dtype == torch.uint8


@pytest.mark.parametrize(
    ("mode", "color", "expected"),
    [
        ("RGBA", (255, 0, 0, 0), (255, 255, 255)),
        ("RGBA", (255, 0, 0, 255), (255, 0, 0)),
        ("RGBA", (0, 0, 0, 127), (128, 128, 128)),
        ("LA", (0, 0), (255, 255, 255)),
        ("LA", (9, 255), (9, 9, 9)),
        ("CMYK", (255, 0, 0, 0), (0, 255, 255)),
        ("1", 1, (255, 255, 255)),
    ],
)
def test_colors_are_kept_and_transparency_becomes_white(
    mode: str, color: int | tuple[int, ...], expected: tuple[int, ...]
) -> None:
    image = Image.new(mode, (1, 1), color)
    assert tuple(to_bytes(image, 3).flatten().tolist()) == expected


def test_the_transparent_color_of_a_palette_becomes_white() -> None:
    image = Image.new("P", (2, 1), 0)
    image.putpalette([10, 20, 30, 40, 50, 60])
    image.putpixel((1, 0), 1)
    image.info["transparency"] = 0
    assert to_bytes(image, 3)[:, 0].T.tolist() == [[255, 255, 255], [40, 50, 60]]


@pytest.mark.parametrize(
    ("values", "value_range", "expected"),
    [
        (np.array([0, 257, 65535], np.uint16), (0, 65535), [0, 1, 255]),
        (np.array([0, 257], np.uint16), (0, 65535), [0, 1]),
        (np.array([0, 16, 2048, 4095], np.uint16), (0, 4095), [0, 1, 128, 255]),
        (np.array([0, 255], np.int32), (0, 255), [0, 255]),
        (np.array([0, 256], np.int32), (0, 65535), [0, 1]),
        (np.array([0.0, 0.2, 1.0], np.float32), (0, 1), [0, 51, 255]),
        (np.array([0.0, 1.0, 1.1], np.float32), (0, 1.25), [0, 204, 224]),
        (np.array([-1024, -160, 40, 240, 3071], np.int32), (-160, 240), [0, 0, 128, 255, 255]),
        (np.array([100_000] * 3, np.int32), (0, 200_000), [128, 128, 128]),
    ],
)
def test_deep_images_are_scaled_by_one_range(
    values: np.ndarray, value_range: tuple[float, float], expected: list[int]
) -> None:
    assert _gray(values[None], value_range) == expected


@pytest.mark.parametrize("kind", [np.uint16, np.int32, np.float32])
def test_deep_images_of_no_known_range_are_refused(kind: type) -> None:
    with pytest.raises(DataError, match="more than 8 bits a pixel, and which values are black"):
        _gray(np.array([[0, 1]], dtype=kind))


def test_nan_is_refused() -> None:
    with pytest.raises(ValueError, match="NaN"):
        _gray(np.array([[0.0, np.nan]], dtype=np.float32), (0, 1))


def test_the_range_of_a_file_is_used_and_needed(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    Image.fromarray(np.full((4, 4), 2048, dtype=np.uint16)).save(path)
    assert {*read_image(path, (3, 4, 4), (0, 4095)).flatten().tolist()} == {128}
    with pytest.raises(DataError) as caught:
        read_image(path, (3, 4, 4))
    assert str(caught.value) == DEEP


def test_deep_colors_are_read_by_their_upper_bytes_on_request_alone(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    path.write_bytes(png16([0, 256 * 7 + 200, 65535]))
    assert read_image(path, (3, 1, 1), (0, 65535)).flatten().tolist() == [0, 7, 255]
    with pytest.raises(DataError) as caught:
        read_image(path, (3, 1, 1))
    assert str(caught.value) == DEEP
    with pytest.raises(DataError, match=r"colours of 16 bits.*value_range=\[0,65535\]"):
        read_image(path, (3, 1, 1), (0, 4095))


@pytest.mark.parametrize(
    ("numbers", "kind", "taken"),
    [
        (np.array([0, 2**31], np.uint32), 1, None),
        (np.array([0, 2**31 - 1], np.uint32), 1, [0, 255]),
        (np.array([-(2**31), 2**31 - 1], np.int32), 2, [0, 255]),
        (np.array([0, 2], np.int8), 2, None),
        (np.array([0, 2], np.uint8), 1, [0, 2]),
    ],
)
def test_numbers_that_would_wrap_around_are_refused(
    tmp_path: Path, numbers: np.ndarray, kind: int, taken: list[int] | None
) -> None:
    path, bits = tmp_path / "a.tif", 8 * numbers.itemsize
    shape = ExifTags.Base
    tags = {shape.ImageWidth: 2, shape.ImageLength: 1, shape.BitsPerSample: bits, 262: 1, 278: 1}
    tags |= {shape.StripOffsets: 8, shape.StripByteCounts: numbers.nbytes, shape.SampleFormat: kind}
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, tags[tag]) for tag in sorted(tags))
    header = struct.pack("<2sHI", b"II", 42, 8 + numbers.nbytes)
    ending = struct.pack("<H", len(tags)) + entries + bytes(4)
    path.write_bytes(header + numbers.tobytes() + ending)
    if taken is None:
        with pytest.raises(
            DataError, match=r"signed bytes, or of 32 bits .* convert it to 8 or 16"
        ):
            read_image(path, (1, 1, 2), (0, 2**32 - 1))
    else:
        low = float(numbers.min())
        pixels = read_image(path, (1, 1, 2), (low, float(2**31 - 1)))
        assert pixels.flatten().tolist() == taken


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        OSError("out of memory error when reading image file"),
        OSError(errno.EMFILE, "Too many open files"),
    ],
)
def test_what_is_short_for_a_moment_is_no_damage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def load(self: Image.Image) -> None:
        raise error

    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    monkeypatch.setattr(ImageFile.ImageFile, "load", load)
    with pytest.raises(
        DecodingStoppedError, match=r"a\.png cannot be decoded now .* not the cause"
    ):
        read_image(tmp_path / "a.png", (1, 8, 8))


def test_a_disk_that_fails_is_no_damage_of_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def load(self: Image.Image) -> None:
        raise OSError(errno.EIO, "Input/output error")

    Image.new("L", (8, 8)).save(tmp_path / "a.png")
    monkeypatch.setattr(ImageFile.ImageFile, "load", load)
    with pytest.raises(DataError, match=r"the system cannot read it \(Input/output error\)"):
        read_image(tmp_path / "a.png", (1, 8, 8))


def test_cover_crops_the_centre() -> None:
    pixels = np.repeat(np.array([[0, 10, 20, 30, 40]], dtype=np.uint8), 3, axis=0)
    assert np.asarray(cover(Image.fromarray(pixels), 3, 3))[0].tolist() == [10, 20, 30]
    assert np.asarray(cover(Image.fromarray(pixels.T.copy()), 3, 3))[:, 0].tolist() == [10, 20, 30]


def test_cover_of_a_fitting_image_changes_nothing() -> None:
    pixels = np.arange(64, dtype=np.uint8).reshape(8, 8)
    assert np.array_equal(np.asarray(cover(Image.fromarray(pixels), 8, 8)), pixels)


def test_cover_is_antialiased() -> None:
    checkers = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)
    small = np.asarray(cover(Image.fromarray(checkers), 8, 8)).astype(int)
    assert np.abs(small - 127.5).max() < 8


def test_cover_of_a_very_long_image_stays_small() -> None:
    assert cover(Image.new("L", (60_000, 1)), 64, 64).size == (64, 64)


@pytest.mark.parametrize("shape", [(4, 8), (8, 4), (1, 9), (9, 1)])
@pytest.mark.parametrize("size", [(32, 24), (60_000, 1), (1, 600), (1, 1)])
def test_cover_takes_any_size_to_any_shape(shape: tuple[int, int], size: tuple[int, int]) -> None:
    assert cover(Image.new("L", size), *shape).size == shape[::-1]


def test_cover_of_another_shape_takes_the_middle() -> None:
    pixels = np.repeat(np.array([[0], [10], [20], [30], [40], [50]], dtype=np.uint8), 4, axis=1)
    assert np.asarray(cover(Image.fromarray(pixels), 2, 4))[:, 0].tolist() == [20, 30]
    assert np.asarray(cover(Image.fromarray(pixels.T.copy()), 4, 2))[0].tolist() == [20, 30]


def test_a_file_is_read_at_its_size_and_channels(tmp_path: Path) -> None:
    pixels = np.arange(96, dtype=np.uint8).reshape(4, 8, 3)
    Image.fromarray(pixels).save(tmp_path / "a.png")
    expected = torch.from_numpy(pixels).permute(2, 0, 1)
    assert torch.equal(read_image(tmp_path / "a.png", (3, 4, 8)), expected)
    assert read_image(tmp_path / "a.png", (1, 2, 6)).shape == (1, 2, 6)


def test_a_photograph_that_is_turned_keeps_its_detail(tmp_path: Path) -> None:
    stripes = np.zeros((200, 4000), dtype=np.uint8)
    stripes[np.arange(200) % 8 < 4] = 255
    exif = Image.Exif()
    exif[0x0112] = 6  # 200 x 4000, once it is turned
    Image.fromarray(stripes).save(tmp_path / "a.jpg", exif=exif, quality=100)
    turned = read_image(tmp_path / "a.jpg", (1, 10, 100))[0].float()
    assert turned.mean(0).std() > 80


@pytest.mark.parametrize(
    ("content", "said"), [(b"", "0 bytes"), (b"none", "no image of a format that is read")]
)
def test_a_file_that_is_no_image_says_why(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "a.png").write_bytes(content)
    with pytest.raises(DataError, match=said):
        read_image(tmp_path / "a.png", (1, 8, 8))


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="it no longer exists"):
        read_image(tmp_path / "a.png", (1, 8, 8))


def _save_any(path: Path, mode: str, orientation: int) -> None:
    """Save noise of 40 x 23 pixels."""
    noise = np.random.default_rng(orientation).integers(0, 256, (23, 40, 4), dtype=np.uint8)
    image = Image.fromarray(noise).convert("RGB").quantize() if mode == "P" else None
    if mode == "I;16":
        image = Image.fromarray(noise[:, :, 0].astype(np.uint16) * 257)
    exif = Image.Exif()
    exif[0x0112] = orientation
    options: dict[str, Any] = {"transparency": 3} if mode == "P" else {}
    (image or Image.fromarray(noise).convert(mode)).save(path, exif=exif, **options)


@pytest.mark.parametrize(
    ("ending", "mode"),
    [
        *(("png", mode) for mode in ("1", "L", "LA", "P", "RGB", "RGBA", "I;16")),
        *(("tif", mode) for mode in ("CMYK", "RGBA")),
        ("webp", "RGBA"),
    ],
)
def test_large_images_are_converted_in_strips_to_the_same_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, ending: str, mode: str
) -> None:
    for orientation in (1, 7):
        path = tmp_path / f"{orientation}.{ending}"
        _save_any(path, mode, orientation)
        shapes = [(3, 8, 8), (1, 4, 23), (3, 50, 30)]
        whole = [read_image(path, shape, (0, 65535)) for shape in shapes]
        with monkeypatch.context() as patched:
            patched.setattr(decode, "LARGE", 0)
            patched.setattr(decode, "STRIP", 100)
            parts = [read_image(path, shape, (0, 65535)) for shape in shapes]
        assert all(map(torch.equal, whole, parts))


def test_a_large_image_is_never_converted_as_a_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _save_any(tmp_path / "a.png", "RGBA", 6)
    converted = []

    def to_mode(image: Image.Image, *arguments: object) -> Image.Image:
        converted.append(image.size)
        return image.convert("RGB")

    monkeypatch.setattr(decode, "to_mode", to_mode)
    monkeypatch.setattr(decode, "LARGE", 23 * 40 - 1)
    monkeypatch.setattr(decode, "STRIP", 300)
    read_image(tmp_path / "a.png", (3, 8, 8))
    assert converted == [*[(23, 13), (23, 13), (23, 13), (23, 1)] * 3, (8, 8)]  # the result
