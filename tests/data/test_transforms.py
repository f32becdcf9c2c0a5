from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torchvision.transforms import v2

from al_lightning.data import transforms
from al_lightning.data.source import Normalization
from al_lightning.data.transforms import (
    Cutout,
    ImageByImage,
    Normalize,
    RandomHorizontalFlip,
    RandomShift,
    augmentation,
    image_by_image,
    measure_normalization,
    to_unit,
)
from al_lightning.utils.errors import UsageError


def numbered(count: int, channels: int, height: int, width: int) -> Tensor:
    """Float images without a black pixel, no two pixels the same."""
    size = channels * height * width
    image = torch.arange(1.0, size + 1).reshape(1, channels, height, width)
    return image + size * torch.arange(float(count)).reshape(-1, 1, 1, 1)


def shifted_all(images: Tensor, down: int, right: int) -> Tensor:
    """All images moved by one offset, pixel by pixel."""
    result = torch.zeros_like(images)
    height, width = images.shape[2:]
    for row in range(height):
        for column in range(width):
            if 0 <= row - down < height and 0 <= column - right < width:
                result[:, :, row, column] = images[:, :, row - down, column - right]
    return result


# Normalisation


def test_bytes_are_scaled_to_the_unit_interval() -> None:
    pixels = torch.tensor([0, 51, 255], dtype=torch.uint8)
    assert to_unit(pixels).tolist() == pytest.approx([0.0, 0.2, 1.0])
    assert to_unit(pixels).dtype == torch.float32
    assert pixels.tolist() == [0, 51, 255]


def test_floats_are_in_the_unit_interval_already() -> None:
    pixels = torch.tensor([0.0, 0.25, 1.0])
    assert torch.equal(to_unit(pixels), pixels)


def test_normalize_by_hand() -> None:
    normalize = Normalize(Normalization((0.2, 0.5), (0.1, 0.25)))
    images = torch.tensor([[[[0, 51]], [[255, 51]]]], dtype=torch.uint8)
    expected = torch.tensor([[[[-2.0, 0.0]], [[2.0, -1.2]]]])
    torch.testing.assert_close(normalize(images), expected)
    torch.testing.assert_close(normalize(images / 255), expected)
    assert images.flatten().tolist() == [0, 51, 255, 51]


def test_normalize_takes_no_part_in_training() -> None:
    assert list(Normalize(Normalization((0.5,), (0.5,))).parameters()) == []


@pytest.mark.parametrize("values", [1, 130, 10_000])  # a block: one image, two, or all of them
@pytest.mark.parametrize("dtype", [torch.uint8, torch.float32])
def test_measured_constants_are_those_of_numpy(
    monkeypatch: pytest.MonkeyPatch, dtype: torch.dtype, values: int
) -> None:
    monkeypatch.setattr(transforms, "_BLOCK_VALUES", values)
    generator = torch.Generator().manual_seed(0)
    unit = torch.rand(7, 3, 4, 5, generator=generator) * torch.tensor([1, 0.5, 0.1]).view(3, 1, 1)
    pixels = (unit * 255).to(torch.uint8) if dtype == torch.uint8 else unit
    found = measure_normalization(pixels)
    scaled = pixels.numpy().astype(np.float64) / (255 if dtype == torch.uint8 else 1)
    assert found.mean == pytest.approx(scaled.mean(axis=(0, 2, 3)).tolist(), rel=1e-6)
    assert found.std == pytest.approx(scaled.std(axis=(0, 2, 3)).tolist(), rel=1e-6)


def test_normalized_by_its_own_constants_a_set_has_mean_zero_and_variance_one() -> None:
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(0, 256, (9, 3, 4, 4), generator=generator, dtype=torch.uint8)
    images = Normalize(measure_normalization(pixels))(pixels)
    torch.testing.assert_close(images.mean((0, 2, 3)), torch.zeros(3), atol=1e-5, rtol=0)
    torch.testing.assert_close(images.std((0, 2, 3), correction=0), torch.ones(3))


def test_a_constant_channel_is_centred_and_not_blown_up() -> None:
    pixels = torch.full((4, 2, 3, 3), 51, dtype=torch.uint8)
    pixels[0, 1] = 255
    found = measure_normalization(pixels)
    assert found.std[0] == 1.0
    assert found.std[1] < 1.0
    assert Normalize(found)(pixels)[:, 0].abs().max() < 1e-6


# Shift


@pytest.mark.parametrize(
    ("shape", "share", "most"),
    [((2, 6, 6), 0.2, 1), ((1, 8, 5), 0.4, 2), ((1, 10, 10), 0.07, 1), ((1, 4, 4), 0.1, 0)],
)
def test_every_image_is_shifted_by_its_own_offset(
    shape: tuple[int, int, int], share: float, most: int
) -> None:
    torch.manual_seed(0)
    images = numbered(250, *shape)
    offsets = [(d, r) for d in range(-most, most + 1) for r in range(-most, most + 1)]
    references = {offset: shifted_all(images, *offset) for offset in offsets}
    found = [
        [offset for offset in offsets if torch.equal(result, references[offset][index])]
        for index, result in enumerate(RandomShift(share)(images))
    ]
    assert all(len(matches) == 1 for matches in found)
    assert {matches[0] for matches in found} == set(offsets)


def test_a_shift_keeps_bytes() -> None:
    images = numbered(3, 1, 4, 4).to(torch.uint8)
    assert RandomShift(0.5)(images).dtype == torch.uint8


# Flip


def test_images_are_mirrored_from_left_to_right() -> None:
    images = numbered(3, 2, 3, 4)
    mirrored = RandomHorizontalFlip(1.0)(images)
    assert mirrored[1, 1, 2].tolist() == images[1, 1, 2].tolist()[::-1]
    assert torch.equal(mirrored, torch.from_numpy(images.numpy()[..., ::-1].copy()))
    assert torch.equal(RandomHorizontalFlip(0.0)(images), images)


def test_half_of_the_images_are_mirrored_as_a_whole() -> None:
    torch.manual_seed(0)
    images = numbered(400, 2, 2, 3)
    results = RandomHorizontalFlip()(images)
    kept = sum(torch.equal(a, b) for a, b in zip(results, images, strict=True))
    flipped = sum(torch.equal(a, b) for a, b in zip(results, images.flip(3), strict=True))
    assert kept + flipped == 400
    assert abs(flipped - 200) < 50  # 5 standard deviations


# Cutout


@pytest.mark.parametrize(("height", "width", "share"), [(6, 6, 0.5), (8, 5, 0.4), (4, 4, 0.25)])
def test_a_square_of_every_image_is_blanked(height: int, width: int, share: float) -> None:
    torch.manual_seed(0)
    images = numbered(600, 2, height, width)
    tall, wide = round(share * height), round(share * width)
    masks = set()
    for row in range(height):
        for column in range(width):
            mask = np.zeros((height, width), dtype=bool)
            top, left = row - tall // 2, column - wide // 2
            mask[max(top, 0) : top + tall, max(left, 0) : left + wide] = True
            masks.add(mask.tobytes())
    found = set()
    for image, result in zip(images, Cutout(share)(images), strict=True):
        hidden = result[0] == 0
        assert torch.equal(result, image * ~hidden)
        found.add(hidden.numpy().tobytes())
    assert found == masks


def test_cutout_keeps_bytes() -> None:
    images = torch.full((3, 1, 4, 4), 9, dtype=torch.uint8)
    assert Cutout(0.5)(images).dtype == torch.uint8


# All together


@pytest.mark.parametrize("transform", [RandomShift(0.3), RandomHorizontalFlip(), Cutout(0.4)])
def test_transforms_leave_their_input_alone_and_keep_shape_and_type(transform: nn.Module) -> None:
    images = numbered(5, 3, 6, 7)
    before = images.clone()
    result = transform(images)
    assert (result.shape, result.dtype) == (images.shape, images.dtype)
    assert torch.equal(images, before)


@pytest.mark.parametrize("transform", [RandomShift(0.3), RandomHorizontalFlip(), Cutout(0.4)])
def test_transforms_draw_from_the_global_stream(transform: nn.Module) -> None:
    images, results = numbered(20, 1, 6, 6), []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        results.append(transform(images))
    assert torch.equal(results[0], results[1])
    assert not torch.equal(results[0], results[2])


def test_augmentation_is_what_is_asked_for() -> None:
    whole = augmentation(shift=0.1, horizontal_flip=True, cutout=0.3)
    assert isinstance(whole, nn.Sequential)
    assert [type(part) for part in whole] == [RandomHorizontalFlip, RandomShift, Cutout]
    assert [getattr(part, "share", None) for part in whole] == [None, 0.1, 0.3]
    assert whole[0].probability == 0.5
    part = augmentation(cutout=0.3)
    assert isinstance(part, nn.Sequential)
    assert [type(p) for p in part] == [Cutout]
    assert augmentation() is None


@pytest.mark.parametrize("share", [-0.1, 0.51, float("nan")])
def test_shares_out_of_range_are_errors_that_name_the_key(share: float) -> None:
    with pytest.raises(UsageError, match=rf"RandomShift\.share must be in .* not {share}"):
        RandomShift(share)
    with pytest.raises(UsageError, match=rf"Cutout\.share must be in .* not {share}"):
        Cutout(share)


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan")])
def test_probabilities_out_of_range_are_errors(probability: float) -> None:
    with pytest.raises(UsageError, match=rf"probability must be in \[0, 1\], not {probability}"):
        RandomHorizontalFlip(probability)


def test_torchvisions_transforms_draw_for_every_image() -> None:
    images = torch.arange(64 * 3 * 2 * 4, dtype=torch.uint8).reshape(64, 3, 2, 4)
    torch.manual_seed(0)
    flipped = image_by_image(v2.RandomHorizontalFlip())(images)
    mirrored = (flipped == images.flip(3)).flatten(1).all(1)
    untouched = (flipped == images).flatten(1).all(1)
    assert bool((mirrored ^ untouched).all())
    assert 16 < int(mirrored.sum()) < 48


def test_a_shift_of_torchvision_differs_between_images() -> None:
    images = torch.rand(1, 1, 12, 12).expand(8, -1, -1, -1)
    torch.manual_seed(0)
    shifted = image_by_image(v2.RandomCrop(12, padding=3))(images)
    assert len(shifted.unique(dim=0)) > 4  # type: ignore[no-untyped-call]


def test_what_draws_for_every_image_is_left_as_it_is() -> None:
    own = augmentation(shift=0.1, horizontal_flip=True, cutout=0.3)
    assert own is not None
    assert image_by_image(own) is own
    shift = RandomShift(0.2)
    assert image_by_image(shift) is shift
    mixed = image_by_image(nn.Sequential(shift, v2.RandomVerticalFlip()))
    assert isinstance(mixed, ImageByImage)


@pytest.mark.parametrize(
    "transform",
    [
        lambda image: image[0],
        lambda image: image.repeat(2, 1, 1, 1),
        lambda image: image.numpy(),
        lambda image: None,
        v2.CenterCrop(1),
        v2.Grayscale(3),
        v2.ToDtype(torch.float32),  # 0 to 255, which would be taken for 0 to 1
    ],
)
def test_an_augmentation_makes_an_image_of_the_same_kind(transform: Callable[..., Any]) -> None:
    with pytest.raises(UsageError, match=r"makes .* of an image \(1, 1, 2, 2\) torch.uint8: shape"):
        image_by_image(transform)(torch.zeros(3, 1, 2, 2, dtype=torch.uint8))


@pytest.mark.parametrize("transform", [v2.RandomHorizontalFlip, "flip"])
def test_what_is_no_augmentation_is_refused(transform: Any) -> None:
    with pytest.raises(UsageError, match=r"augment must be a transform of images.*, not"):
        image_by_image(transform)
