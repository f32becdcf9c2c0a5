import io
import logging
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageFile

from al_lightning.data import ImageData, ImageFolder
from al_lightning.data.folder import image_folder
from al_lightning.data.folder.folder_files import FolderFiles, find_images
from al_lightning.utils.errors import DataError, UsageError
from tests.data.folders import fill, save


def test_train_and_test_folders(tmp_path: Path) -> None:
    fill(tmp_path / "train")
    fill(tmp_path / "test", count=2)
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
    fill(tmp_path / inside, count=10)
    data = ImageFolder(str(tmp_path), image_size=4, test_fraction=0.3).load()
    assert data.train.labels.bincount().tolist() == [7, 7]
    assert data.test.labels.bincount().tolist() == [3, 3]
    assert data.train.files is not None
    assert data.test.files is not None
    assert len({*data.train.files, *data.test.files}) == 20
    for file, pixels in zip(data.test.files, data.test.pixels[:], strict=True):
        shade = np.asarray(Image.open(tmp_path / file))[0, 0, 0]
        assert int(pixels[0, 0, 0]) == shade
    assert ImageFolder(str(tmp_path), image_size=4, test_fraction=0.3).load().test.files == (
        data.test.files
    )


def test_hidden_and_other_files_are_left_out(tmp_path: Path) -> None:
    folder = fill(tmp_path)
    (folder / ".git").mkdir()
    (folder / "cat" / "._0.png").write_bytes(b"")
    (folder / "cat" / "notes.txt").write_text("none")
    (folder / "readme.md").write_text("none")
    save(folder / "dog" / "LOUD.PNG", shade=99)
    data = ImageFolder(str(tmp_path), image_size=4).load()
    assert len(data.train) + len(data.test) == 11
    assert data.classes == ("cat", "dog")


def test_gray_images(tmp_path: Path) -> None:
    source = ImageFolder(str(fill(tmp_path)), image_size=4, channels=1)
    assert source.load().image_shape == (1, 4, 4)


def test_modes_formats_and_the_first_frame(tmp_path: Path) -> None:
    folder = fill(tmp_path / "train")
    fill(tmp_path / "test", count=1)
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
    data = ImageFolder(str(tmp_path), image_size=4, value_range=[0, 1]).load()
    assert data.train.files is not None
    # All became the same white picture, of which the first stands for the others.
    assert [file for file in data.train.files if file[-5:-4].isalpha()] == ["train/cat/a.png"]
    assert len(data.train) == 11
    assert bool((data.train.pixels[data.train.files.index("train/cat/a.png")] == 255).all())


def test_exif_orientation_is_followed(tmp_path: Path) -> None:
    fill(tmp_path / "train")
    fill(tmp_path / "test", count=1)
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
    _damage(fill(tmp_path / "train"))
    fill(tmp_path / "test")
    (tmp_path / "test" / "cat" / "also.png").write_bytes(b"PNG")
    with pytest.raises(DataError) as raised:
        ImageFolder(str(tmp_path), image_size=8).load()
    said = str(raised.value)
    assert said.startswith(f"5 of the images below {tmp_path} cannot be read:")
    assert "train/cat/empty.jpg: it is empty, 0 bytes" in said
    assert "train/cat/page.jpg: its content is no image of a format that is read" in said
    assert "train/dog/cut.jpg: it is damaged or cut off (OSError: image file is truncated" in said
    assert "train/dog/gone.png: it no longer exists, or is a broken link" in said
    assert "test/cat/also.png" in said
    assert "dataset.on_error=skip" in said


def test_at_most_ten_unreadable_files_are_named(tmp_path: Path) -> None:
    fill(tmp_path)
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
    folder = fill(tmp_path / inside)
    _damage(folder)
    if inside == "train":
        fill(tmp_path / "test")
    with caplog.at_level(logging.WARNING):
        data = ImageFolder(str(tmp_path), image_size=8, on_error="skip").load()
    assert len(data.train) + len(data.test) == (20 if inside == "train" else 10)
    assert data.train.files is not None
    assert not any("empty" in file for file in data.train.files)
    for name in ("empty.jpg", "page.jpg", "cut.jpg", "gone.png"):
        assert name in caplog.text


def test_a_class_whose_images_are_all_skipped_is_named(tmp_path: Path) -> None:
    fill(tmp_path / "train")
    fill(tmp_path / "test", count=1)
    (tmp_path / "test" / "dog" / "0.png").write_bytes(b"")
    with pytest.raises(DataError, match="None of the test images of class 'dog'"):
        ImageFolder(str(tmp_path), image_size=8, on_error="skip").load()
    fill(tmp_path / "flat")
    for number in range(5):
        (tmp_path / "flat" / "dog" / f"{number}.png").write_bytes(b"")
    with pytest.raises(DataError, match="None of the training images of class 'dog'"):
        ImageFolder(str(tmp_path / "flat"), image_size=8, on_error="skip").load()


def test_other_arrangements_are_refused_with_the_expected_one(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"nowhere does not exist: expected one folder per class"):
        ImageFolder(str(tmp_path / "nowhere")).load()
    file = save(tmp_path / "file" / "0.png")
    with pytest.raises(DataError, match=r"0\.png is no folder: expected"):
        ImageFolder(str(file)).load()
    with pytest.raises(DataError, match="at least 2 classes, has none"):
        ImageFolder(str(file.parent)).load()
    with pytest.raises(DataError, match="at least 2 classes, has only 'file'"):
        ImageFolder(str(tmp_path)).load()
    fill(tmp_path / "half" / "test")
    with pytest.raises(DataError, match="a folder test, but no folder train"):
        ImageFolder(str(tmp_path / "half")).load()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"image_size": 0}, "dataset.image_size=0"),
        ({"channels": 4}, "dataset.channels=4 is not valid; use 3"),
        ({"channels": 1.0}, r"dataset.channels=1\.0 is not valid; use 3"),
        ({"test_fraction": 1.0}, "dataset.test_fraction=1.0"),
        ({"test_fraction": -0.1}, "dataset.test_fraction=-0.1"),
        ({"classes": ["cat", "cat"]}, "dataset.classes names 'cat' twice"),
        ({"on_error": "ignore"}, "dataset.on_error=ignore is unknown; use refuse or skip"),
    ],
)
def test_arguments_that_cannot_be_are_refused(arguments: dict[str, object], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        ImageFolder("images", **arguments)  # type: ignore[arg-type]


def test_imbalance_and_flip(tmp_path: Path) -> None:
    fill(tmp_path / "train", count=10)
    fill(tmp_path / "test", count=10)
    source = ImageFolder(
        str(tmp_path), image_size=4, horizontal_flip=True, imbalance="step", imbalance_ratio=5
    )
    data = source.load()
    assert source.horizontal_flip
    assert data.train.labels.bincount().tolist() == [10, 2]
    assert data.train.files is not None
    assert len(data.train.files) == 12
    assert data.test.labels.bincount().tolist() == [10, 10]


# Images that nobody has labeled yet


def _labels(data: ImageData) -> dict[str, int]:
    assert data.train.files is not None
    return dict(zip(data.train.files, data.train.labels.tolist(), strict=True))


def test_unlabeled_images_follow_the_labeled_ones(tmp_path: Path) -> None:
    fill(tmp_path / "train", count=2)
    save(tmp_path / "unlabeled" / "b.png", shade=30)
    save(tmp_path / "unlabeled" / "a" / "deep.png", shade=31)
    data = ImageFolder(str(tmp_path), image_size=4).load()
    assert list(_labels(data).items()) == [
        ("train/cat/0.png", 0),
        ("train/cat/1.png", 0),
        ("train/dog/0.png", 1),
        ("train/dog/1.png", 1),
        ("unlabeled/a/deep.png", -1),
        ("unlabeled/b.png", -1),
    ]
    assert data.train.pixels[:, 0, 0, 0].tolist() == [0, 1, 10, 11, 31, 30]
    assert data.given_ids.tolist() == [0, 1, 2, 3]
    assert data.test.pixels.shape == (0, 3, 4, 4)
    assert data.test.files == ()
    assert data.fingerprint() == ImageFolder(str(tmp_path), image_size=4).load().fingerprint()


def test_all_is_unlabeled_and_the_user_names_the_classes(tmp_path: Path) -> None:
    save(tmp_path / "unlabeled" / "0.png", shade=0)
    save(tmp_path / "unlabeled" / "1.png", shade=1)
    data = ImageFolder(str(tmp_path), image_size=4, classes=["dog", "cat"]).load()
    assert data.classes == ("dog", "cat")
    assert data.train.labels.tolist() == [-1, -1]
    assert len(data.given_ids) == len(data.test) == 0
    with pytest.raises(DataError, match=r"Name them all: 'dataset\.classes="):
        ImageFolder(str(tmp_path)).load()


def test_a_class_that_nobody_has_labeled_yet_may_be_known_from_test(tmp_path: Path) -> None:
    fill(tmp_path / "train", classes=("dog",), count=1)
    fill(tmp_path / "test", count=2, first=50)
    save(tmp_path / "unlabeled" / "0.png", shade=30)
    data = ImageFolder(str(tmp_path), image_size=4).load()
    assert data.classes == ("cat", "dog")
    assert data.train.labels.tolist() == [1, -1]
    assert data.test.labels.tolist() == [0, 0, 1, 1]


@pytest.mark.parametrize("labeled", [0, 10])
def test_labels_that_somebody_chose_are_nothing_to_measure_by(tmp_path: Path, labeled: int) -> None:
    fill(tmp_path / "train", count=labeled) if labeled else None
    save(tmp_path / "unlabeled" / "0.png", shade=30)
    with pytest.raises(
        UsageError, match=r"test_fraction=0\.3 .* no random sample.*budget\.validation"
    ):
        ImageFolder(str(tmp_path), classes=("cat", "dog"), test_fraction=0.3).load()
    data = ImageFolder(str(tmp_path), classes=("cat", "dog"), test_fraction=0).load()
    assert len(data.test) == 0


def test_a_fraction_that_leaves_nothing_to_test_on_is_refused(tmp_path: Path) -> None:
    fill(tmp_path)
    with pytest.raises(UsageError, match=r"dataset\.test_fraction=0 leaves no test images"):
        ImageFolder(str(tmp_path), test_fraction=0).load()


def test_imbalance_is_refused_where_classes_are_unknown(tmp_path: Path) -> None:
    fill(tmp_path / "train")
    (tmp_path / "unlabeled").mkdir()
    (tmp_path / "unlabeled" / "0.png").write_bytes(b"never read")
    with pytest.raises(UsageError, match=r"dataset\.imbalance=step is not possible with unl"):
        ImageFolder(str(tmp_path), imbalance="step").load()


def test_a_pool_without_a_readable_unlabeled_image_is_refused(tmp_path: Path) -> None:
    fill(tmp_path / "train")
    (tmp_path / "unlabeled").mkdir()
    (tmp_path / "unlabeled" / "0.png").write_bytes(b"")
    with pytest.raises(DataError, match="None of the unlabeled images can be read"):
        ImageFolder(str(tmp_path), on_error="skip").load()


# Files that come and go, and names


def test_a_file_that_vanishes_while_others_are_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(tmp_path)

    def find_and_lose(root: Path, named: tuple[str, ...], **options: Any) -> FolderFiles:
        found = find_images(root, named, **options)
        (root / "dog" / "3.png").unlink()
        return found

    monkeypatch.setattr(image_folder, "find_images", find_and_lose)
    with pytest.raises(DataError, match=r"dog/3\.png: it no longer exists"):
        ImageFolder(str(tmp_path)).load()


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_names_that_are_not_utf8_are_named_and_can_be_skipped(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(tmp_path)
    try:
        os.rename(tmp_path / "cat" / "0.png", os.fsencode(tmp_path / "cat") + b"/caf\xe9.png")  # noqa: PTH104
    except OSError:
        pytest.skip("this file system takes UTF-8 alone")
    with pytest.raises(DataError, match=r"cat/caf\\xe9\.png: its name is not UTF-8; rename it"):
        ImageFolder(str(tmp_path)).load()
    with caplog.at_level(logging.WARNING):
        data = ImageFolder(str(tmp_path), on_error="skip").load()
    assert len(data.train) + len(data.test) == 9
    assert "caf\\xe9.png" in caplog.text


def test_long_names_are_read_and_named(tmp_path: Path) -> None:
    fill(tmp_path / "train")
    fill(tmp_path / "test", first=50)
    long = "n" * 240 + ".png"
    save(tmp_path / "train" / "dog" / long, shade=40)
    data = ImageFolder(str(tmp_path)).load()
    assert data.train.files is not None
    assert data.train.files[-1] == f"train/dog/{long}"
    (tmp_path / "train" / "dog" / long).write_bytes(b"")
    with pytest.raises(DataError, match=f"train/dog/{long}: it is empty"):
        ImageFolder(str(tmp_path)).load()


def test_large_and_small_images_lie_beside_each_other(tmp_path: Path) -> None:
    fill(tmp_path)
    save(tmp_path / "cat" / "large.png", shade=200, size=(4000, 3000))
    save(tmp_path / "cat" / "small.png", shade=201, size=(1, 1))
    save(tmp_path / "cat" / "wide.png", shade=202, size=(5000, 1))
    data = ImageFolder(str(tmp_path), image_size=4).load()
    shades = torch.cat([data.train.pixels[:], data.test.pixels[:]])[:, 0, 0, 0].tolist()
    assert {200, 201, 202} < set(shades)


# Copies


def test_copies_to_learn_from_are_asked_for_once(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(tmp_path / "train")
    fill(tmp_path / "test", first=50)
    save(tmp_path / "train" / "cat" / "again.png", shade=3)
    for name, shade in (("0", 3), ("1", 90), ("2", 90), ("3", 91), ("4", 91), ("5", 92), ("6", 92)):
        save(tmp_path / "unlabeled" / f"{name}.png", shade)
    with caplog.at_level(logging.WARNING):
        data = ImageFolder(str(tmp_path), image_size=4).load()
    assert len(data.train) == 13
    assert data.train.files is not None
    assert data.train.files[10:] == ("unlabeled/1.png", "unlabeled/3.png", "unlabeled/5.png")
    (record,) = caplog.records
    assert record.getMessage() == (
        f"{tmp_path}: 5 of the training images are copies of others, equal in every pixel. Each "
        "image is queried once; if you remove copies, keep the first of each:\n"
        "  - train/cat/3.png = unlabeled/0.png\n"
        "  - unlabeled/1.png = unlabeled/2.png\n"
        "  - unlabeled/3.png = unlabeled/4.png\n"
        "  - and 1 more"
    )
    for copy in ("train/cat/again.png", "unlabeled/0.png", "unlabeled/4.png"):
        (tmp_path / copy).unlink()
    tidied = ImageFolder(str(tmp_path), image_size=4).load()
    assert tidied.fingerprint() == data.fingerprint()  # so that a run goes on


@pytest.mark.parametrize("inside", ["train", "unlabeled"])
def test_copies_of_test_images_are_warned_of(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, inside: str
) -> None:
    fill(tmp_path / "train")
    fill(tmp_path / "test", first=50)
    save(tmp_path / "unlabeled" / "0.png", shade=90)
    copy = f"{inside}/cat/copy.png"
    save(tmp_path / copy, shade=51)
    with caplog.at_level(logging.WARNING):
        ImageFolder(str(tmp_path), image_size=4).load()
    (record,) = caplog.records
    assert "1 of the test images are training images too" in record.getMessage()
    assert all(name in record.getMessage() for name in (copy, "test/cat/1.png"))


def test_the_split_parts_no_copies(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    for number in range(10):
        save(tmp_path / "cat" / f"{number}.png", shade=number // 5)
        save(tmp_path / "dog" / f"{number}.png", shade=100 + number)
    with caplog.at_level(logging.WARNING):
        data = ImageFolder(str(tmp_path), image_size=4).load()
    assert len(data.train) + len(data.test) == 12
    (record,) = caplog.records
    assert "8 of the training images are copies of others" in record.getMessage()


@pytest.mark.parametrize("part", ["train", "test"])
def test_a_picture_in_two_classes_is_refused_or_left_out(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, part: str
) -> None:
    fill(tmp_path / "train")
    fill(tmp_path / "test", first=50)
    save(tmp_path / part / "dog" / "copy.png", shade=2)
    with pytest.raises(DataError) as raised:
        ImageFolder(str(tmp_path), image_size=4).load()
    assert str(raised.value) == (
        f"1 of the images below {tmp_path} are in folders of different classes, equal in every "
        f"pixel at 4 x 4:\n  - train/cat/2.png: the same image as {part}/dog/copy.png\n"
        "Keep each in one class and remove the duplicates, or leave them out with "
        "dataset.on_error=skip"
    )
    with caplog.at_level(logging.WARNING):
        data = ImageFolder(str(tmp_path), image_size=4, on_error="skip").load()
    assert len(data.train) + len(data.test) == 19
    (record,) = caplog.records
    assert f"train/cat/2.png: the same image as {part}/dog/copy.png" in record.getMessage()


def test_pictures_of_two_classes_can_leave_a_class_empty(tmp_path: Path) -> None:
    fill(tmp_path / "train", count=1)
    fill(tmp_path / "test", count=1, first=50)
    save(tmp_path / "train" / "dog" / "0.png", shade=0)
    with pytest.raises(DataError, match="None of the training images of class 'cat' can be used"):
        ImageFolder(str(tmp_path), image_size=4, on_error="skip").load()


def test_deep_images_need_one_range_for_the_folder(tmp_path: Path) -> None:
    for label, name in enumerate(("cat", "dog")):
        for i in range(5):
            path = tmp_path / name / f"{i}.tif"
            path.parent.mkdir(exist_ok=True)
            values = np.full((8, 8), 2048 * label + 256 * i, dtype=np.uint16)
            values[0] = 0
            Image.fromarray(values).save(path)
    for on_error in ("refuse", "skip"):
        with pytest.raises(
            UsageError, match=r"10 of the 10 images .*'dataset.value_range=\[0,4095\]'"
        ):
            ImageFolder(str(tmp_path), image_size=8, on_error=on_error).load()
    source = ImageFolder(str(tmp_path), image_size=8, value_range=[0, 4095], test_fraction=0.2)
    data = source.load()
    assert data.train.files is not None
    for file, image in zip(data.train.files, data.train.pixels[:], strict=True):
        value = int(np.asarray(Image.open(tmp_path / file))[7, 7])
        assert image.flatten().max() == round(value * 255 / 4095)
        assert image.flatten().min() == 0


@pytest.mark.parametrize("storage", ["memory", "disk", "stream"])
def test_memory_that_is_short_drops_no_image(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, storage: str
) -> None:
    def load(self: Image.Image) -> None:
        raise MemoryError

    fill(tmp_path / "images")
    cache = str(tmp_path / "cache")
    source = ImageFolder(
        str(tmp_path / "images"), on_error="skip", storage=storage, cache_dir=cache, workers=1
    )
    with monkeypatch.context() as patch:
        patch.setattr(ImageFile.ImageFile, "load", load)
        with pytest.raises(UsageError, match="cannot be decoded now"):
            source.load()
    data = source.load()
    assert len(data.train) + len(data.test) == 10


@pytest.mark.parametrize("storage", ["memory", "disk", "stream"])
def test_the_range_reaches_every_storage(tmp_path: Path, storage: str) -> None:
    folder = tmp_path / "images"
    fill(folder / "test", count=1, first=100)
    fill(folder / "train")
    deep = np.full((8, 8), 1000, dtype=np.uint16)
    Image.fromarray(deep).save(folder / "train" / "cat" / "deep.png")
    cache = str(tmp_path / "cache")
    for white, expected in ((4000, 64), (2000, 128)):
        source = ImageFolder(
            str(folder),
            image_size=8,
            value_range=[0, white],
            storage=storage,
            cache_dir=cache,
            workers=1,
        )
        train = source.load().train
        assert train.files is not None
        found = train.pixels[train.files.index("train/cat/deep.png")]
        assert {*found.flatten().tolist()} == {expected}
