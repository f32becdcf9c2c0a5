import hashlib
import pickle
from pathlib import Path

import numpy as np
import pytest
import torch
from torchvision.datasets import CIFAR10 as Batches  # noqa: N811  # our class has the same name

from al_lightning.data import CIFAR10
from al_lightning.utils.errors import DataError

NAMES = [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch", "batches.meta"]
FOLDER = "cifar-10-batches-py"


def _content(name: str) -> bytes:
    if name == "batches.meta":
        return pickle.dumps({"label_names": [f"class {label}" for label in range(10)]})
    pixels = np.arange(10 * 3072, dtype=np.uint32).reshape(10, 3072) % 251
    return pickle.dumps({"data": pixels.astype(np.uint8), "labels": list(range(10))})


CONTENTS = {name: _content(name) for name in NAMES}
MD5 = {
    name: hashlib.md5(content, usedforsecurity=False).hexdigest()
    for name, content in CONTENTS.items()
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Write small batches, and have torchvision expect them."""
    monkeypatch.setattr(Batches, "train_list", [[name, MD5[name]] for name in NAMES[:5]])
    monkeypatch.setattr(Batches, "test_list", [["test_batch", MD5["test_batch"]]])
    monkeypatch.setitem(Batches.meta, "md5", MD5["batches.meta"])
    _write(tmp_path)
    return tmp_path


def _write(root: Path) -> None:
    (root / FOLDER).mkdir(parents=True)
    for name, content in CONTENTS.items():
        (root / FOLDER / name).write_bytes(content)


def test_images_and_labels_are_read(root: Path) -> None:
    data = CIFAR10(str(root), download=False).load()
    assert data.train.pixels.shape == (50, 3, 32, 32)
    assert data.train.pixels.dtype == torch.uint8
    assert data.test.pixels[0, 1, 0, :3].tolist() == [1024 % 251, 1025 % 251, 1026 % 251]
    assert data.train.labels.tolist() == [*range(10)] * 5
    assert data.classes[3] == "class 3"


@pytest.mark.parametrize("name", ["data_batch_4", "test_batch", "batches.meta"])
@pytest.mark.parametrize("content", [b"", b"<html>", None])
def test_the_damaged_batch_is_named(root: Path, name: str, content: bytes | None) -> None:
    path = root / FOLDER / name
    came = path.read_bytes()[:-1] if content is None else content
    path.write_bytes(came)
    with pytest.raises(DataError) as raised:
        CIFAR10(str(root)).load()
    said = str(raised.value)
    assert said.startswith(f"{path} is damaged or not the original file")
    assert MD5[name] in said
    assert f"({len(came)} bytes)" in said
    assert "delete it" in said


def test_missing_batches_say_what_was_tried_and_what_to_do(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(self: Batches) -> None:
        raise ConnectionError("no route to host")

    monkeypatch.setattr(Batches, "download", fail)
    (root / FOLDER / "data_batch_2").unlink()
    with pytest.raises(DataError) as raised:
        CIFAR10(str(root)).load()
    said = str(raised.value)
    assert f"{root / FOLDER}: lacks data_batch_2" in said
    assert "ConnectionError: no route to host" in said
    assert "What to do" in said
    with pytest.raises(DataError, match=r"dataset\.download=false"):
        CIFAR10(str(root), download=False).load()


def test_torchvision_downloads_what_is_missing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Batches, "download", lambda batches: _write(Path(batches.root)))
    assert len(CIFAR10(str(root / "new")).load().train) == 50


def test_imbalance_and_flip(root: Path) -> None:
    source = CIFAR10(str(root), download=False, imbalance="exponential", imbalance_ratio=5)
    assert source.load().train.labels.bincount().tolist() == [5, 4, 3, 2, 2, 2, 1, 1, 1, 1]
    assert source.horizontal_flip


def test_real_cifar10(real_data: Path) -> None:
    if not (real_data / FOLDER).is_dir():
        pytest.skip(f"no {FOLDER} in {real_data}")
    data = CIFAR10(str(real_data), download=False).load()
    assert data.train.pixels.shape == (50000, 3, 32, 32)
    assert data.test.labels.bincount().tolist() == [1000] * 10
    assert data.classes[:2] == ("airplane", "automobile")
    assert data.normalization is not None
    mean, std = data.normalization.mean, data.normalization.std
    for channel in range(3):
        pixels = data.train.pixels[:, channel].float() / 255
        assert mean[channel] == pytest.approx(float(pixels.mean()), abs=1e-4)
        assert std[channel] == pytest.approx(float(pixels.std()), abs=1e-4)
