from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch.utils.data import DataLoader, Dataset, IterableDataset, TensorDataset

from al_lightning.data import DatasetSource, ImageData
from al_lightning.utils.errors import DataError


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
    with pytest.raises(DataError, match=r"train\[1\].*in \[0, 1\].*Do not normalise"):
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
    dataset.class_to_idx = {"x": 1, "y": 2, "z": 0}  # type: ignore[attr-defined]
    assert DatasetSource(dataset, dataset).load().classes == ("z", "x", "y")
    dataset.classes = [("x", "ex"), ("y",), ("z",)]  # type: ignore[attr-defined]  # as of ImageNet
    assert DatasetSource(dataset).load().classes[1:] == ("('y',)", "('z',)")
    dataset.classes = None  # type: ignore[attr-defined]
    assert DatasetSource(dataset).load().classes == ("z", "x", "y")


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


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (torch.rand(8, 8, 3), r"a tensor \(8, 8, 3\).*\(C, H, W\).*8 channels.*permute\(2, 0, 1\)"),
        (torch.zeros(28, 28, 1, dtype=torch.uint8), r"a tensor .*28 channels"),
        (
            np.zeros((3, 16, 16), dtype=np.uint8),
            r"an array \(3, 16, 16\).*\(H, W, C\).*16 channels.*transpose\(1, 2, 0\)",
        ),
        (np.zeros((1, 28, 20), dtype=np.uint8), "an array .*20 channels"),
    ],
)
def test_another_order_of_the_axes_is_refused(image: object, said: str) -> None:
    with pytest.raises(DataError, match=rf"image of train\[0\] is {said}"):
        _load(image, image)


def test_a_data_set_that_raises_is_named_by_its_index() -> None:
    class Broken(_Listed):
        def __getitem__(self, index: int) -> Any:
            if index == 3:
                raise ZeroDivisionError("no such thing")
            return super().__getitem__(index)

    broken, fine = Broken([(GRAY, i % 2) for i in range(5)]), _Listed([(COLOR[..., 0], 0)])
    with pytest.raises(DataError, match=r"train\[3\] cannot be read: ZeroDivisionError: no such"):
        DatasetSource(broken, fine).load()
    with pytest.raises(DataError, match=r"test\[3\] cannot be read"):
        DatasetSource(fine, broken).load()


@pytest.mark.parametrize("label", [-1, -7, 2**40])
def test_labels_that_are_no_classes_are_named(label: int) -> None:
    dataset = _Listed([(GRAY, 0), (GRAY, label)])
    with pytest.raises(DataError, match=rf"train\[1\] has the label {label}: labels number"):
        DatasetSource(dataset, dataset, classes=["a", "b"]).load()


def test_a_label_beyond_all_images_is_named() -> None:
    train = _Listed([(GRAY, 0), (GRAY + 1, 10_000_000)])
    with pytest.raises(DataError, match=r"train\[1\] has the label 10000000.*2 images|4 images"):
        DatasetSource(train, _Listed([(GRAY + 2, 0), (GRAY + 3, 1)])).load()


def test_classes_without_images_are_warned_of(caplog: pytest.LogCaptureFixture) -> None:
    dataset = _Listed([(GRAY, 0), (GRAY + 1, 2), (GRAY + 2, 2)])
    assert DatasetSource(dataset, _Listed([(GRAY + 3, 0)])).load().classes == ("0", "1", "2")
    assert "labels from 0 to 2, but no image has 1" in caplog.text


def test_classes_may_be_given_by_name_or_by_label() -> None:
    train, test = (_Listed([(GRAY + i, 0), (GRAY + i + 1, 2)]) for i in (0, 5))
    by_name = {"zebra": 0, "cat": 2, "ant": 1}
    assert DatasetSource(train, test, by_name).load().classes == ("zebra", "ant", "cat")
    by_label: Any = {2: "cat", 0: "zebra", 1: "ant"}
    assert DatasetSource(train, test, by_label).load().classes == ("zebra", "ant", "cat")
    array: Any = np.array(["zebra", "ant", "cat"])
    assert DatasetSource(train, test, array).load().classes == ("zebra", "ant", "cat")


@pytest.mark.parametrize(
    ("classes", "said"),
    [
        ({"a": 0, "b": 2}, r"each name one label, from 0 to 1"),
        ({"a": 0, "b": 0}, r"each name one label, from 0 to 1"),
        ({"a": "x", "b": "y"}, r"each name one label"),
        ("abc", "must be a list of names, by label, .* not 'abc'"),
        ({"a", "b", "c"}, "must be a list of names"),
        (3, "must be a list of names.* not 3"),
        (["a", "b", "a"], "The name 'a' is that of 2 classes"),
        (["a"], "at least 2 classes"),
    ],
)
def test_classes_that_name_no_labels_are_refused(classes: Any, said: str) -> None:
    dataset = _Listed([(GRAY, 0), (GRAY + 1, 1)])
    with pytest.raises(DataError, match=said):
        DatasetSource(dataset, _Listed([(GRAY + 2, 0)]), classes).load()


def test_one_order_of_classes_holds_for_both_data_sets() -> None:
    train, test = _Listed([(GRAY, 0), (GRAY, 1)]), _Listed([(GRAY + 1, 0)])
    train.classes, test.classes = ["ant", "cat"], ["cat", "ant"]  # type: ignore[attr-defined]
    with pytest.raises(DataError, match=r"train.classes are ant, cat, test.classes cat, ant"):
        DatasetSource(train, test).load()
    assert DatasetSource(train, test, ["x", "y"]).load().classes == ("x", "y")


@pytest.mark.parametrize("as_float", [False, True])
def test_images_of_both_data_sets_are_warned_of(
    as_float: bool, caplog: pytest.LogCaptureFixture
) -> None:
    images = torch.arange(8 * 6).reshape(8, 1, 2, 3)
    pixels = images / 255 if as_float else images.to(torch.uint8)
    labels = torch.arange(8) % 2
    DatasetSource(
        TensorDataset(pixels[:5], labels[:5]), TensorDataset(pixels[3:], labels[3:])
    ).load()
    assert "2 of the 5 images of test are in train too" in caplog.text
    assert "test[i] with i = 0, 1." in caplog.text
    caplog.clear()
    DatasetSource(
        TensorDataset(pixels[:5], labels[:5]), TensorDataset(pixels[5:], labels[5:])
    ).load()
    assert not caplog.text


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


def test_a_length_alone_is_no_map_style_data_set() -> None:
    class Counted(IterableDataset[Any]):
        def __iter__(self) -> Iterator[Any]:
            return iter([(GRAY, 0)])

        def __len__(self) -> int:
            return 1

    whole = TensorDataset(torch.rand(4, 1, 8, 8), torch.arange(4) % 2)
    for dataset in (Counted(), DataLoader(whole)):
        with pytest.raises(DataError, match=f"{type(dataset).__name__} has no items by index"):
            DatasetSource(dataset).load()  # type: ignore[arg-type]
