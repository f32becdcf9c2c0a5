"""The file that says which file of a project is which image."""

from dataclasses import replace
from pathlib import Path

import pytest

from al_lightning.data.project.manifest import FORGOTTEN, Entry, Manifest
from al_lightning.utils.errors import DataError

CAT = Entry(0, "train", "cat", "train/cat/a.png", 80, 1_700_000_000_123_456_789, 7, "d1")
ODD = Entry(1, "train", "", 'odd ",\n=name\udcff.png', 81, 2, 8, "d2")
TEST = Entry(None, "test", "cat", "test/cat/t.png", 82, 3, 9, "d3")


def written(path: Path, *batches: list[Entry]) -> Manifest:
    manifest = Manifest(path)
    for batch in batches:
        content = manifest.appended(batch)
        manifest.append(content)
        manifest = Manifest(path, manifest.size + len(content), manifest.sha256_with(content))
    return manifest


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    manifest = written(tmp_path / "images.csv", [ODD, TEST, CAT])
    assert manifest.entries == (ODD, TEST, CAT)
    assert manifest.images == [CAT, ODD]
    assert manifest.size == manifest.path.stat().st_size


def test_later_rows_replace_those_of_the_same_image_or_file(tmp_path: Path) -> None:
    moved = Entry(0, "train", "dog", "train/dog/a.png", 80, 5, 5, "d1")
    tested = Entry(None, "left out", "", "test/cat/t.png", 0, 6, 6, "d4")
    manifest = written(tmp_path / "images.csv", [CAT, ODD, TEST], [moved, tested])
    assert manifest.entries == (moved, ODD, tested)
    assert manifest.earlier_names == {0: {"train/cat/a.png"}}


def test_what_the_journal_does_not_count_is_overwritten(tmp_path: Path) -> None:
    manifest = written(tmp_path / "images.csv", [CAT])
    manifest.append(manifest.appended([ODD]))  # and the process dies
    again = Manifest(manifest.path, manifest.size, manifest.sha256_with(b""))
    assert again.entries == (CAT,)
    again.append(content := again.appended([TEST]))
    whole = manifest.path.stat().st_size, again.sha256_with(content)
    assert Manifest(manifest.path, *whole).entries == (CAT, TEST)


def test_a_manifest_without_rows_has_no_file(tmp_path: Path) -> None:
    assert Manifest(tmp_path / "images.csv").entries == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        (b"id,part\n", "it has 8 bytes instead of"),
        (b"x" * 200, "it was changed"),
    ],
)
def test_a_damaged_manifest_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    manifest = written(tmp_path / "images.csv", [CAT])
    manifest.path.unlink()
    if content is not None:
        manifest.path.write_bytes(content)
    with pytest.raises(DataError, match=message) as raised:
        Manifest(manifest.path, manifest.size, manifest.sha256_with(b""))
    assert "restore both from one copy" in str(raised.value)


@pytest.mark.parametrize("name", ["a\rb", "a\r\nb", '"', "a,b", "", " "])
def test_every_name_of_a_file_is_read_again(tmp_path: Path, name: str) -> None:
    entry = Entry(None, "left out", name, f"cat/{name}.png", 80, 5, 6, "d1")
    assert written(tmp_path / "images.csv", [entry, CAT]).entries == (entry, CAT)


def test_ids_that_change_places_are_noticed(tmp_path: Path) -> None:
    manifest = written(tmp_path / "images.csv", [CAT, replace(CAT, id=2, file="train/cat/b.png")])
    content = manifest.path.read_bytes()
    swapped = content.replace(b"\n0,", b"\n9,").replace(b"\n2,", b"\n0,").replace(b"\n9,", b"\n2,")
    manifest.path.write_bytes(swapped)
    with pytest.raises(DataError, match="it was changed"):
        Manifest(manifest.path, manifest.size, manifest.sha256_with(b""))


def test_a_name_that_is_forgotten_has_no_entry(tmp_path: Path) -> None:
    forgotten = replace(TEST, part=FORGOTTEN)
    assert written(tmp_path / "images.csv", [CAT, TEST], [forgotten]).entries == (CAT,)
