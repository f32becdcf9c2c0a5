import logging
import os
from pathlib import Path

import pytest

from al_lightning.data.folder.folder_files import find_images
from al_lightning.utils.errors import DataError
from tests.data.folders import fill, save


def _names(root: Path, paths: object) -> list[str]:
    assert isinstance(paths, list)
    return [path.relative_to(root).as_posix() for path in paths]


def test_train_test_and_unlabeled(tmp_path: Path) -> None:
    fill(tmp_path / "train", count=2)
    fill(tmp_path / "test", count=1)
    for name in ("b.png", "a/z.png", "a/b/c/deep.PNG", "a/.hidden.png", ".hidden/x.png"):
        save(tmp_path / "unlabeled" / name)
    found = find_images(tmp_path)
    assert {name: _names(tmp_path, paths) for name, paths in found.train.items()} == {
        "cat": ["train/cat/0.png", "train/cat/1.png"],
        "dog": ["train/dog/0.png", "train/dog/1.png"],
    }
    assert found.test is not None
    assert [len(paths) for paths in found.test.values()] == [1, 1]
    assert _names(tmp_path / "unlabeled", found.unlabeled) == ["a/b/c/deep.PNG", "a/z.png", "b.png"]


def test_classes_may_lie_beside_unlabeled(tmp_path: Path) -> None:
    fill(tmp_path)
    save(tmp_path / "unlabeled" / "0.png")
    found = find_images(tmp_path)
    assert list(found.train) == ["cat", "dog"]
    assert found.test is None
    assert _names(tmp_path, found.unlabeled) == ["unlabeled/0.png"]


def test_unlabeled_alone_and_with_test(tmp_path: Path) -> None:
    save(tmp_path / "unlabeled" / "0.png")
    assert find_images(tmp_path).train == {}
    assert find_images(tmp_path).test is None
    fill(tmp_path / "test")
    found = find_images(tmp_path)
    assert found.train == {}
    assert found.test is not None
    assert list(found.test) == ["cat", "dog"]
    fill(tmp_path, classes=("emu",))
    with pytest.raises(DataError, match="no folder train: move the folders of the classes into it"):
        find_images(tmp_path)


def test_images_without_any_folder_are_unlabeled(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    for name in ("b.png", "a.jpg", ".hidden.png", "@eaDir/b.png"):
        save(tmp_path / name)
    (tmp_path / "notes.txt").write_text("none")
    with caplog.at_level(logging.WARNING):
        found = find_images(tmp_path)
    assert (dict(found.train), found.test) == ({}, None)
    assert _names(tmp_path, found.unlabeled) == ["a.jpg", "b.png"]
    assert "1 file is left out" in caplog.text
    assert "no class's folder" not in caplog.text
    fill(tmp_path / "test")
    found = find_images(tmp_path)
    assert found.test is not None
    assert _names(tmp_path, found.unlabeled) == ["a.jpg", "b.png"]
    fill(tmp_path / "train")  # now they have no place
    assert find_images(tmp_path).unlabeled is None
    assert "(unlabeled ones go into unlabeled/): a.jpg, b.png" in caplog.text
    found = find_images(tmp_path, reads_beside=True)
    assert [*found.train] == ["cat", "dog"]
    assert _names(tmp_path, found.unlabeled) == ["a.jpg", "b.png"]
    save(tmp_path / "unlabeled" / "c.png")
    found = find_images(tmp_path, reads_beside=True)
    assert _names(tmp_path, found.unlabeled) == ["a.jpg", "b.png", "unlabeled/c.png"]


def test_an_unlabeled_folder_without_images_is_refused(tmp_path: Path) -> None:
    fill(tmp_path / "train")
    (tmp_path / "unlabeled" / "more").mkdir(parents=True)
    (tmp_path / "unlabeled" / "list.txt").write_text("none")
    with pytest.raises(DataError, match=r"no image in .*unlabeled: add the images to be labeled"):
        find_images(tmp_path)


def test_a_class_folder_without_images_is_refused_unless_named_elsewhere(tmp_path: Path) -> None:
    fill(tmp_path / "train")
    (tmp_path / "train" / "emu" / "inner").mkdir(parents=True)
    with pytest.raises(DataError, match=r"train/emu has no image directly in it .*inner"):
        find_images(tmp_path, ("cat", "dog", "emu"))
    save(tmp_path / "unlabeled" / "0.png")
    with pytest.raises(DataError, match=r"train/emu has no .*name the class in dataset\.classes"):
        find_images(tmp_path)
    assert find_images(tmp_path, ("cat", "dog", "emu")).train["emu"] == []
    fill(tmp_path / "test", classes=("cat", "dog", "emu"))
    assert find_images(tmp_path).train["emu"] == []


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("Train", "train"),
        ("TEST", "test"),
        ("unlabelled", "unlabeled"),
        ("unlabeled ", "unlabeled"),
    ],
)
def test_names_that_are_nearly_reserved_are_refused(tmp_path: Path, name: str, meant: str) -> None:
    fill(tmp_path)
    save(tmp_path / name / "0.png")
    with pytest.raises(DataError, match=f"has a folder '{name}': rename it to '{meant}'"):
        find_images(tmp_path)


def test_what_is_left_out_is_said_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    fill(tmp_path / "train")
    fill(tmp_path / "validation")
    save(tmp_path / "train" / "cat" / "more" / "0.png")
    save(tmp_path / "train" / "homeless.png")
    save(tmp_path / "unlabeled" / "0.png")
    for name in ("train/cat/a.txt", "train/dog/b.TXT", "unlabeled/c.heix", "unlabeled/deep/README"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("none")
    (tmp_path / "train" / "cat" / ".DS_Store").write_bytes(b"")
    (tmp_path / "labels.csv").write_text("none")
    with caplog.at_level(logging.WARNING):
        find_images(tmp_path)
    assert [record.getMessage().removeprefix(f"{tmp_path}: ") for record in caplog.records] == [
        "4 files are left out, without the ending of an image: 2 .txt, 1 .heix, 1 without any",
        "these folders are left out; only train, test and unlabeled are read: validation",
        "these folders inside the folders of classes are left out, with what is in them: "
        "train/cat/more",
        "these images in no class's folder are left out (unlabeled ones go into unlabeled/): "
        "train/homeless.png",
    ]


def test_few_of_many_are_named(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    fill(tmp_path)
    for number in range(8):
        save(tmp_path / f"{number}.png")
    with caplog.at_level(logging.WARNING):
        find_images(tmp_path)
    (record,) = caplog.records
    assert record.getMessage().endswith(
        "unlabeled/): 0.png, 1.png, 2.png, 3.png, 4.png, and 3 more"
    )


def test_loops_of_links_end(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    fill(tmp_path / "train")
    unlabeled = tmp_path / "unlabeled"
    save(unlabeled / "a" / "0.png")
    (unlabeled / "a" / "loop").symlink_to(unlabeled)
    (unlabeled / "a" / "up").symlink_to(tmp_path)
    (unlabeled / "b").symlink_to(unlabeled / "a")
    (unlabeled / "itself").symlink_to(unlabeled / "itself")
    (tmp_path / "train" / "cat" / "loop").symlink_to(tmp_path / "train")
    elsewhere = save(tmp_path.parent / f"{tmp_path.name}-elsewhere" / "1.png").parent
    (unlabeled / "linked").symlink_to(elsewhere)
    with caplog.at_level(logging.WARNING):
        found = find_images(tmp_path)
    assert _names(unlabeled, found.unlabeled) == ["a/0.png", "linked/1.png"]
    assert (
        "because other links lead to them: unlabeled/b, unlabeled/a/loop, unlabeled/a/up"
        in caplog.text
    )
    assert "with what is in them: train/cat/loop" in caplog.text


@pytest.mark.skipif(os.name == "nt", reason="names are text there")
def test_the_name_of_a_class_must_be_utf8(tmp_path: Path) -> None:
    fill(tmp_path)
    try:
        (tmp_path / os.fsdecode(b"caf\xe9")).mkdir()
    except OSError:
        pytest.skip("this file system takes UTF-8 alone")
    with pytest.raises(
        DataError, match=r"caf\\xe9 is not a valid class name: it is not UTF-8\. Rename it"
    ):
        find_images(tmp_path)


def test_names_of_classes_are_brought_to_one_form(tmp_path: Path) -> None:
    for name in ("  big   cat ", "cafe\u0301", "a\tb"):
        save(tmp_path / "train" / name / "0.png")
    save(tmp_path / "test" / "big cat" / "0.png")
    found = find_images(tmp_path)
    assert sorted(found.train) == ["a b", "big cat", "caf\u00e9"]
    assert [len(images) for images in found.train.values()] == [1, 1, 1]
    assert found.test is not None
    assert list(found.test) == ["big cat"]


@pytest.mark.parametrize("name", ["big  cat", "big cat ", "big\u00a0cat", "big\tcat"])
def test_two_folders_of_one_name_are_refused(tmp_path: Path, name: str) -> None:
    fill(tmp_path, classes=("big cat", name))
    with pytest.raises(DataError, match="look like one class in several spellings: "):
        find_images(tmp_path)


@pytest.mark.parametrize("name", ["a\x07b", "\x1b[31mred", "\x7f"])
def test_control_characters_name_no_class(tmp_path: Path, name: str) -> None:
    fill(tmp_path, classes=("cat", name))
    with pytest.raises(
        DataError, match=r"is not a valid class name: it has the character \\x.*Rename it"
    ):
        find_images(tmp_path)


def test_what_systems_put_there_is_no_image_and_no_class(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    fill(tmp_path / "train", count=2)
    fill(tmp_path / "test", count=1)
    windows, nas = ("$RECYCLE.BIN", "FOUND.007", "OneDriveTemp"), ("@eaDir", "#recycle", "trashbox")
    for folder in (*windows, *nas, "__MACOSX", "lost+found", "@Recycle"):
        for place in (".", "train", "train/cat", "test", "unlabeled", "unlabeled/day 1"):
            save(tmp_path / place / folder / "x.jpg" / "SYNOPHOTO_THUMB_XL.jpg")
            save(tmp_path / place / folder / "y.jpg")
    for name in (".Trash-1000/a.png", ".AppleDouble/b.png", "._c.png", "day 1/d.png"):
        save(tmp_path / "unlabeled" / name)
    (tmp_path / "unlabeled" / "Thumbs.db").write_bytes(b"thumbnails")
    (tmp_path / "train" / "cat" / "Desktop.ini").write_bytes(b"")
    with caplog.at_level(logging.WARNING):
        found = find_images(tmp_path)
    assert _names(tmp_path, found.unlabeled) == ["unlabeled/day 1/d.png"]
    assert {name: len(images) for name, images in found.train.items()} == {"cat": 2, "dog": 2}
    assert found.test is not None
    assert {name: len(images) for name, images in found.test.items()} == {"cat": 1, "dog": 1}
    (record,) = caplog.records
    assert "because they are system folders: " in record.getMessage()
    assert record.getMessage().endswith("and 49 more")


def test_an_image_may_be_called_as_a_folder_of_a_system(tmp_path: Path) -> None:
    fill(tmp_path / "train")
    save(tmp_path / "unlabeled" / "recycled.png")
    save(tmp_path / "unlabeled" / "my @eaDir" / "1.png")
    assert _names(tmp_path / "unlabeled", find_images(tmp_path).unlabeled) == [
        "my @eaDir/1.png",
        "recycled.png",
    ]


@pytest.mark.skipif(
    not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything"
)
def test_a_folder_without_permission_is_an_os_error(tmp_path: Path) -> None:
    folder = fill(tmp_path) / "cat"
    folder.chmod(0)
    try:
        with pytest.raises(OSError, match="Permission"):
            find_images(tmp_path)
    finally:
        folder.chmod(0o700)
