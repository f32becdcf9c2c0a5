import io
import os
import warnings
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from al_lightning.data.pixels.decode_files import decode_files
from tests.data.folders import png, save


def _noise(kind: str) -> bytes:
    file = io.BytesIO()
    pixels = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(file, kind)
    return file.getvalue()


def _trouble(path: Path) -> str:
    good = save(path.parent / "good.png", shade=9)
    pixels, troubles = decode_files([good, path, good], (3, 4, 4))
    assert bool((pixels[[0, 2]] == 9).all())
    assert troubles[::2] == ["", ""]
    return troubles[1]


def test_files_are_decoded_in_their_order(tmp_path: Path) -> None:
    paths = [save(tmp_path / f"{shade}.png", shade) for shade in range(30)]
    pixels, troubles = decode_files(paths, (1, 4, 4))
    assert pixels.shape == (30, 1, 4, 4)
    assert pixels.dtype == torch.uint8
    assert pixels[:, 0, 0, 0].tolist() == list(range(30))
    assert troubles == [""] * 30


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.png", b"", "it is empty, 0 bytes"),
        ("a.png", b"just text", "its content is no image of a format that is read"),
        ("a.png", _noise("PNG")[:3000], "it is damaged or cut off (OSError: image file is trunc"),
        ("a.jpg", _noise("JPEG")[:1500], "it is damaged or cut off (OSError: image file is trunc"),
        ("a.gif", _noise("GIF")[:900], "it is damaged or cut off ("),
        ("a.png", png(60_000, 60_000, 8, 2, b""), "it says it has more than 178,956,970 pixels"),
    ],
)
def test_bad_content_is_said_in_plain_words(
    tmp_path: Path, name: str, content: bytes, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    assert _trouble(tmp_path / name).startswith(said)


def test_files_that_are_no_files(tmp_path: Path) -> None:
    assert _trouble(tmp_path / "gone.png") == "it no longer exists, or is a broken link"
    (tmp_path / "link.png").symlink_to(tmp_path / "nowhere.png")
    assert _trouble(tmp_path / "link.png") == "it no longer exists, or is a broken link"
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    assert _trouble(tmp_path / "loop.png") == "it is a link to itself"
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe.png")
        assert _trouble(tmp_path / "pipe.png") == "it is no file, but a device or a pipe"


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything"
)
def test_a_file_without_permission(tmp_path: Path) -> None:
    path = save(tmp_path / "secret.png")
    path.chmod(0)
    assert _trouble(path) == "there is no permission to read it"


def test_content_counts_not_the_ending(tmp_path: Path) -> None:
    path = save(tmp_path / "a.png", shade=7).rename(tmp_path / "a.jpg")
    pixels, troubles = decode_files([path], (3, 4, 4))
    assert troubles == [""]
    assert bool((pixels == 7).all())


def test_large_images_beside_small_ones_are_read_without_a_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    # Between one and two times PIL's limit it would warn, once for all files.
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    large = save(tmp_path / "large.png", shade=3, size=(50, 30))
    small = save(tmp_path / "small.png", shade=4, size=(1, 1))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        pixels, troubles = decode_files([large, small], (3, 4, 4))
    assert caught == []
    assert capfd.readouterr() == ("", "")
    assert troubles == ["", ""]
    assert pixels[:, 0, 0, 0].tolist() == [3, 4]
