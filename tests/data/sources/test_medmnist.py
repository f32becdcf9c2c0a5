from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from al_lightning.data import MedMNIST
from al_lightning.data.sources import medmnist as module
from al_lightning.data.sources.medmnist_files import MEDMNIST
from al_lightning.utils.errors import DataError, UsageError
from tests.data.sources.test_torchvision_source import md5, pixels_of


def write(root: Path, file: str, channels: int, monkeypatch: pytest.MonkeyPatch) -> Path:
    shape = (28, 28, 3) if channels == 3 else (28, 28)
    counts = {"train": 9, "val": 2, "test": 4}
    arrays: dict[str, Any] = {
        f"{part}_images": pixels_of(count, *shape) for part, count in counts.items()
    }
    arrays |= {
        f"{part}_labels": (np.arange(count, dtype=np.uint8) % 8)[:, None]
        for part, count in counts.items()
    }
    root.mkdir(exist_ok=True)
    np.savez_compressed(root / file, **arrays)
    name, _, size = file.removesuffix(".npz").partition("_")
    monkeypatch.setitem(MEDMNIST[name].md5, int(size or 28), md5(root / file))
    return root / file


@pytest.mark.parametrize(("name", "channels"), [("bloodmnist", 3), ("tissuemnist", 1)])
def test_the_published_parts_are_read(
    name: str, channels: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path, f"{name}.npz", channels, monkeypatch)
    data = MedMNIST(str(tmp_path), name, download=False).load()
    assert (len(data.train), len(data.test), data.image_shape) == (9, 4, (channels, 28, 28))
    assert data.train.labels.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 0]
    assert len(data.classes) == 8
    raw = torch.from_numpy(pixels_of(9, 28, 28, channels)).permute(0, 3, 1, 2)
    assert torch.equal(torch.as_tensor(data.train.pixels[:]), raw)


def test_larger_images_have_a_file_of_their_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path, "bloodmnist_64.npz", 3, monkeypatch)
    assert len(MedMNIST(str(tmp_path), "bloodmnist", size=64, download=False).load().train) == 9
    path.unlink()
    with pytest.raises(DataError, match=r"lacks bloodmnist_64\.npz"):
        MedMNIST(str(tmp_path), "bloodmnist", size=64, download=False).load()


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "bloodmnist.npz").write_bytes(b"<html>")
    with pytest.raises(DataError, match=rf"{tmp_path}/bloodmnist\.npz is damaged .*7053d0359d"):
        MedMNIST(str(tmp_path), "bloodmnist").load()


def test_a_missing_file_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fetch(self: MedMNIST, root: Path, file: str) -> None:
        self._md5 = md5(write(root, file, 3, monkeypatch))

    monkeypatch.setattr(module.MedMNIST, "_fetch", fetch)
    assert len(MedMNIST(str(tmp_path / "root"), "bloodmnist").load().train) == 9


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("bloodmist", 28, "did you mean bloodmnist"),
        (
            "chestmnist",
            28,
            r"dataset\.name=chestmnist is no two-dimensional",
        ),  # many labels an image
        ("bloodmnist", 32, r"dataset\.size must be one of \[28, 64, 128, 224\], not 32"),
    ],
)
def test_what_is_not_published_is_refused(name: str, size: int, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        MedMNIST("nowhere", name, size=size)


def test_what_is_known_is_well_formed() -> None:
    for name, known in MEDMNIST.items():
        assert sorted(known.md5) == [28, 64, 128, 224], name
        assert all(len(digest) == 32 for digest in known.md5.values())
        assert len(set(known.classes)) == len(known.classes) >= 2
