import errno
import os
from pathlib import Path

import pytest
import torch
from PIL import Image, ImageFile

from al_lightning.data.pixels.decode_beside import Part, decode_beside
from al_lightning.data.pixels.decode_files import decode_files
from al_lightning.data.pixels.decoded import gather
from al_lightning.data.pixels.duplicates import image_digests
from al_lightning.data.pixels.stopped import DecodingStoppedError
from tests.data.folders import save

SHAPE = (3, 4, 4)


def _files(folder: Path, count: int) -> list[Path]:
    paths = [save(folder / f"{i:03}.png", shade=i) for i in range(count)]
    paths[1].write_bytes(b"no image")
    return paths


def _ignore(count: int) -> None:
    pass


@pytest.mark.parametrize("workers", [1, 2])
def test_the_pixels_are_those_of_one_process(tmp_path: Path, workers: int) -> None:
    paths, keep = _files(tmp_path, 150), tmp_path / "pixels"
    with keep.open("wb") as file:
        file.truncate(150 * 48)
    state = torch.get_rng_state()
    parts = list(decode_beside(paths, range(150), SHAPE, workers, keep))
    assert torch.equal(torch.get_rng_state(), state)
    assert [len(part.rows) for part in parts] == [64, 64, 22]

    pixels, troubles = decode_files(paths, SHAPE)
    kept = torch.frombuffer(bytearray(keep.read_bytes()), dtype=torch.uint8)
    assert torch.equal(kept.view(150, *SHAPE), pixels)
    counts: list[int] = []
    digests, named = gather(150, parts, counts.append)
    assert named == {1: troubles[1]} == {1: "its content is no image of a format that is read"}
    assert counts == [64, 64, 22]
    fine = [i for i in range(150) if i != 1]
    assert torch.equal(digests[fine], image_digests(pixels)[fine])
    assert not digests[1].any()


def test_some_files_only(tmp_path: Path) -> None:
    (part,) = decode_beside(_files(tmp_path, 5), [4, 1], SHAPE, 8)
    assert (list(part.rows), list(part.troubles), part.failure) == ([4, 1], [1], None)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_a_full_disk_is_told_with_its_number(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No space left") as caught:
        list(decode_beside(_files(tmp_path, 2), [0, 1], SHAPE, 1, Path("/dev/full")))
    assert caught.value.errno == errno.ENOSPC


@pytest.mark.parametrize("workers", [1, 2])
def test_what_is_short_for_a_moment_ends_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    def load(self: Image.Image) -> None:
        raise MemoryError

    monkeypatch.setattr(ImageFile.ImageFile, "load", load)  # forked workers have it too
    if workers > 1 and torch.multiprocessing.get_start_method() != "fork":
        pytest.skip("workers import PIL anew")
    with pytest.raises(DecodingStoppedError, match="not the cause: no image was left out"):
        list(decode_beside(_files(tmp_path, 200), range(200), SHAPE, workers))


def test_what_was_told_twice_counts_once() -> None:
    part = Part([1], os.urandom(16), {})
    digests, _ = gather(3, [part, part], _ignore)
    assert digests[1].tolist() == list(part.digests)
    assert not digests[[0, 2]].any()
