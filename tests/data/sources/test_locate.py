from pathlib import Path

import pytest

from al_lightning.data.sources.locate import PublishedFiles, locate
from al_lightning.utils.errors import DataError


def _put(folder: Path, *names: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        (folder / name).write_bytes(b"content")
    return folder


def _nothing(root: Path) -> None:
    pytest.fail("nothing should be downloaded")


def _files(fetch: object = _nothing, elsewhere: tuple[Path, ...] = ()) -> PublishedFiles:
    assert callable(fetch)
    return PublishedFiles(
        title="Example",
        folder="Example/raw",
        names=("a", "b"),
        fetch=fetch,
        endings=("", ".gz"),
        elsewhere=elsewhere,
        advice="Install the package example.",
    )


def test_the_root_comes_first_and_plain_files_before_compressed(tmp_path: Path) -> None:
    folder = _put(tmp_path / "Example/raw", "a", "a.gz", "b.gz")
    other = _put(tmp_path / "other", "a", "b")
    found = locate(_files(elsewhere=(other,)), tmp_path, download=True)
    assert found == {"a": folder / "a", "b": folder / "b.gz"}


def test_an_incomplete_folder_is_passed_over(tmp_path: Path) -> None:
    _put(tmp_path / "Example/raw", "a")
    other = _put(tmp_path / "other", "a.gz", "b.gz")
    found = locate(_files(elsewhere=(other,)), tmp_path, download=True)
    assert found == {"a": other / "a.gz", "b": other / "b.gz"}


def test_what_is_nowhere_is_downloaded_into_the_root(tmp_path: Path) -> None:
    root = tmp_path / "new"
    found = locate(_files(lambda at: _put(at / "Example/raw", "a", "b")), root, download=True)
    assert found == {name: root / "Example/raw" / name for name in "ab"}
    assert found["a"].read_bytes() == b"content"
    assert [path.name for path in root.iterdir()] == ["Example"]  # no staging folder stays behind


def test_a_download_leaves_files_that_are_there_alone(tmp_path: Path) -> None:
    (_put(tmp_path / "Example/raw") / "a.gz").write_bytes(b"mine")
    found = locate(_files(lambda at: _put(at / "Example/raw", "a", "b")), tmp_path, download=True)
    assert found["a"].read_bytes() == b"mine"
    assert found["b"].read_bytes() == b"content"


def test_a_failed_download_is_one_error_with_all_that_was_tried(tmp_path: Path) -> None:
    def fail(at: Path) -> None:
        _put(at / "Example/raw", "a")
        raise ConnectionError("no route\nto host")

    other = _put(tmp_path / "other", "b")
    with pytest.raises(DataError) as raised:
        locate(_files(fail, (other,)), tmp_path / "root", download=True)
    said = str(raised.value)
    target = tmp_path / "root/Example/raw"
    assert f"{target}: no such folder" in said
    assert f"{other}: lacks a" in said
    assert f"download into {target}: ConnectionError: no route to host" in said
    for remedy in ("a, b, or each with .gz", "data_root=", "AL_LIGHTNING_DATA", "package example"):
        assert remedy in said
    assert not target.exists()  # nothing half-downloaded


def test_a_download_that_brings_too_little_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="the download lacks b"):
        locate(_files(lambda at: _put(at / "Example/raw", "a")), tmp_path, download=True)


def test_a_download_switched_off_is_not_tried(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"switched off by dataset\.download=false"):
        locate(_files(), tmp_path, download=False)


def test_a_root_that_is_a_file_is_said(tmp_path: Path) -> None:
    root = tmp_path / "root"
    root.write_bytes(b"")
    with pytest.raises(DataError, match=r"NotADirectoryError|FileExistsError"):
        locate(_files(), root, download=True)
