from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import Dataset, IterableDataset, TensorDataset

from al_lightning.data import DatasetSource, ImageData
from al_lightning.errors import DataError


class _Listed(Dataset[Any]):
    def __init__(self, samples: list[Any]) -> None:
        self.samples = samples

    def __len__(self) -> int:
        return len(self.samples)

    def __getitem__(self, index: int) -> Any:
        return self.samples[index]


def _load(*images: object) -> ImageData:
    dataset = _Listed([(image, index % 2) for index, image in enumerate(images)])
    return DatasetSource(dataset, dataset).load()


GRAY = np.arange(6, dtype=np.uint8).reshape(2, 3)
COLOR = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)


@pytest.mark.parametrize(
    "image",
    [
        GRAY,
        GRAY[:, :, None],
        torch.from_numpy(GRAY),
        torch.from_numpy(GRAY)[None],
        Image.fromarray(GRAY),
    ],
)
def test_gray_images_of_all_kinds(image: object) -> None:
    pixels = _load(image, image).train.pixels
    assert pixels.dtype == torch.uint8
    assert pixels[0].tolist() == [GRAY.tolist()]


@pytest.mark.parametrize(
    "image", [COLOR, torch.from_numpy(COLOR).permute(2, 0, 1), Image.fromarray(COLOR)]
)
def test_color_images_of_all_kinds(image: object) -> None:
    pixels = _load(image, image).train.pixels
    assert torch.equal(pixels[1], torch.from_numpy(COLOR).permute(2, 0, 1))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64, torch.float16])
def test_float_tensors_become_float32(dtype: torch.dtype) -> None:
    image = torch.tensor([[0.0, 0.25], [0.5, 1.0]], dtype=dtype)
    pixels = _load(image, image).train.pixels
    assert pixels.dtype == torch.float32
    assert pixels[0].tolist() == [[[0.0, 0.25], [0.5, 1.0]]]


@pytest.mark.parametrize("value", [-0.1, 1.5, float("nan"), float("inf")])
def test_float_pixels_outside_the_range_are_refused(value: float) -> None:
    with pytest.raises(DataError, match=r"train\[1\].*in \[0, 1\].*do not normalise"):
        _load(torch.zeros(2, 2), torch.full((2, 2), value))


@pytest.mark.parametrize("label", [1, np.int32(1), np.array(1), torch.tensor(1)])
def test_labels_of_all_kinds(label: object) -> None:
    dataset = _Listed([(GRAY, 0), (GRAY, label)])
    data = DatasetSource(dataset, dataset, classes=["a", "b"]).load()
    assert data.train.labels.tolist() == [0, 1]
    assert data.classes == ("a", "b")


@pytest.mark.parametrize("label", ["cat", 1.0, torch.tensor(1.0), None])
def test_other_labels_are_named(label: object) -> None:
    dataset = _Listed([(GRAY, 0), (GRAY, label)])
    with pytest.raises(DataError, match=r"label of train\[1\] must be an integer"):
        DatasetSource(dataset, dataset).load()


def test_classes_come_from_the_data_set_or_are_numbered() -> None:
    dataset = _Listed([(GRAY, 0), (GRAY, 2)])
    assert DatasetSource(dataset, dataset).load().classes == ("0", "1", "2")
    dataset.classes = ["x", "y", "z"]  # type: ignore[attr-defined]
    assert DatasetSource(dataset, dataset).load().classes == ("x", "y", "z")


def test_a_differing_image_is_named_by_its_index() -> None:
    with pytest.raises(DataError, match=r"train\[2\] is 1x3x2 uint8, train\[0\] is 1x2x3 uint8"):
        _load(GRAY, GRAY, GRAY.T.copy())
    with pytest.raises(DataError, match=r"train\[1\] is 1x2x3 float32"):
        _load(GRAY, torch.zeros(2, 3))


@pytest.mark.parametrize(
    ("image", "came"),
    [
        ("a.png", "not str"),
        (np.zeros((2, 2), dtype=np.float32), r"not ndarray float32 \(2, 2\)"),
        (torch.zeros(2, 2, dtype=torch.int64), r"not Tensor torch.int64 \(2, 2\)"),
        (torch.zeros(1, 1, 2, 2), r"not Tensor torch.float32 \(1, 1, 2, 2\)"),
        (None, "not NoneType"),
    ],
)
def test_other_images_are_named(image: object, came: str) -> None:
    with pytest.raises(DataError, match=rf"image of train\[0\] must be .*{came}"):
        _load(image)


def test_what_is_no_pair_is_named() -> None:
    dataset = _Listed([GRAY])
    with pytest.raises(DataError, match=r"train\[0\] must be an \(image, label\) pair"):
        DatasetSource(_Listed([3]), dataset).load()


def test_data_sets_without_length_or_images_are_refused() -> None:
    class Stream(IterableDataset[Any]):
        def __iter__(self) -> Iterator[Any]:
            return iter([(GRAY, 0)])

    full = _Listed([(GRAY, 0)])
    with pytest.raises(DataError, match=r"train must be a map-style data set.*Stream"):
        DatasetSource(Stream(), full).load()
    with pytest.raises(DataError, match="test has no images"):
        DatasetSource(full, _Listed([])).load()


def test_a_tensor_dataset_with_imbalance_and_flip() -> None:
    train = TensorDataset(torch.rand(20, 3, 4, 4), torch.arange(20) % 2)
    test = TensorDataset(torch.rand(4, 3, 4, 4), torch.arange(4) % 2)
    source = DatasetSource(train, test, horizontal_flip=True, imbalance="step", imbalance_ratio=5)
    data = source.load()
    assert source.horizontal_flip
    assert data.train.labels.bincount().tolist() == [10, 2]
    assert data.test.labels.bincount().tolist() == [2, 2]
