"""The file that says which file of a project is which image."""

from pathlib import Path

import pytest

from al_lightning.data.project.manifest import Entry, Manifest
from al_lightning.utils.errors import DataError

CAT = Entry(0, "train", "cat", "train/cat/a.png", 80, 1_700_000_000_123_456_789, "d1")
ODD = Entry(1, "train", "", 'odd ",\n=name\udcff.png', 81, 2, "d2")
TEST = Entry(None, "test", "cat", "test/cat/t.png", 82, 3, "d3")


def written(path: Path, *batches: list[Entry]) -> Manifest:
    manifest = Manifest(path)
    for batch in batches:
        content = manifest.appended(batch)
        manifest.append(content)
        manifest = Manifest(path, manifest.size + len(content))
    return manifest


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    manifest = written(tmp_path / "images.csv", [ODD, TEST, CAT])
    assert manifest.entries == (ODD, TEST, CAT)
    assert manifest.images == [CAT, ODD]
    assert manifest.size == manifest.path.stat().st_size


def test_later_rows_replace_those_of_the_same_image_or_file(tmp_path: Path) -> None:
    moved = Entry(0, "train", "dog", "train/dog/a.png", 80, 5, "d1")
    tested = Entry(None, "left out", "", "test/cat/t.png", 0, 6, "d4")
    manifest = written(tmp_path / "images.csv", [CAT, ODD, TEST], [moved, tested])
    assert manifest.entries == (moved, ODD, tested)
    assert manifest.earlier_names == {0: {"train/cat/a.png"}}


def test_what_the_journal_does_not_count_is_overwritten(tmp_path: Path) -> None:
    manifest = written(tmp_path / "images.csv", [CAT])
    manifest.append(manifest.appended([ODD]))  # and the process dies
    again = Manifest(manifest.path, manifest.size)
    assert again.entries == (CAT,)
    again.append(again.appended([TEST]))
    assert Manifest(manifest.path, manifest.path.stat().st_size).entries == (CAT, TEST)


def test_a_manifest_without_rows_has_no_file(tmp_path: Path) -> None:
    assert Manifest(tmp_path / "images.csv").entries == ()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "No such file"),
        (b"id,part\n", "it has 8 bytes instead of"),
        (b"x" * 200, "it has other columns"),
        (b"id,part,label,file,size,modified,digest\n0,train,cat" + b" " * 200, "not enough values"),
        (
            b"id,part,label,file,size,modified,digest\nx,train,,f,1,2,d" + b" " * 200,
            "invalid literal",
        ),
    ],
)
def test_a_damaged_manifest_is_refused(tmp_path: Path, content: bytes | None, message: str) -> None:
    manifest = written(tmp_path / "images.csv", [CAT])
    manifest.path.unlink()
    if content is not None:
        manifest.path.write_bytes(content)
    with pytest.raises(DataError, match=message) as raised:
        Manifest(manifest.path, manifest.size)
    assert "restore both from one copy" in str(raised.value)


@pytest.mark.parametrize("name", ["a\rb", "a\r\nb", '"', "a,b", "", " "])
def test_every_name_of_a_file_is_read_again(tmp_path: Path, name: str) -> None:
    entry = Entry(None, "left out", name, f"cat/{name}.png", 80, 5, "d1")
    assert written(tmp_path / "images.csv", [entry, CAT]).entries == (entry, CAT)
