import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from al_lightning.data.pixels import pixel_cache
from al_lightning.data.pixels.decode import read_image
from al_lightning.data.pixels.decode_beside import decode_beside
from al_lightning.data.pixels.remote_file import (
    RemoteFile,
    file_at,
    is_address,
    require_protocol,
    shown_name,
    shown_names,
)
from al_lightning.data.pixels.stopped import DecodingStoppedError
from al_lightning.data.pixels.storage import ImageStorage
from al_lightning.data.pixels.streamed import StreamedPixels
from al_lightning.utils.errors import DataError, UsageError
from tests.data.folders import save

fsspec = pytest.importorskip("fsspec")


@pytest.fixture(params=["memory", "file"])
def base(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """The address of a folder with three images, in memory or on a disk."""
    address = "memory://photos" if request.param == "memory" else f"file://{tmp_path}/photos"
    system, folder = fsspec.core.url_to_fs(address)
    system.makedirs(folder, exist_ok=True)
    for shade in (0, 100, 200):
        content = save(tmp_path / "made.png", shade).read_bytes()
        system.pipe_file(f"{folder}/{shade}.png", content)
    yield address
    system.rm(folder, recursive=True)


def test_names_and_addresses() -> None:
    assert is_address("s3://bucket/a.png")
    assert is_address("simplecache::s3://bucket/a.png")
    assert not any(map(is_address, ("a.png", "/a.png", "a:b/c.png", "C:/a.png", "C://a.png")))
    assert file_at(Path("photos"), "cat/1.png") == Path("photos/cat/1.png")
    assert file_at(Path("photos"), "/cat/1.png") == Path("/cat/1.png")
    assert file_at(Path("photos"), "s3://b/1.png") == RemoteFile("s3://b/1.png")
    secret = RemoteFile("https://me:word@host/a.png?token=abc")
    assert str(secret) == shown_name(secret) == "https://***@host/a.png?token=***"
    assert shown_names([Path("a\nb"), secret]) == ["a\\nb", str(secret)]
    assert secret.beside("b/c.png").url == "https://me:word@host/b/c.png"
    assert RemoteFile("s3://b/labels.csv").name == "labels.csv"


def test_a_file_is_read_and_decoded(base: str) -> None:
    pixels = read_image(RemoteFile(f"{base}/100.png"), (3, 4, 4))
    assert torch.equal(pixels, torch.full((3, 4, 4), 100, dtype=torch.uint8))


def test_its_state_changes_with_its_content(base: str, tmp_path: Path) -> None:
    file = RemoteFile(f"{base}/0.png")
    before = file.state()
    assert file.state() == before
    system, path = fsspec.core.url_to_fs(file.url)
    system.pipe_file(path, save(tmp_path / "made.png", 7, (9, 9)).read_bytes())
    assert file.state() != before
    assert RemoteFile(f"{base}/none.png").state() == b"gone"


def test_a_file_that_is_missing_or_empty_is_to_blame(base: str) -> None:
    with pytest.raises(DataError, match="there is no such file"):
        read_image(RemoteFile(f"{base}/none.png"), (3, 4, 4))
    with pytest.raises(DataError, match="there is no such file"):
        read_image(RemoteFile(base), (3, 4, 4))
    system, folder = fsspec.core.url_to_fs(base)
    system.pipe_file(f"{folder}/empty.png", b"")
    with pytest.raises(DataError, match="it is empty, 0 bytes"):
        read_image(RemoteFile(f"{base}/empty.png"), (3, 4, 4))
    system.pipe_file(f"{folder}/page.png", b"<html>")
    with pytest.raises(DataError, match="its content is no image"):
        read_image(RemoteFile(f"{base}/page.png"), (3, 4, 4))


def test_a_network_that_fails_leaves_no_image_out(
    base: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    system, _ = fsspec.core.url_to_fs(base)

    def fail(*args: object, **kwargs: object) -> None:
        raise ConnectionError("no route to token=abc")

    file = RemoteFile(f"{base}/0.png")
    said = r"0\.png cannot be read now \(ConnectionError: no route to token=\*\*\*\): no image was left"
    with monkeypatch.context() as patch:
        for name in ("cat_file", "info"):
            patch.setattr(type(system), name, fail)
        with pytest.raises(DecodingStoppedError, match=said):
            read_image(file, (3, 4, 4))
        with pytest.raises(DecodingStoppedError, match=said):
            file.state()


def test_images_are_read_once_into_the_cache(
    base: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With storage=auto, though they would fit into memory."""
    files = [RemoteFile(f"{base}/{shade}.png") for shade in (200, 0, 100)]
    storage = ImageStorage("auto", str(tmp_path / "cache"), 1)
    first = storage.decode(tmp_path / "labels.csv", files, (3, 4, 4))
    assert first.pixels[:][:, 0, 0, 0].tolist() == [200, 0, 100]
    with monkeypatch.context() as patch:
        patch.setattr(RemoteFile, "read", None)
        again = storage.decode(tmp_path / "labels.csv", files, (3, 4, 4))
    assert torch.equal(first.pixels[:], again.pixels[:])
    system, path = fsspec.core.url_to_fs(files[1].url)
    system.pipe_file(path, save(tmp_path / "made.png", 7, (9, 9)).read_bytes())
    changed = storage.decode(tmp_path / "labels.csv", files, (3, 4, 4))
    assert changed.pixels[:][:, 0, 0, 0].tolist() == [200, 7, 100]
    assert len([*(tmp_path / "cache").glob("*/pixels.bin")]) == 1


def test_a_cache_that_was_changed_names_the_file(
    base: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    files = [RemoteFile(f"{base}/{shade}.png") for shade in (0, 100)]
    cache = pixel_cache.PixelCache(tmp_path / "cache", 1)
    cache.decoded(RemoteFile(f"{base}/labels.csv"), files, (3, 4, 4))
    (pixels,) = (tmp_path / "cache").glob("*/pixels.bin")
    pixels.write_bytes(pixels.read_bytes()[:-1] + b"\7")
    found = cache.decoded(RemoteFile(f"{base}/labels.csv"), files, (3, 4, 4))
    assert f"{base}/100.png is not what was decoded" in caplog.text
    assert found.pixels[:][:, 0, 0, 0].tolist() == [0, 100]


def test_processes_read_and_streams_do(base: str) -> None:
    files = [RemoteFile(f"{base}/{shade}.png") for shade in (0, 100, 200)] * 50
    (first, *_) = decode_beside(files, range(150), (3, 4, 4), workers=2)
    assert first.troubles == {}
    streamed = StreamedPixels(files, (3, 4, 4), 1)
    assert streamed.read(torch.tensor([2, 0]))[:, 0, 0, 0].tolist() == [200, 0]
    system, folder = fsspec.core.url_to_fs(base)
    system.rm(f"{folder}/0.png")
    with pytest.raises(
        DataError, match=r"1 of the images .*\n  - .*/0\.png: there is no such file"
    ):
        streamed.read(torch.tensor([2, 0]))


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("nope://a/b.png", "nope://a/b.png cannot be read: Protocol not known: nope"),
        ("simplecache::nope://a/b.png", "Protocol not known: nope"),
    ],
)
def test_protocols_that_nobody_knows_are_named(url: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        require_protocol(url)
    require_protocol("memory://a/b.png")
    require_protocol("simplecache::file://a/b.png")


def test_packages_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    with pytest.raises(
        UsageError, match=r"s3://b/a\.png cannot be read: Install s3fs to access S3"
    ):
        require_protocol("s3://b/a.png")
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(UsageError, match=r'needs fsspec: pip install "al-lightning\[url\]"'):
        require_protocol("s3://b/a.png")
