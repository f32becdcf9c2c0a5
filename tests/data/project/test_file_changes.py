"""Test images of a project that come, go, change and are renamed: each is said once."""

from pathlib import Path

import pytest

from al_lightning.data.project.known_project import ImageUpdate
from tests.data.project.living import Living, shades

Tests = list[str]


class Told(Living):
    """A project that keeps what its last start has found."""

    update: ImageUpdate

    def said(self) -> str:
        """Start, and return what the images event says; "nothing" without one."""
        self.update = self.start().update  # type: ignore[assignment]
        return next((line.removeprefix("images ") for line in self.seen.lines), "nothing")


def given(folder: Path) -> Told:
    """A folder with four training and three test images."""
    living = Told(folder)
    for shade, name in enumerate(("cat/a", "cat/b", "dog/a", "dog/b")):
        living.save(f"train/{name}.png", shade)
    for shade, name in enumerate(("cat/s", "cat/t", "dog/u")):
        living.save(f"test/{name}.png", 100 + shade)
    living.start()
    return living


def split_off(folder: Path) -> tuple[Told, Tests]:
    """A folder of labeled images, a fifth of which are tested on; and their files."""
    living = Told(folder)
    for label, name in enumerate(("cat", "dog")):
        for number in range(15):
            living.save(f"{name}/{number}.png", 2 * number + label)
    files = living.start().test.files
    assert files is not None
    assert len(files) == 6
    return living, [*files]


def test_test_images_go_and_come_back(tmp_path: Path) -> None:
    living = given(tmp_path)
    living.move("test/cat/s.png", "../s.png")
    assert living.said() == "1 test image(s) gone"
    assert living.update.test_names == {"gone": ["test/cat/s.png"], "changed": []}
    assert living.journal.test_images == 2
    assert living.said() == "nothing"
    living.move("../s.png", "test/cat/other.png")
    assert living.said() == "1 renamed, 1 test image(s) back"
    assert living.said() == "nothing"


def test_test_images_are_new_changed_and_renamed(tmp_path: Path) -> None:
    living = given(tmp_path)
    living.save("test/cat/new.png", 200)
    living.save("test/cat/s.png", 201)
    living.move("test/cat/t.png", "test/dog/t.png")
    assert living.said() == "1 renamed, 1 test image(s) new, 1 test image(s) changed"
    assert living.update.test_names == {"gone": [], "changed": ["test/cat/s.png"]}
    assert living.said() == "nothing"


def test_test_images_and_training_images_change_places(tmp_path: Path) -> None:
    living = given(tmp_path)
    living.move("test/cat/s.png", "train/cat/s.png")
    living.move("train/dog/a.png", "test/dog/a.png")
    assert living.said() == ("1 new, 1 gone, 1 test image(s) new, 1 test image(s) now in training")
    assert living.said() == "nothing"
    living.save("test/cat/s.png", 220)  # another image of this name
    assert living.said() == "1 test image(s) new"


def test_what_is_split_off_to_test_on_is_named_when_it_goes_or_changes(tmp_path: Path) -> None:
    living, files = split_off(tmp_path)
    living.remove(*files[1:])
    living.save(files[0], 200)
    assert living.said() == "5 test image(s) gone, 1 test image(s) changed"
    assert sorted(living.update.test_names["gone"]) == files[1:]
    assert living.update.test_names["changed"] == files[:1]
    assert living.load().test.files == (files[0],)
    assert living.said() == "nothing"


def test_a_test_image_that_breaks_is_one_when_it_is_repaired(tmp_path: Path) -> None:
    living, files = split_off(tmp_path)
    living.options = {"on_error": "skip"}
    content = (living.images / files[0]).read_bytes()
    (living.images / files[0]).write_bytes(b"no picture")
    assert living.said() == "1 test image(s) gone"
    assert living.said() == "nothing"
    (living.images / files[0]).write_bytes(content)
    assert living.said() == "1 test image(s) back"
    assert living.load().test.files == (*files,)


@pytest.mark.parametrize("fate", ["renamed", "removed", "nothing"])
def test_the_share_of_new_images_to_test_on_stays(tmp_path: Path, fate: str) -> None:
    living, files = split_off(tmp_path)
    for turn in range(3):
        if fate == "renamed":
            named = [f"{file.split('/')[0]}/{turn} {i}.png" for i, file in enumerate(files)]
            for file, now in zip(files, named, strict=True):
                living.move(file, now)
            files = named
        elif fate == "removed" and turn == 0:
            living.remove(*files)
        living.start()
    before = len(living.load().test)
    assert before == (0 if fate == "removed" else 6)
    for number in range(100):
        living.save(f"cat/new{number}.png", 100 + number)
    assert 10 <= len(living.start().test) - before <= 30


def test_a_copy_that_has_gone_is_forgotten(tmp_path: Path) -> None:
    living = given(tmp_path)
    living.save("train/cat/copy.png", 0)
    assert living.said() == ""
    assert [entry.part for entry in living.update.manifest.entries].count("left out") == 0
    living.load()
    living.remove("train/cat/copy.png")
    assert living.said() == ""
    assert living.said() == "nothing"
    assert not [e for e in living.update.manifest.entries if e.part == "left out"]
    living.save("train/cat/copy.png", 250)
    assert shades(living.start()) == [0, 1, 2, 3, 250]
