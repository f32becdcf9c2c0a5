"""Tiny files in the original layouts; torchvision is told to expect their checksums."""

import gzip
import hashlib
import pickle
import struct
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scipy.io
import torch
from torchvision import datasets

from al_lightning.data import TorchvisionSource
from al_lightning.utils.errors import DataError, UsageError


def md5(path: Path) -> str:
    return hashlib.md5(path.read_bytes(), usedforsecurity=False).hexdigest()


def pixels_of(*shape: int) -> np.ndarray:
    return (np.arange(np.prod(shape), dtype=np.uint32) % 251).astype(np.uint8).reshape(shape)


def write_cifar100(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = root / "cifar-100-python"
    folder.mkdir(parents=True)
    for name, count in (("train", 6), ("test", 4)):
        labels = [99 - i for i in range(count)]
        content = {"data": pixels_of(count, 3072), "fine_labels": labels}
        (folder / name).write_bytes(pickle.dumps(content))
    names = {"fine_label_names": [f"class {i}" for i in range(100)]}
    (folder / "meta").write_bytes(pickle.dumps(names))
    kind = datasets.CIFAR100
    monkeypatch.setattr(kind, "train_list", [["train", md5(folder / "train")]])
    monkeypatch.setattr(kind, "test_list", [["test", md5(folder / "test")]])
    monkeypatch.setitem(kind.meta, "md5", md5(folder / "meta"))


def write_svhn(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root.mkdir(parents=True, exist_ok=True)
    for name, count in (("train", 12), ("test", 5)):
        path = root / f"{name}_32x32.mat"
        labels = (np.arange(count, dtype=np.uint8) % 10 + 1)[
            :, None
        ]  # 1 to 10, which is the digit 0
        scipy.io.savemat(path, {"X": pixels_of(32, 32, 3, count), "y": labels})
        monkeypatch.setitem(datasets.SVHN.split_list, name, ["", path.name, md5(path)])


def write_idx(folder: Path, parts: dict[str, range]) -> None:
    """Write a part's images and labels as MNIST has them."""
    folder.mkdir(parents=True)
    for name, labels in parts.items():
        count = len(labels)
        images = struct.pack(">iiii", 0x803, count, 28, 28) + pixels_of(count, 28, 28).tobytes()
        written = struct.pack(">ii", 0x801, count) + bytes(labels)
        for kind, content in (("images-idx3", images), ("labels-idx1", written)):
            (folder / f"{name}-{kind}-ubyte").write_bytes(content)
            (folder / f"{name}-{kind}-ubyte.gz").write_bytes(gzip.compress(content))


def write_kmnist(root: Path) -> None:
    write_idx(root / "KMNIST" / "raw", {"train": range(7), "t10k": range(3)})


def write_stl10(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = root / "stl10_binary"
    folder.mkdir(parents=True)
    for name, count in (("train", 4), ("test", 3), ("unlabeled", 2)):
        (folder / f"{name}_X.bin").write_bytes(pixels_of(count, 3, 96, 96).tobytes())
        (folder / f"{name}_y.bin").write_bytes(bytes([2, 1, 10, 3][:count]))
    (folder / "class_names.txt").write_text("\n".join("abcdefghij") + "\n")
    for part, names in (
        ("train_list", ("train_X", "train_y", "unlabeled_X")),
        ("test_list", ("test_X", "test_y")),
    ):
        files = [[f"{name}.bin", md5(folder / f"{name}.bin")] for name in names]
        monkeypatch.setattr(datasets.STL10, part, files)


def source(root: Path, name: str, **options: Any) -> TorchvisionSource:
    return TorchvisionSource(str(root), name, download=False, **options)


def test_cifar100(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_cifar100(tmp_path, monkeypatch)
    found = source(tmp_path, "CIFAR100")
    data = found.load()
    assert found.horizontal_flip
    assert (len(data.train), len(data.test), data.image_shape) == (6, 4, (3, 32, 32))
    assert data.train.labels.tolist() == [99, 98, 97, 96, 95, 94]
    assert data.classes[97] == "class 97"
    assert data.train.pixels[0, 1, 0, :3].tolist() == [1024 % 251, 1025 % 251, 1026 % 251]


def test_svhn_labels_are_digits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_svhn(tmp_path, monkeypatch)
    data = source(tmp_path, "SVHN").load()
    assert data.train.labels.tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1, 2]
    assert data.classes == tuple("0123456789")
    raw = pixels_of(32, 32, 3, 12)
    assert torch.equal(
        data.train.pixels[5], torch.from_numpy(raw[..., 5].transpose(2, 0, 1).copy())
    )


def test_kmnist(tmp_path: Path) -> None:
    write_kmnist(tmp_path)
    data = source(tmp_path, "KMNIST").load()
    assert (len(data.train), len(data.test), data.image_shape) == (7, 3, (1, 28, 28))
    assert data.train.labels.tolist() == [*range(7)]
    assert data.classes[:3] == ("o", "ki", "su")


def test_emnist_is_its_balanced_split(tmp_path: Path) -> None:
    """Its folder has all six splits, under names of its own."""
    parts = {"balanced-train": range(40, 47), "balanced-test": range(3), "letters-train": range(5)}
    write_idx(tmp_path / "EMNIST" / "raw", {f"emnist-{name}": got for name, got in parts.items()})
    found = source(tmp_path, "EMNIST")
    data = found.load()
    assert not found.horizontal_flip
    assert data.train.labels.tolist() == [*range(40, 47)]
    assert data.test.labels.tolist() == [0, 1, 2]
    # Upper-case letters that look like lower-case ones are one class with them.
    assert "".join(data.classes) == "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabdefghnqrt"
    # The files have rows for columns.
    assert torch.equal(data.train.pixels[:, 0], torch.from_numpy(pixels_of(7, 28, 28)).mT)
    assert torch.equal(data.test.pixels[:, 0], torch.from_numpy(pixels_of(3, 28, 28)).mT)


def test_stl10_with_and_without_its_unlabeled_images(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_stl10(tmp_path, monkeypatch)
    whole = source(tmp_path, "STL10").load()
    assert whole.train.labels.tolist() == [1, 0, 9, 2, -1, -1]
    assert whole.given_ids.tolist() == [0, 1, 2, 3]
    assert whole.test.labels.tolist() == [1, 0, 9]
    assert whole.classes == tuple("abcdefghij")
    raw = pixels_of(2, 3, 96, 96).transpose(0, 1, 3, 2)
    assert torch.equal(whole.train.pixels[4:], torch.from_numpy(raw.copy()))
    labeled = source(tmp_path, "STL10", unlabeled=False).load()
    assert labeled.train.labels.tolist() == [1, 0, 9, 2]


def test_images_are_resized(tmp_path: Path) -> None:
    write_kmnist(tmp_path)
    data = source(tmp_path, "KMNIST", image_size=12).load()
    assert data.image_shape == (3, 12, 12)


def test_files_that_are_missing_say_what_was_tried_and_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError) as raised:
        source(tmp_path, "CIFAR100").load()
    said = str(raised.value)
    assert said.startswith(f"CIFAR100 was not found. Tried:\n  - {tmp_path}: RuntimeError")
    assert "dataset.download=false" in said
    assert f"Put the files into {tmp_path}, as torchvision.datasets.CIFAR100 has them." in said
    assert "AL_LIGHTNING_DATA" in said

    def fail(self: datasets.CIFAR100) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(datasets.CIFAR100, "download", fail)
    with pytest.raises(DataError, match=r"download into .*ConnectionError: no route to host"):
        TorchvisionSource(str(tmp_path), "CIFAR100").load()


def test_what_is_missing_is_downloaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_cifar100(tmp_path / "origin", monkeypatch)

    def fetch(found: datasets.CIFAR100) -> None:
        folder = Path(found.root) / "cifar-100-python"
        if not folder.exists():
            (tmp_path / "origin" / "cifar-100-python").rename(folder)

    monkeypatch.setattr(datasets.CIFAR100, "download", fetch)
    assert len(TorchvisionSource(str(tmp_path / "root"), "CIFAR100").load().train) == 6


@pytest.mark.parametrize(
    ("name", "options", "message"),
    [
        ("CIFAR1000", {}, "dataset.name=CIFAR1000 is no classification .* did you mean CIFAR10"),
        ("ImageNet", {}, "take one of CIFAR10, CIFAR100"),
        ("Food101", {}, "many sizes: set dataset.image_size"),
        ("Food101", {"image_size": 0}, r"dataset\.image_size must be"),
    ],
)
def test_what_cannot_be_is_refused(name: str, options: dict[str, int], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        TorchvisionSource("nowhere", name, **options)  # type: ignore[arg-type]
