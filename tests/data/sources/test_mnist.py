import gzip
import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
import torch
from torchvision import datasets

from al_lightning.data import MNIST, FashionMNIST
from al_lightning.data.sources.idx import IdxFile
from al_lightning.utils.errors import DataError

Source = type[MNIST] | type[FashionMNIST]
SHAPES = {
    "train-images-idx3-ubyte": (20, 2, 2),
    "train-labels-idx1-ubyte": (20,),
    "t10k-images-idx3-ubyte": (10, 2, 2),
    "t10k-labels-idx1-ubyte": (10,),
}
DEBIAN = Path("/usr/share/datasets/fashion-mnist")
PLACES = FashionMNIST.elsewhere  # before the fixture below hides them


def _content(name: str, shape: tuple[int, ...]) -> bytes:
    count = torch.Size(shape).numel()
    values = torch.arange(count) % (10 if "labels" in name else 256)
    return IdxFile(shape, "").header + bytes(values.tolist())


CONTENTS = {name: _content(name, shape) for name, shape in SHAPES.items()}
TABLE: Mapping[str, IdxFile] = {
    name: IdxFile(SHAPES[name], hashlib.md5(content, usedforsecurity=False).hexdigest())
    for name, content in CONTENTS.items()
}


@pytest.fixture(autouse=True)
def _small(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Expect small synthetic files, and nothing in the system's folders, except of real data."""
    if "real_data" in request.fixturenames:
        return
    for source in (MNIST, FashionMNIST):
        monkeypatch.setattr(source, "files", TABLE)
        monkeypatch.setattr(source, "elsewhere", ())


def _write(folder: Path, pack: Callable[[bytes], bytes] = bytes, ending: str = "") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in CONTENTS.items():
        (folder / f"{name}{ending}").write_bytes(pack(content))
    return folder


@pytest.mark.parametrize("source", [MNIST, FashionMNIST])
@pytest.mark.parametrize("packed", [False, True])
def test_images_and_labels_are_read(tmp_path: Path, source: Source, packed: bool) -> None:
    folder = tmp_path / source.__name__ / "raw"
    if packed:
        _write(folder, gzip.compress, ".gz")
    else:
        _write(folder)
    data = source(str(tmp_path), download=False).load()
    assert data.train.pixels.shape == (20, 1, 2, 2)
    assert data.train.pixels.dtype == torch.uint8
    assert data.train.pixels[1, 0].tolist() == [[4, 5], [6, 7]]
    assert data.test.labels.tolist() == list(range(10))
    assert len(data.classes) == 10
    assert data.normalization == source.normalization


def test_clothes_may_be_mirrored_and_digits_may_not() -> None:
    assert FashionMNIST("data").horizontal_flip
    assert not MNIST("data").horizontal_flip
    assert MNIST("data", horizontal_flip=True).horizontal_flip


def test_a_damaged_file_is_named_and_no_other_place_is_tried(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = _write(tmp_path / "FashionMNIST/raw")
    monkeypatch.setattr(FashionMNIST, "elsewhere", (_write(tmp_path / "intact"),))
    damaged = folder / "t10k-labels-idx1-ubyte"
    damaged.write_bytes(damaged.read_bytes()[:-1])
    with pytest.raises(DataError, match="t10k-labels-idx1-ubyte is damaged"):
        FashionMNIST(str(tmp_path)).load()


def test_fashion_mnist_is_found_where_debian_installs_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert PLACES == (DEBIAN,)
    place = _write(tmp_path / "debian", gzip.compress, ".gz")
    monkeypatch.setattr(FashionMNIST, "elsewhere", (place,))
    assert len(FashionMNIST(str(tmp_path / "none"), download=False).load().train) == 20


@pytest.mark.parametrize("source", [MNIST, FashionMNIST])
def test_torchvision_downloads_what_is_missing(
    tmp_path: Path, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fake(root: Path, download: bool) -> None:
        assert download
        _write(root / source.__name__ / "raw")

    monkeypatch.setattr(datasets, source.__name__, fake)
    assert len(source(str(tmp_path)).load().train) == 20
    assert (tmp_path / source.__name__ / "raw" / "train-images-idx3-ubyte").is_file()


@pytest.mark.parametrize("source", [MNIST, FashionMNIST])
def test_a_failing_download_says_what_to_do(
    tmp_path: Path, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*args: object, **kwargs: object) -> None:
        raise RuntimeError("Error downloading train-images-idx3-ubyte.gz")

    monkeypatch.setattr(source, "elsewhere", (tmp_path / "nowhere",))
    monkeypatch.setattr(source, "_fetch", fail)
    with pytest.raises(DataError) as raised:
        source(str(tmp_path)).load()
    said = str(raised.value)
    assert said.startswith(f"{source.title} was not found. Tried:")
    assert f"{tmp_path / source.__name__ / 'raw'}: no such folder" in said
    assert f"{tmp_path / 'nowhere'}: no such folder" in said
    assert "RuntimeError: Error downloading" in said
    assert "What to do" in said
    assert ("dataset-fashion-mnist" in said) == (source is FashionMNIST)


def test_imbalance_applies(tmp_path: Path) -> None:
    _write(tmp_path / "MNIST/raw")
    data = MNIST(str(tmp_path), download=False, imbalance="step", imbalance_ratio=2).load()
    assert data.train.labels.bincount().tolist() == [2] * 5 + [1] * 5
    assert data.test.labels.bincount().tolist() == [1] * 10


def test_real_mnist(real_data: Path) -> None:
    if not (real_data / "MNIST/raw").is_dir():
        pytest.skip(f"no MNIST in {real_data}")
    data = MNIST(str(real_data), download=False).load()
    _check_published(data.train.pixels[:], data.test.pixels[:], MNIST)
    assert data.train.labels[:5].tolist() == [5, 0, 4, 1, 9]


def test_real_fashion_mnist(real_data: Path) -> None:
    if not ((real_data / "FashionMNIST/raw").is_dir() or DEBIAN.is_dir()):
        pytest.skip(f"no Fashion-MNIST in {real_data} or {DEBIAN}")
    data = FashionMNIST(str(real_data), download=False).load()
    _check_published(data.train.pixels[:], data.test.pixels[:], FashionMNIST)
    assert data.train.labels.bincount().tolist() == [6000] * 10
    assert data.classes[int(data.train.labels[0])] == "Ankle boot"


def _check_published(train: torch.Tensor, test: torch.Tensor, source: Source) -> None:
    """Check shapes, and the published normalisation against the pixels themselves."""
    assert train.shape == (60000, 1, 28, 28)
    assert test.shape == (10000, 1, 28, 28)
    scaled = train.float() / 255
    assert source.normalization.mean[0] == pytest.approx(float(scaled.mean()), abs=1e-4)
    assert source.normalization.std[0] == pytest.approx(float(scaled.std()), abs=1e-4)
