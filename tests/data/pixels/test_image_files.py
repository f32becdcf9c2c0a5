import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from PIL import EpsImagePlugin, Image, UnidentifiedImageError

from al_lightning.data.pixels import image_files
from al_lightning.data.pixels.image_files import FORMATS, has_deep_colors, open_image
from tests.data.folders import png16, save

EPS = b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n%%EndComments\nshowpage\n"


@pytest.mark.parametrize("name", ["x.png", "x.jpg", "x.tif", "x.eps"])
def test_postscript_is_opened_under_no_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    def ghostscript(*arguments: object, **options: object) -> None:
        raise AssertionError("Ghostscript was started")

    monkeypatch.setattr(EpsImagePlugin, "Ghostscript", ghostscript)
    (tmp_path / name).write_bytes(EPS)
    with pytest.raises(UnidentifiedImageError), open_image(tmp_path / name, 8) as opened:
        opened.load()


@pytest.mark.parametrize("kind", ["PDF", "ICO", "PCX", "SGI", "ICNS", "DDS"])
def test_other_formats_that_pil_writes_are_not_opened(tmp_path: Path, kind: str) -> None:
    Image.new("RGBA" if kind == "ICNS" else "RGB", (64, 64)).save(tmp_path / "x.png", kind)
    with pytest.raises(UnidentifiedImageError), open_image(tmp_path / "x.png", 8):
        pass


@pytest.mark.parametrize("kind", sorted({*FORMATS} - {"HEIF"}))
def test_formats_are_opened_whatever_they_are_called(tmp_path: Path, kind: str) -> None:
    Image.init()
    if kind not in Image.SAVE:
        pytest.skip(f"this Pillow has no {kind}")
    Image.new("RGB", (16, 16), "red").save(tmp_path / "x.png", kind)
    with open_image(tmp_path / "x.png", 8) as opened:
        assert opened.format == kind
        opened.load()


def test_large_images_are_opened_one_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(image_files, "LARGE", 100)
    path, count, most = save(tmp_path / "a.png", size=(20, 20)), 0, 0
    guard = threading.Lock()

    def look(_: int) -> None:
        nonlocal count, most
        with open_image(path, 8):
            with guard:
                count += 1
                most = max(most, count)
            time.sleep(0.01)
            with guard:
                count -= 1

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(look, range(8)))
    assert most == 1


def test_colors_of_sixteen_bits_are_told(tmp_path: Path) -> None:
    (tmp_path / "deep.png").write_bytes(png16([1, 2, 3]))
    save(tmp_path / "flat.png")
    with open_image(tmp_path / "deep.png", 1) as opened:
        assert has_deep_colors(opened)
    with open_image(tmp_path / "flat.png", 1) as opened:
        assert not has_deep_colors(opened)


def test_photographs_of_phones_are_read_where_their_package_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "pillow_heif.py").write_text(
        "from PIL import Image\n\n\n"
        "def register_heif_opener():\n"
        "    Image.OPEN['HEIF'] = Image.OPEN['PNG']\n"
    )
    monkeypatch.setattr(Image, "OPEN", {**Image.OPEN})
    load = image_files._load_formats.__wrapped__
    assert ("HEIF" in load()) == image_files.has_heif()
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "pillow_heif", raising=False)
    assert image_files.has_heif()
    assert "HEIF" in load()
    monkeypatch.delitem(sys.modules, "pillow_heif")
