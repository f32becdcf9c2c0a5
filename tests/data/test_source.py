from dataclasses import replace

import pytest
import torch

from al_lightning.data import ImageData, Images
from al_lightning.data.source import is_doubtful
from al_lightning.utils.errors import DataError


def _images(count: int = 4, size: int = 2) -> Images:
    pixels = torch.arange(count * size * size, dtype=torch.uint8).reshape(count, 1, size, size)
    return Images(pixels, torch.arange(count) % 2, tuple(f"{i}.png" for i in range(count)))


def test_rows_keep_pixels_labels_and_files_together() -> None:
    rows = _images().rows(torch.tensor([2, 1]))
    assert rows.pixels[:, 0, 0, 0].tolist() == [8, 4]
    assert rows.labels.tolist() == [0, 1]
    assert rows.files == ("2.png", "1.png")


def test_groups_stay_with_their_images_and_count_where_there_are_any() -> None:
    plain = _images()
    images = replace(plain, groups=torch.tensor([5, 5, 6, 7]))
    rows = images.rows(torch.tensor([2, 1]))
    assert rows.groups is not None
    assert rows.groups.tolist() == [6, 5]
    others = replace(plain, groups=torch.tensor([5, 6, 6, 7]))
    prints = [ImageData(i, plain, ("a", "b")).fingerprint() for i in (plain, images, others)]
    assert len(set(prints)) == 3
    with pytest.raises(DataError, match="4 images, but 3 groups"):
        replace(plain, groups=torch.tensor([5, 6, 7]))


@pytest.mark.parametrize(
    ("pixels", "labels", "said"),
    [
        (torch.zeros(2, 3, 3), torch.zeros(2).long(), r"\(N, C, H, W\)"),
        (torch.zeros(2, 1, 3, 3).double(), torch.zeros(2).long(), "float64"),
        (torch.zeros(2, 1, 3, 3), torch.zeros(3).long(), "2 images"),
        (torch.zeros(2, 1, 3, 3), torch.zeros(2), "float32"),
        (torch.zeros(2, 8, 8, 3), torch.zeros(2).long(), r"\(2, 8, 8, 3\) would be 8 channels"),
    ],
)
def test_images_refuse_other_shapes_and_types(
    pixels: torch.Tensor, labels: torch.Tensor, said: str
) -> None:
    with pytest.raises(DataError, match=said):
        Images(pixels, labels)


@pytest.mark.parametrize(
    ("shape", "doubtful"),
    [
        ((3, 32, 32), False),
        ((1, 28, 20), False),
        ((3, 2, 2), False),
        ((13, 64, 48), False),  # multispectral
        ((13, 8, 8), False),  # a patch of it
        ((512, 1, 1), False),  # features
        ((8, 8, 3), True),
        ((28, 28, 1), True),
        ((64, 64, 13), True),
        ((32, 3, 32), True),  # an array (3, 32, 32), read as (H, W, C)
        ((64, 13, 64), True),
        ((64, 48, 3), True),
    ],
)
def test_other_orders_of_the_axes_are_seen(shape: tuple[int, int, int], doubtful: bool) -> None:
    assert is_doubtful(*shape) == doubtful


def test_data_refuse_what_does_not_fit_together() -> None:
    with pytest.raises(DataError, match="differ in shape"):
        ImageData(_images(), _images(size=3), ("a", "b"))
    with pytest.raises(DataError, match=r"at least 2 classes, not \['a'\]"):
        ImageData(_images(), _images(), ("a",))
    with pytest.raises(DataError, match="The name 'a' is that of 2 classes"):
        ImageData(_images(), _images(), ("a", "b", "a"))
    with pytest.raises(DataError, match="training set has no images"):
        ImageData(_images(0), _images(), ("a", "b"))
    unknown = Images(_images().pixels, torch.tensor([0, -1, 1, 0]))
    with pytest.raises(DataError, match="test set has labels from -1"):
        ImageData(_images(), unknown, ("a", "b"))
    with pytest.raises(DataError, match="training set has labels from -2"):
        ImageData(Images(_images().pixels, torch.tensor([0, -2, 1, 0])), _images(), ("a", "b"))


@pytest.mark.parametrize("value", [-0.1, 255.0, float("nan"), float("inf")])
@pytest.mark.parametrize("part", ["training", "test"])
def test_float_pixels_are_in_the_unit_range(value: float, part: str) -> None:
    pixels = torch.rand(4, 1, 2, 2)
    good = Images(pixels, torch.arange(4) % 2)
    bad = replace(good, pixels=pixels.index_fill(0, torch.tensor(2), value))
    train, test = (bad, good) if part == "training" else (good, bad)
    with pytest.raises(DataError, match=rf"images of the {part} set must have pixels in \[0, 1\]"):
        ImageData(train, test, ("a", "b"))
    ImageData(good, good, ("a", "b"))


def test_labels_are_given_where_others_are_not() -> None:
    unknown = Images(_images().pixels, torch.tensor([0, -1, 1, -1]))
    assert ImageData(unknown, _images(), ("a", "b")).given_ids.tolist() == [0, 2]
    assert ImageData(_images(), _images(), ("a", "b")).given_ids.tolist() == []


def test_there_may_be_nothing_to_test_on() -> None:
    data = ImageData(_images(), _images(0), ("a", "b"))
    assert len(data.test) == 0
    assert data.image_shape == (1, 2, 2)
    assert data.fingerprint() != ImageData(_images(), _images(), ("a", "b")).fingerprint()


def test_fingerprint_depends_on_every_part_and_on_nothing_else() -> None:
    data = ImageData(_images(), _images(), ("a", "b"))
    assert data.fingerprint() == ImageData(_images(), _images(), ("a", "b")).fingerprint()
    others = [
        ImageData(_images(5), _images(), ("a", "b")),
        ImageData(_images(), _images(5), ("a", "b")),
        ImageData(_images(), _images(), ("a", "c")),
    ]
    assert len({data.fingerprint(), *(other.fingerprint() for other in others)}) == 4


def test_there_may_be_no_test_images() -> None:
    data = ImageData(_images(), _images().rows(torch.tensor([], dtype=torch.int64)), ("a", "b"))
    assert len(data.test) == 0
    assert data.test.files == ()
    assert data.fingerprint() != ImageData(_images(), _images(), ("a", "b")).fingerprint()


def test_given_labels_are_those_beside_unknown_ones() -> None:
    images = _images()
    assert ImageData(images, _images(), ("a", "b")).given_ids.tolist() == []
    some = Images(images.pixels, torch.tensor([-1, 1, -1, 0]))
    assert ImageData(some, _images(), ("a", "b")).given_ids.tolist() == [1, 3]
    with pytest.raises(DataError, match="test set has labels from -1 to 1"):
        ImageData(_images(), some, ("a", "b"))
