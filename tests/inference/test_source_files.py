from pathlib import Path

from al_lightning.data.pixels.remote_file import RemoteFile
from al_lightning.inference.source_files import SourceFiles, key_of
from tests.data.project.living import pets
from tests.inference.label_projects import load, write_images


def test_a_file_is_found_however_its_folder_is_reached(tmp_path: Path) -> None:
    images = write_images(tmp_path / "pets")
    files = SourceFiles(load(images))
    (tmp_path / "link").symlink_to(images)
    for folder in (images, tmp_path / "link", images / "test" / ".."):
        assert files.train[key_of(folder / "train" / "dog" / "a.png")] == 2
    assert key_of(images / "test" / "cat" / "t.png") in files.test
    assert (len(files.train), len(files.test)) == (7, 2)


def test_a_name_is_that_of_the_image_that_has_it_now(tmp_path: Path) -> None:
    project = pets(tmp_path)
    project.remove("unlabeled/z.png", "unlabeled/y.png")
    project.move("unlabeled/w.png", "unlabeled/z.png")
    files = SourceFiles(project.load())  # 7 has gone, and 4 has its name
    assert files.train[key_of(project.images / "unlabeled/z.png")] == 4
    assert files.train[key_of(project.images / "unlabeled/y.png")] == 6


def test_a_link_to_a_file_is_a_file_of_its_own(tmp_path: Path) -> None:
    images = write_images(tmp_path / "pets")
    (images / "other.png").symlink_to(images / "train" / "dog" / "a.png")
    assert key_of(images / "other.png") not in SourceFiles(load(images)).train


def test_places_are_absolute_and_addresses_stay(tmp_path: Path) -> None:
    images = write_images(tmp_path / "pets")
    files = SourceFiles(load(images))
    assert files.of(2) == images / "train" / "dog" / "a.png"
    assert files.place("s3://bucket/a.png") == RemoteFile("s3://bucket/a.png")
    assert key_of(RemoteFile("s3://bucket/a.png")) == "s3://bucket/a.png"
