import json
import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from PIL import Image

from al_lightning.data.pixels import cache_entry, pixel_cache
from al_lightning.data.pixels.decode_beside import Part, decode_beside
from al_lightning.data.pixels.decode_files import decode_files
from al_lightning.data.pixels.decoded import Decoded
from al_lightning.data.pixels.pixel_cache import PixelCache
from al_lightning.utils.errors import DataError
from al_lightning.utils.locks import exclusive
from tests.data.folders import save

SHAPE = (1, 4, 4)


@pytest.fixture
def paths(tmp_path: Path) -> list[Path]:
    """Not sorted, and one of them is no image."""
    paths = [save(tmp_path / "images" / f"{(7 * i) % 90}.png", shade=i) for i in range(90)]
    paths[4].write_bytes(b"no image")
    return paths


@pytest.fixture
def decoding(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many files were decoded, part by part."""
    counts: list[int] = []

    def counted(*arguments: object) -> Iterator[Part]:
        for part in decode_beside(*arguments):  # type: ignore[arg-type]
            counts.append(len(part.rows))
            yield part

    monkeypatch.setattr(cache_entry, "decode_beside", counted)
    return counts


def decoded(paths: list[Path], workers: int = 1) -> Decoded:
    root = paths[0].parent
    return PixelCache(root.parent / "cache", workers).decoded(root, paths, SHAPE)


def entry(paths: list[Path]) -> Path:
    (folder,) = (p for p in (paths[0].parent.parent / "cache").iterdir() if p.is_dir())
    return folder


def is_right(found: Decoded, paths: list[Path]) -> bool:
    pixels, troubles = decode_files(paths, SHAPE)
    named = {row: trouble for row, trouble in enumerate(troubles) if trouble}
    return torch.equal(found.pixels[:], pixels) and found.troubles == named


def test_images_are_decoded_once(paths: list[Path], decoding: list[int]) -> None:
    first = decoded(paths)
    assert is_right(first, paths)
    assert sum(decoding) == 90
    second = decoded(paths)
    assert is_right(second, paths)
    assert torch.equal(first.digests, second.digests)
    assert is_right(decoded(paths[::-1]), paths[::-1])  # in whatever order they are wanted
    assert sum(decoding) == 90
    assert sorted(p.name for p in entry(paths).iterdir()) == [
        "digests.bin",
        "facts.json",
        "files.bin",
        "pixels.bin",
    ]


def test_other_files_are_decoded_and_the_earlier_ones_make_room(
    paths: list[Path], decoding: list[int]
) -> None:
    first = decoded(paths)
    before, pixels = entry(paths), first.pixels[:]
    save(paths[5], shade=250)
    os.utime(paths[5], ns=(0, 1))
    later = decoded(paths)
    assert is_right(later, paths)
    assert sum(decoding) == 90 + 2  # this one, and the one that is no image; the others are copied
    assert entry(paths) != before
    assert torch.equal(first.pixels[:], pixels)  # who has mapped them keeps them
    PixelCache(before.parent, 1).decoded(paths[0].parent, paths, (1, 2, 2))
    assert len([p for p in before.parent.iterdir() if p.is_dir()]) == 2  # one of each size


def _cut(folder: Path) -> str:
    os.truncate(folder / "pixels.bin", 100)
    return "pixels.bin has 100 bytes instead of 1,440"


def _flip(folder: Path) -> str:
    with (folder / "pixels.bin").open("r+b") as file:
        file.seek(3 * 16)
        file.write(b"\xff")
    return "pixels.bin was changed: 11.png is not what was decoded"


def _flip_digest(folder: Path) -> str:
    content = bytearray((folder / "digests.bin").read_bytes())
    content[0] ^= 1
    (folder / "digests.bin").write_bytes(content)
    return "digests.bin was changed"


def _cut_facts(folder: Path) -> str:
    (folder / "facts.json").write_text('{"digests": ')
    return "facts.json|Expecting value"


@pytest.mark.parametrize("damage", [_cut, _flip, _flip_digest, _cut_facts])
def test_what_is_damaged_is_named_and_made_anew(
    paths: list[Path], damage: object, caplog: pytest.LogCaptureFixture
) -> None:
    decoded(paths)
    said = damage(entry(paths))  # type: ignore[operator]
    assert is_right(decoded(paths), paths)
    (message,) = caplog.messages
    assert "the images are decoded again" in message
    assert any(part in message for part in said.split("|"))
    caplog.clear()
    assert is_right(decoded(paths), paths)
    assert caplog.messages == []


def test_a_copy_is_checked_once_and_used(paths: list[Path], decoding: list[int]) -> None:
    decoded(paths)
    os.utime(entry(paths) / "pixels.bin", ns=(5, 5))
    assert is_right(decoded(paths), paths)
    assert sum(decoding) == 90
    assert json.loads((entry(paths) / "facts.json").read_text())["changed"] == 5


def test_what_a_killed_process_has_decoded_is_taken_up(
    paths: list[Path], decoding: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*arguments: object) -> Iterator[Part]:
        yield next(iter(decode_beside(*arguments)))  # type: ignore[arg-type]
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(cache_entry, "decode_beside", killed)
        with pytest.raises(KeyboardInterrupt):
            decoded(paths)
    # A power loss may lose pixels whose digests are noted.
    with (entry(paths) / "pixels.bin.partial").open("r+b") as file:
        file.seek(16)
        file.write(b"\xff")
    assert is_right(decoded(paths), paths)
    assert decoding in (
        [27 + 1],
        [26 + 2],
    )  # one was lost, and what is unreadable is looked at again


@pytest.mark.parametrize("free", [0, 2**20, 2**28])
def test_too_little_space_is_noticed_before(
    paths: list[Path], free: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage("/")._replace(free=free)
    monkeypatch.setattr("al_lightning.utils.files.shutil.disk_usage", lambda path: usage)
    with pytest.raises(OSError, match="0 MiB are needed"):
        decoded(paths)
    assert list((paths[0].parent.parent / "cache").glob("*-*")) == []


def test_a_disk_that_fills_up_is_left_as_it_was(
    paths: list[Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fills(*arguments: object) -> Iterator[Part]:
        yield Part([0], bytes(16), {})
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(cache_entry, "decode_beside", fills)
    with pytest.raises(OSError, match="No space left"):
        decoded(paths)
    assert list((paths[0].parent.parent / "cache").glob("*-*")) == []


def test_who_comes_second_waits_and_is_told(
    paths: list[Path], caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    caplog.set_level(logging.INFO)

    def as_if_another_had_it(path: Path, on_wait: object) -> object:
        on_wait()  # type: ignore[operator]
        with monkeypatch.context() as patch:  # meanwhile, it decodes
            patch.setattr(pixel_cache, "exclusive", exclusive)
            decoded(paths)
        return exclusive(path)

    monkeypatch.setattr(pixel_cache, "exclusive", as_if_another_had_it)
    assert is_right(decoded(paths), paths)
    assert "Another process decodes these images" in caplog.text


def test_bytes_that_were_changed_under_the_old_time_are_noticed(
    paths: list[Path], decoding: list[int]
) -> None:
    decoded(paths)
    pixels = entry(paths) / "pixels.bin"
    status = pixels.stat()
    with pixels.open("r+b") as file:
        file.seek(3 * 16)
        file.write(bytes(16))
    os.utime(pixels, ns=(status.st_atime_ns, status.st_mtime_ns))
    found = decoded(paths)
    wrong = next(i for i, path in enumerate(paths) if path.name == "11.png")
    fine = next(i for i, path in enumerate(paths) if path.name == "20.png")
    assert {*found.pixels[fine].flatten().tolist()} == {fine}
    with pytest.raises(DataError, match=r"pixels\.bin was changed or damaged: 1 of 1 images"):
        found.pixels[wrong]
    assert is_right(decoded(paths), paths)
    assert sum(decoding) == 180


def test_a_file_that_was_replaced_under_its_old_time_is_decoded_anew(
    paths: list[Path], decoding: list[int]
) -> None:
    path = paths[11]
    Image.new("L", (8, 8), 11).save(path, "BMP")  # of a size that no shade changes
    time = path.stat().st_mtime_ns
    decoded(paths)
    Image.new("L", (8, 8), 99).save(path, "BMP")
    os.utime(path, ns=(time, time))
    assert is_right(decoded(paths), paths)
    assert sum(decoding) == 90 + 2  # this one, and the one that is no image


def test_what_has_come_is_decoded_and_what_has_gone_is_dropped(
    paths: list[Path], decoding: list[int]
) -> None:
    decoded(paths[:60])
    later = decoded(paths[10:])
    assert is_right(later, paths[10:])
    assert sum(decoding) == 60 + 30
    assert later.troubles == {}


def test_an_earlier_entry_that_is_damaged_is_not_copied(
    paths: list[Path], decoding: list[int]
) -> None:
    decoded(paths[:60])
    with (entry(paths[:60]) / "pixels.bin").open("r+b") as file:
        file.write(b"\xff\xff")
    assert is_right(decoded(paths), paths)
    assert sum(decoding) == 60 + 90
