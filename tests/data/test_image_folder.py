import io
import logging
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from al_lightning.data import ImageFolder
from al_lightning.errors import DataError, UsageError


def _save(path: Path, shade: int = 0, size: tuple[int, int] = (8, 8)) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade, shade, shade)).save(path)
    return path


def _fill(folder: Path, count: int = 5, classes: tuple[str, ...] = ("cat", "dog")) -> Path:
    for label, name in enumerate(classes):
        for number in range(count):
            _save(folder / name / f"{number}.png", shade=10 * label + number)
    return folder


def test_train_and_test_folders(tmp_path: Path) -> None:
    _fill(tmp_path / "train")
    _fill(tmp_path / "test", count=2)
    data = ImageFolder(str(tmp_path), image_size=4).load()
    assert data.classes == ("cat", "dog")
    assert data.train.pixels.shape == (10, 3, 4, 4)
    assert data.train.pixels.dtype == torch.uint8
    assert data.train.pixels[:, 0, 0, 0].tolist() == [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]
    assert data.train.labels.tolist() == [0] * 5 + [1] * 5
    assert data.test.labels.tolist() == [0, 0, 1, 1]
    assert data.train.files is not None
    assert data.train.files[5] == "train/dog/0.png"
    assert data.test.files == tuple(f"test/{name}/{i}.png" for name in data.classes for i in (0, 1))
    assert data.normalization is None


@pytest.mark.parametrize("inside", ["train", "."])
def test_without_a_test_folder_a_fixed_part_is_split_off(tmp_path: Path, inside: str) -> None:
    _fill(tmp_path / inside, count=10)
    data = ImageFolder(str(tmp_path), image_size=4, test_fraction=0.3).load()
    assert data.train.labels.bincount().tolist() == [7, 7]
    assert data.test.labels.bincount().tolist() == [3, 3]
    assert data.train.files is not None
    assert data.test.files is not None
    assert len({*data.train.files, *data.test.files}) == 20
    for file, pixels in zip(data.test.files, data.test.pixels, strict=True):
        shade = np.asarray(Image.open(tmp_path / file))[0, 0, 0]
        assert int(pixels[0, 0, 0]) == shade
    assert ImageFolder(str(tmp_path), image_size=4, test_fraction=0.3).load().test.files == (
        data.test.files
    )


def test_hidden_and_other_files_are_left_out(tmp_path: Path) -> None:
    folder = _fill(tmp_path)
    (folder / ".git").mkdir()
    (folder / "cat" / "._0.png").write_bytes(b"")
    (folder / "cat" / "notes.txt").write_text("none")
    (folder / "readme.md").write_text("none")
    _save(folder / "dog" / "LOUD.PNG")
    data = ImageFolder(str(tmp_path), image_size=4).load()
    assert len(data.train) + len(data.test) == 11
    assert data.classes == ("cat", "dog")


def test_folders_that_are_not_read_are_said(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    _fill(tmp_path / "train")
    _fill(tmp_path / "validation")
    _save(tmp_path / "train" / "cat" / "more" / "0.png")
    with caplog.at_level(logging.WARNING):
        ImageFolder(str(tmp_path), image_size=4).load()
    assert "the folders validation are left out" in caplog.text
    assert "the folders more are left out" in caplog.text


def test_gray_images(tmp_path: Path) -> None:
    source = ImageFolder(str(_fill(tmp_path)), image_size=4, channels=1)
    assert source.load().image_shape == (1, 4, 4)


def test_modes_formats_and_the_first_frame(tmp_path: Path) -> None:
    folder = _fill(tmp_path / "train")
    _fill(tmp_path / "test", count=1)
    cat = folder / "cat"
    Image.new("RGBA", (9, 5), (0, 0, 0, 0)).save(cat / "a.png")
    Image.new("CMYK", (9, 5), (0, 0, 0, 0)).save(cat / "b.jpg")
    Image.new("1", (5, 9), 1).save(cat / "c.bmp")
    Image.fromarray(np.full((5, 5), 65535, dtype=np.uint16)).save(cat / "d.png")
    Image.fromarray(np.full((5, 5), 1.0, dtype=np.float32)).save(cat / "e.tiff")
    frames = [Image.new("RGB", (6, 6), color) for color in ("white", "black")]
    frames[0].save(cat / "f.gif", save_all=True, append_images=frames[1:])
    Image.new("LA", (5, 5), (0, 0)).save(cat / "g.png")
    palette = Image.new("P", (5, 5), 0)
    palette.putpalette([0, 0, 0])
    palette.save(cat / "h.png", transparency=0)
    data = ImageFolder(str(tmp_path), image_size=4).load()
    assert data.train.files is not None
    for letter in "abcdefgh":
        (row,) = (i for i, file in enumerate(data.train.files) if f"/{letter}." in file)
        assert bool((data.train.pixels[row] == 255).all()), letter


def test_exif_orientation_is_followed(tmp_path: Path) -> None:
    _fill(tmp_path / "train")
    _fill(tmp_path / "test", count=1)
    # The left half is white; turned clockwise, that is the upper half. Four times as large as
    # needed, so that the JPEG is decoded at half its size.
    image = Image.new("L", (32, 32), 0)
    image.paste(255, (0, 0, 16, 32))
    exif = Image.Exif()
    exif[0x0112] = 6
    image.save(tmp_path / "test" / "cat" / "z.jpg", exif=exif, quality=100)
    pixels = ImageFolder(str(tmp_path), image_size=8).load().test.pixels[1, 0]
    assert bool((pixels[:3] > 200).all())
    assert bool((pixels[5:] < 55).all())


def _damage(folder: Path) -> None:
    (folder / "cat" / "empty.jpg").write_bytes(b"")
    (folder / "cat" / "page.jpg").write_text("<html>")
    photo = io.BytesIO()
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(noise).save(photo, "JPEG")
    (folder / "dog" / "cut.jpg").write_bytes(photo.getvalue()[:1500])
    (folder / "dog" / "gone.png").symlink_to(folder / "nowhere.png")


def test_unreadable_files_are_all_named_and_refused(tmp_path: Path) -> None:
    _damage(_fill(tmp_path / "train"))
    _fill(tmp_path / "test")
    (tmp_path / "test" / "cat" / "also.png").write_bytes(b"PNG")
    with pytest.raises(DataError) as raised:
        ImageFolder(str(tmp_path), image_size=8).load()
    said = str(raised.value)
    assert said.startswith(f"5 of the images below {tmp_path} cannot be read:")
    assert "train/cat/empty.jpg: 0 bytes" in said
    assert "train/cat/page.jpg: UnidentifiedImageError" in said
    assert "train/dog/cut.jpg: OSError" in said
    assert "train/dog/gone.png: FileNotFoundError" in said
    assert "test/cat/also.png" in said
    assert "dataset.on_error=skip" in said


def test_at_most_ten_unreadable_files_are_named(tmp_path: Path) -> None:
    _fill(tmp_path)
    for number in range(12):
        (tmp_path / "cat" / f"bad{number:02}.png").write_bytes(b"")
    with pytest.raises(DataError) as raised:
        ImageFolder(str(tmp_path), image_size=8).load()
    said = str(raised.value)
    assert "12 of the images" in said
    assert "bad09.png" in said
    assert "bad10.png" not in said
    assert "and 2 more" in said


@pytest.mark.parametrize("inside", ["train", "."])
def test_unreadable_files_are_skipped_with_a_list(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, inside: str
) -> None:
    folder = _fill(tmp_path / inside)
    _damage(folder)
    if inside == "train":
        _fill(tmp_path / "test")
    with caplog.at_level(logging.WARNING):
        data = ImageFolder(str(tmp_path), image_size=8, on_error="skip").load()
    assert len(data.train) + len(data.test) == (20 if inside == "train" else 10)
    assert data.train.files is not None
    assert not any("empty" in file for file in data.train.files)
    for name in ("empty.jpg", "page.jpg", "cut.jpg", "gone.png"):
        assert name in caplog.text


def test_a_class_whose_images_are_all_skipped_is_named(tmp_path: Path) -> None:
    _fill(tmp_path / "train")
    _fill(tmp_path / "test", count=1)
    (tmp_path / "test" / "dog" / "0.png").write_bytes(b"")
    with pytest.raises(DataError, match="None of the test images of class 'dog'"):
        ImageFolder(str(tmp_path), image_size=8, on_error="skip").load()
    _fill(tmp_path / "flat")
    for number in range(5):
        (tmp_path / "flat" / "dog" / f"{number}.png").write_bytes(b"")
    with pytest.raises(DataError, match="class 'dog' there are no images"):
        ImageFolder(str(tmp_path / "flat"), image_size=8, on_error="skip").load()


def test_a_decompression_bomb_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _fill(tmp_path)
    _save(tmp_path / "cat" / "bomb.png", size=(100, 100))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 1000)
    with pytest.raises(DataError, match=r"cat/bomb\.png: DecompressionBombError"):
        ImageFolder(str(tmp_path), image_size=8).load()


def test_a_class_folder_without_an_image_is_named(tmp_path: Path) -> None:
    _fill(tmp_path)
    (tmp_path / "empty" / "inner").mkdir(parents=True)
    (tmp_path / "empty" / "notes.txt").write_text("none")
    with pytest.raises(DataError, match=r"empty has no image directly in it .*inner"):
        ImageFolder(str(tmp_path)).load()


def test_classes_that_disagree_are_named(tmp_path: Path) -> None:
    _fill(tmp_path / "train", classes=("cat", "dog", "emu"))
    _fill(tmp_path / "test", classes=("cat", "dog", "fox"))
    with pytest.raises(DataError, match=r"train has emu, which test has not; test has fox"):
        ImageFolder(str(tmp_path)).load()


def test_other_arrangements_are_refused_with_the_expected_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere does not exist: expected one folder a class"):
        ImageFolder(str(tmp_path / "nowhere")).load()
    file = _save(tmp_path / "file" / "0.png")
    with pytest.raises(DataError, match=r"0\.png is no folder: expected"):
        ImageFolder(str(file)).load()
    with pytest.raises(DataError, match="at least 2 classes, has none"):
        ImageFolder(str(file.parent)).load()
    with pytest.raises(DataError, match="at least 2 classes, has only 'file'"):
        ImageFolder(str(tmp_path)).load()
    _fill(tmp_path / "half" / "test")
    with pytest.raises(DataError, match="a folder test, but no folder train"):
        ImageFolder(str(tmp_path / "half")).load()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"image_size": 0}, "dataset.image_size=0"),
        ({"channels": 4}, "dataset.channels=4 cannot be; use 3"),
        ({"test_fraction": 1.0}, "dataset.test_fraction=1.0"),
        ({"on_error": "ignore"}, "dataset.on_error=ignore is unknown; use refuse or skip"),
    ],
)
def test_arguments_that_cannot_be_are_refused(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ImageFolder("images", **arguments)  # type: ignore[arg-type]


def test_imbalance_and_flip(tmp_path: Path) -> None:
    _fill(tmp_path / "train", count=10)
    _fill(tmp_path / "test", count=10)
    source = ImageFolder(
        str(tmp_path), image_size=4, horizontal_flip=True, imbalance="step", imbalance_ratio=5
    )
    data = source.load()
    assert source.horizontal_flip
    assert data.train.labels.bincount().tolist() == [10, 2]
    assert data.train.files is not None
    assert len(data.train.files) == 12
    assert data.test.labels.bincount().tolist() == [10, 10]
