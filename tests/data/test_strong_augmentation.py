import pytest
import torch
import torchvision.transforms.v2.functional as reference

from al_lightning.data import RandAugment
from al_lightning.data import strong_augmentation as module
from al_lightning.utils.errors import UsageError


def images(channels: int = 3, size: int = 9) -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (4, channels, size, size), generator=generator).byte()


def strengths(value: float) -> torch.Tensor:
    return torch.full((4, 1, 1, 1), value)


def to_bytes(changed: torch.Tensor) -> torch.Tensor:
    return (changed.clamp(0, 1) * 255).round().int()


@pytest.mark.parametrize(
    ("name", "strength", "expected"),
    [
        ("identity", 0.3, lambda x: x),
        ("autocontrast", 0.3, reference.autocontrast),
        ("brightness", 0.5, lambda x: reference.adjust_brightness(x, 0.5)),
        ("contrast", 0.5, lambda x: reference.adjust_contrast(x, 0.5)),
        ("color", 0.5, lambda x: reference.adjust_saturation(x, 0.5)),
        ("posterize", 0.5, lambda x: reference.posterize(x, 6)),
        ("solarize", 0.5, lambda x: reference.solarize(x, 128)),
    ],
)
def test_colors_change_as_in_torchvision(name: str, strength: float, expected: object) -> None:
    x = images(size=32)
    ours = to_bytes(getattr(module, name)(x.float() / 255, strengths(strength)))
    theirs = expected(x).int()  # type: ignore[operator]
    assert (ours - theirs).abs().max() <= 3  # which rounds in between
    assert (ours - theirs).abs().float().mean() < 1.5


def test_equalize_spreads_the_levels() -> None:
    x = torch.tensor([10, 10, 20, 30]).view(1, 1, 2, 2) / 255  # 2 are lowest; 1 and 2 of 2 follow
    ours = module.equalize(x, torch.ones(1, 1, 1, 1))
    assert ours.flatten().tolist() == [0, 0, 0.5, 1]


def test_sharpness_blends_with_the_smoothed_image() -> None:
    x = images().float() / 255
    ours = module.sharpness(x, strengths(0.5))
    theirs = reference.adjust_sharpness(x, 0.5)
    assert torch.allclose(ours[..., 1:-1, 1:-1], theirs[..., 1:-1, 1:-1], atol=1e-5)


@pytest.mark.parametrize("shape", [(8, 8), (6, 12)])
def test_images_are_turned_as_in_torchvision(shape: tuple[int, int]) -> None:
    x = torch.rand(1, 1, *shape, generator=torch.Generator().manual_seed(0))
    ours = module.rotate(x, torch.ones(1, 1, 1, 1))
    theirs = [reference.rotate(x, a, reference.InterpolationMode.BILINEAR) for a in (30.0, -30.0)]
    assert any(torch.allclose(ours, other, atol=1e-4) for other in theirs)


def test_shifts_move_by_a_share_of_the_side() -> None:
    x = torch.rand(2, 1, 10, 10, generator=torch.Generator().manual_seed(0))
    right = module.shift_x(x, torch.ones(2, 1, 1, 1))
    assert torch.allclose(right[..., :7], x[..., 3:], atol=1e-5)
    assert right[..., 7:].abs().max() < 1e-5
    down = module.shift_y(x, torch.zeros(2, 1, 1, 1))
    assert torch.allclose(down[..., 3:, :], x[..., :7, :], atol=1e-5)


@pytest.mark.parametrize("change", [module.shear_x, module.shear_y])
def test_shears_keep_the_middle(change: module.Change) -> None:
    x = torch.rand(1, 1, 9, 9, generator=torch.Generator().manual_seed(0))
    ours = change(x, torch.ones(1, 1, 1, 1))
    middle = (0, 0, 4) if change is module.shear_x else (0, 0, slice(None), 4)
    assert torch.allclose(ours[middle], x[middle], atol=1e-5)
    assert not torch.allclose(ours, x)


@pytest.mark.parametrize("channels", [1, 3, 4])
def test_batches_of_any_channels_stay_in_range(channels: int) -> None:
    torch.manual_seed(0)
    x = images(channels).repeat(12, 1, 1, 1)
    changed = RandAugment()(x)
    assert changed.shape == x.shape
    assert changed.dtype == torch.float32
    assert 0 <= float(changed.min()) <= float(changed.max()) <= 1
    assert len({tuple(image.flatten().tolist()) for image in changed}) > 36  # each its own draws


def test_the_same_seed_draws_the_same() -> None:
    found = []
    for _ in range(2):
        torch.manual_seed(3)
        found.append(RandAugment()(images()))
    assert torch.equal(*found)


def test_without_operations_only_a_square_is_blanked() -> None:
    x = images().float() / 255
    assert torch.equal(RandAugment(0, cutout=0.0)(x), x)


def test_constant_images_stay_finite() -> None:
    x = torch.full((2, 1, 5, 5), 0.4)
    for change in module.CHANGES[:3]:
        assert torch.allclose(change(x, torch.ones(2, 1, 1, 1)), x, atol=0.01)


def test_values_out_of_range_are_refused() -> None:
    with pytest.raises(UsageError, match=r"RandAugment\.cutout"):
        RandAugment(cutout=0.9)
    with pytest.raises(UsageError, match=r"RandAugment\.operations"):
        RandAugment(-1)
