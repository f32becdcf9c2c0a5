from functools import partial
from pathlib import Path

import pytest
import torch
from torch import Tensor

from al_lightning.data import ImageFolder
from al_lightning.data.pixels import storage
from al_lightning.data.pixels.decoded import Decoded
from al_lightning.data.pixels.pixel_cache import PixelCache
from al_lightning.data.pixels.storage import ImageStorage, Storage
from al_lightning.data.pixels.stored import PixelStore
from al_lightning.data.pixels.streamed import StreamedPixels
from al_lightning.utils.errors import DataError, UsageError
from al_lightning.utils.memory import available_bytes
from tests.data.folders import fill, save


def where(folder: Path, kind: str, cache: bool = True) -> str:
    """What became of the pixels."""
    paths = sorted(folder.rglob("*.png"))
    place = str(folder.parent / "cache") if cache else None
    pixels = ImageStorage(kind, place, 1).decode(folder, paths, (3, 4, 4)).pixels
    if isinstance(pixels, Tensor):
        return "memory"
    return "stream" if isinstance(pixels, StreamedPixels) else "disk"


@pytest.fixture
def images(tmp_path: Path) -> Path:
    return fill(tmp_path / "images")


SIZE = 10 * 3 * 4 * 4  # bytes of the images


@pytest.mark.parametrize("kind", [kind for kind in Storage if kind != Storage.AUTO])
def test_every_choice_can_be_made(images: Path, kind: Storage) -> None:
    assert where(images, kind) == kind


def test_auto_takes_memory_where_there_is_enough(
    images: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "available_bytes", lambda: 4 * SIZE)
    assert where(images, "auto") == "memory"
    monkeypatch.setattr(storage, "available_bytes", lambda: 4 * SIZE - 1)
    assert where(images, "auto") == "disk"
    assert where(images, "auto", cache=False) == "stream"
    monkeypatch.setattr(storage, "available_bytes", lambda: 4 * SIZE)
    monkeypatch.setattr(storage, "_MANY_FILES", 10)
    assert where(images, "auto") == "disk"
    assert where(images, "auto", cache=False) == "memory"


@pytest.mark.parametrize(("limit", "expected"), [(4 * SIZE, "memory"), (4 * SIZE - 1, "disk")])
def test_auto_stays_within_the_memory_of_a_job(
    images: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: int, expected: str
) -> None:
    """The limit is that of the job, two control groups above the process, as SLURM sets it."""
    files = {
        "proc/meminfo": "MemAvailable:  64000000 kB\n",
        "proc/self/cgroup": "0::/system.slice/job_7/step_0/task_0\n",
        "sys/fs/cgroup/system.slice/job_7/memory.max": f"{limit}\n",
        "sys/fs/cgroup/system.slice/job_7/memory.current": "0\n",
        "sys/fs/cgroup/system.slice/job_7/memory.stat": "inactive_file 0\n",
    }
    for name, text in files.items():
        (tmp_path / "system" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "system" / name).write_text(text)
    available = partial(available_bytes, tmp_path / "system")
    monkeypatch.setattr(storage, "available_bytes", available)
    assert where(images, "auto") == expected


@pytest.mark.parametrize(("fits", "expected"), [(True, "memory"), (False, "stream")])
def test_without_a_disk_it_goes_on_all_the_same(
    images: Path,
    fits: bool,
    expected: str,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def full(*arguments: object) -> Decoded:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(PixelCache, "decoded", full)
    monkeypatch.setattr(storage, "available_bytes", lambda: 2**40 if fits else 0)
    assert where(images, "disk") == expected
    assert "No space left on device" in caplog.text
    assert "dataset.cache_dir to another disk" in caplog.text


@pytest.mark.parametrize("inside", ["train", "."])
def test_the_same_data_come_from_everywhere(tmp_path: Path, inside: str) -> None:
    fill(tmp_path / "images" / inside, count=10)
    save(tmp_path / "images" / inside / "dog" / "bad.png").write_bytes(b"no image")
    if inside == "train":
        fill(tmp_path / "images" / "test", first=100)
    found = {
        kind: ImageFolder(
            str(tmp_path / "images"),
            image_size=4,
            on_error="skip",
            storage=kind,
            cache_dir=str(tmp_path / "cache"),
            workers=1,
            imbalance="step",
            imbalance_ratio=2,
        ).load()
        for kind in ("memory", "disk", "stream")
    }
    memory = found["memory"]
    for data in found.values():
        assert data.fingerprint() == memory.fingerprint()
        for images, expected in ((data.train, memory.train), (data.test, memory.test)):
            assert images.files == expected.files
            assert torch.equal(images.labels, expected.labels)
            assert torch.equal(images.pixels[:], expected.pixels[:])
    assert isinstance(found["disk"].train.pixels, PixelStore)
    save(tmp_path / "images" / inside / "dog" / "0.png", shade=77)
    changed = ImageFolder(str(tmp_path / "images"), image_size=4, on_error="skip").load()
    assert changed.fingerprint() != memory.fingerprint()


@pytest.mark.parametrize("kind", ["memory", "disk", "stream"])
def test_unreadable_files_are_refused_by_name(tmp_path: Path, kind: str) -> None:
    (fill(tmp_path / "images") / "cat" / "0.png").write_bytes(b"no image")
    cache = str(tmp_path / "cache")
    for _ in range(2):  # from the cache as well
        with pytest.raises(DataError, match=r"cat/0\.png: its content is no image"):
            ImageFolder(str(tmp_path / "images"), storage=kind, cache_dir=cache).load()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("disc", None, None), r"dataset\.storage=disc is unknown; use auto, memory, disk, stream"),
        (("disk", None, None), r"dataset\.storage=disk needs a dataset\.cache_dir"),
        (("auto", None, 0), r"dataset\.workers=0 is not valid"),
    ],
)
def test_what_cannot_be_is_refused(
    arguments: tuple[str, str | None, int | None], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        ImageStorage(*arguments)
