"""Strong augmentation of whole batches, after RandAugment, on whatever device the batch is."""

import math
from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

from al_lightning.data.transforms import Cutout, DrawsPerImage, to_unit
from al_lightning.utils.checks import require_within, whole_number

_LEVELS = 256  # of an 8-bit image
_GRAY = (0.299, 0.587, 0.114)  # luma of ITU-R 601, as PIL has it
_SMOOTH = ((1.0, 1.0, 1.0), (1.0, 5.0, 1.0), (1.0, 1.0, 1.0))  # PIL's filter, over 13
_TURN = math.radians(30.0)  # largest rotation
_SHEAR = 0.3  # largest shear
_SHIFT = 0.3  # largest shift, as a share of the side
_COLOR = 3

#: Changes images, (B, C, H, W) in [0, 1], by strengths, (B, 1, 1, 1) in [0, 1].
Change = Callable[[Tensor, Tensor], Tensor]


class RandAugment(DrawsPerImage):
    """Changes each image by some operations at random, of random strength, and blanks a square of it.

    Cubuk, Zoph, Shlens & Le 2020, in the form of FixMatch (Sohn et al. 2020, appendix D): every
    operation has a random strength, and Cutout follows. The operations are theirs, on tensors, for one
    colour channel or three: identity, autocontrast, equalize, brightness, contrast, color (of three
    channels), sharpness, posterize, solarize, rotate, shear and shift in both directions.

    >>> import torch
    >>> from al_lightning.data import RandAugment
    >>> RandAugment()(torch.rand(4, 1, 28, 28)).shape
    torch.Size([4, 1, 28, 28])

    Args:
        operations: How many each image goes through, one after the other.
        cutout: Side of the blanked square as a share of the image's side, in [0, 0.5].
    """

    def __init__(self, operations: int = 2, cutout: float = 0.5) -> None:
        super().__init__()
        self.operations = whole_number("RandAugment.operations", operations, least=0)
        require_within("RandAugment.cutout", cutout, "[0, 0.5]")
        self.cutout = Cutout(cutout)

    def forward(self, images: Tensor) -> Tensor:
        """Change (B, C, H, W) images, uint8 or float32 in [0, 1]; float32 in [0, 1]."""
        images = to_unit(images)
        changes = CHANGES if images.shape[1] == _COLOR else [c for c in CHANGES if c is not color]
        for _ in range(self.operations):
            chosen = torch.randint(len(changes), (len(images),), device=images.device)
            strength = torch.rand(len(images), 1, 1, 1, device=images.device)
            changed = images.clone()
            for i, change in enumerate(changes):
                mine = (chosen == i).nonzero().squeeze(1)
                if len(mine):
                    changed[mine] = change(images[mine], strength[mine]).clamp(0, 1)
            images = changed
        blanked: Tensor = self.cutout(images)
        return blanked


def identity(images: Tensor, strength: Tensor) -> Tensor:  # noqa: ARG001
    """Return images as they are."""
    return images


def autocontrast(images: Tensor, strength: Tensor) -> Tensor:  # noqa: ARG001
    """Stretch each channel of each image to [0, 1]; a constant one stays."""
    low, high = images.amin((2, 3), keepdim=True), images.amax((2, 3), keepdim=True)
    width = high - low
    return torch.where(width > 0, (images - low) / width.clamp(min=1e-6), images)


def equalize(images: Tensor, strength: Tensor) -> Tensor:  # noqa: ARG001
    """Give each channel of each image an even histogram of its 256 levels."""
    rows = images.flatten(2).flatten(0, 1)
    levels = (rows * (_LEVELS - 1)).round().long()
    counts = torch.zeros(len(rows), _LEVELS, device=rows.device)
    counts.scatter_add_(1, levels, torch.ones_like(rows))
    below = counts.cumsum(1)
    first = below.gather(1, levels.amin(1, keepdim=True))  # pixels of the lowest level, which get 0
    spread = ((below - first) / (rows.shape[1] - first).clamp(min=1)).clamp(min=0)
    even = torch.where(first < rows.shape[1], spread.gather(1, levels), rows)
    return even.view_as(images)


def brightness(images: Tensor, strength: Tensor) -> Tensor:
    """Blend with black: .05 to .95 of an image stays."""
    return images * (0.05 + 0.9 * strength)


def contrast(images: Tensor, strength: Tensor) -> Tensor:
    """Blend with the mean gray of an image."""
    mean = _gray(images).mean((1, 2, 3), keepdim=True)
    return torch.lerp(mean.expand_as(images), images, 0.05 + 0.9 * strength)


def color(images: Tensor, strength: Tensor) -> Tensor:
    """Blend with the gray image."""
    return torch.lerp(_gray(images).expand_as(images), images, 0.05 + 0.9 * strength)


def sharpness(images: Tensor, strength: Tensor) -> Tensor:
    """Blend with a smoothed image."""
    channels = images.shape[1]
    kernel = images.new_tensor(_SMOOTH).div_(13).expand(channels, 1, 3, 3)
    smooth = F.conv2d(F.pad(images, (1, 1, 1, 1), mode="replicate"), kernel, groups=channels)
    return torch.lerp(smooth, images, 0.05 + 0.9 * strength)


def posterize(images: Tensor, strength: Tensor) -> Tensor:
    """Keep the 4 to 8 highest bits of each pixel."""
    step = 2 ** (strength * 5).floor().clamp(max=4)
    return ((images * (_LEVELS - 1)).round() / step).floor() * step / (_LEVELS - 1)


def solarize(images: Tensor, strength: Tensor) -> Tensor:
    """Invert the pixels that are as bright as a threshold."""
    return torch.where(images < strength, images, 1 - images)


def rotate(images: Tensor, strength: Tensor) -> Tensor:
    """Rotate by up to 30 degrees in both directions; new pixels are black."""
    angle, aspect = (2 * strength - 1) * _TURN, images.shape[2] / images.shape[3]
    turn = angle.sin()
    return _warp(images, angle.cos(), -turn * aspect, turn / aspect, angle.cos())


def shear_x(images: Tensor, strength: Tensor) -> Tensor:
    """Move rows by up to .3 of their distance from the middle."""
    return _warp(images, xy=(2 * strength - 1) * _SHEAR)


def shear_y(images: Tensor, strength: Tensor) -> Tensor:
    """Move columns by up to .3 of their distance from the middle."""
    return _warp(images, yx=(2 * strength - 1) * _SHEAR)


def shift_x(images: Tensor, strength: Tensor) -> Tensor:
    """Move images to a side by up to .3 of it."""
    return _warp(images, dx=(2 * strength - 1) * 2 * _SHIFT)


def shift_y(images: Tensor, strength: Tensor) -> Tensor:
    """Move images up or down by up to .3 of the side."""
    return _warp(images, dy=(2 * strength - 1) * 2 * _SHIFT)


CHANGES: list[Change] = [
    *(identity, autocontrast, equalize, brightness, contrast, color, sharpness),
    *(posterize, solarize, rotate, shear_x, shear_y, shift_x, shift_y),
]


def _gray(images: Tensor) -> Tensor:
    """Return the brightness of each pixel, (B, 1, H, W)."""
    if images.shape[1] != _COLOR:
        return images.mean(1, keepdim=True)
    return (images * images.new_tensor(_GRAY).view(1, 3, 1, 1)).sum(1, keepdim=True)


def _warp(
    images: Tensor,
    xx: Tensor | float = 1.0,
    xy: Tensor | float = 0.0,
    yx: Tensor | float = 0.0,
    yy: Tensor | float = 1.0,
    *,
    dx: Tensor | float = 0.0,
    dy: Tensor | float = 0.0,
) -> Tensor:
    """Return images whose pixel (x, y) was at the affine map of (x, y), in [-1, 1] over the sides."""
    there = images.new_zeros(len(images), 1, 1, 1)
    entries = [torch.as_tensor(v, device=images.device) + there for v in (xx, xy, dx, yx, yy, dy)]
    matrices = torch.cat([entry.flatten(1) for entry in entries], 1).view(-1, 2, 3)
    grid = F.affine_grid(matrices, list(images.shape), align_corners=False)
    return F.grid_sample(images, grid, align_corners=False)
