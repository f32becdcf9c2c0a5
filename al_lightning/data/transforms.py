"""Batched transforms, on whatever device the batch is."""

import math
from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from al_lightning.data.pixels.stored import Pixels
from al_lightning.data.source import Normalization
from al_lightning.utils.checks import kind_of, name_of, require_within
from al_lightning.utils.errors import UsageError

_BYTE = 255.0
_BLOCK = 4096  # images a block, or fewer of large ones
_BLOCK_VALUES = 2**24  # as they are measured in float64


def to_unit(pixels: Tensor) -> Tensor:
    """Scale uint8 pixels to float32 in [0, 1]; float pixels are there already."""
    return pixels.float().div_(_BYTE) if pixels.dtype == torch.uint8 else pixels


def measure_normalization(pixels: Pixels) -> Normalization:
    """Return each channel's mean and standard deviation over images, (N, C, H, W).

    A constant channel gets the standard deviation 1, so that it is centred and not blown up. The images
    are read in blocks, whose moments are put together (Chan, Golub & LeVeque 1983).
    """
    count, mean, variance = 0, torch.zeros(()).double(), torch.zeros(()).double()
    size = max(1, min(_BLOCK, _BLOCK_VALUES // math.prod(pixels.shape[1:])))
    for first in range(0, len(pixels), size):
        block = to_unit(pixels[first : first + size]).double()
        found_variance, found_mean = torch.var_mean(block, dim=(0, 2, 3), correction=0)
        share = len(block) / (count + len(block))
        shift = found_mean - mean
        variance = variance * (1 - share) + found_variance * share
        variance = variance + shift.square() * share * (1 - share)
        mean = mean + shift * share
        count += len(block)
    std = variance.sqrt()
    std = torch.where(std > 0, std, 1.0)
    return Normalization(tuple(mean.tolist()), tuple(std.tolist()))


class Normalize(nn.Module):
    """Scales images to [0, 1], then each channel to zero mean and unit variance.

    >>> import torch
    >>> from al_lightning.data import Normalization, Normalize
    >>> normalize = Normalize(Normalization(mean=(0.5,), std=(0.25,)))
    >>> normalize(torch.tensor([0.5, 1.0]).view(1, 1, 1, 2)).flatten()
    tensor([0., 2.])

    Args:
        normalization: The constants.
    """

    mean: Tensor
    factor: Tensor
    byte_mean: Tensor
    byte_factor: Tensor

    def __init__(self, normalization: Normalization) -> None:
        super().__init__()
        shape = (1, -1, 1, 1)
        mean = torch.tensor(normalization.mean).view(shape)
        factor = 1.0 / torch.tensor(normalization.std).view(shape)
        self.register_buffer("mean", mean)
        self.register_buffer("factor", factor)
        self.register_buffer("byte_mean", mean * _BYTE)
        self.register_buffer("byte_factor", factor / _BYTE)

    def forward(self, pixels: Tensor) -> Tensor:
        """Map (B, C, H, W) uint8 or float32 in [0, 1] to float32."""
        if pixels.dtype == torch.uint8:
            return (pixels - self.byte_mean).mul_(self.byte_factor)
        return (pixels - self.mean).mul_(self.factor)


class DrawsPerImage(nn.Module):
    """A transform of batches, (B, C, H, W), with separate random draws for each image of a batch.

    Other random transforms, such as torchvision's, draw once a batch: all images would be flipped, or
    none. They are given one image at a time, see :func:`image_by_image`.
    """


class ImageByImage(DrawsPerImage):
    """Applies a transform to one image at a time, with separate random draws for each.

    Args:
        transform: Maps a batch of one image, (1, C, H, W), to another.
    """

    def __init__(self, transform: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.transform = transform

    def forward(self, images: Tensor) -> Tensor:
        """Transform each of the (B, C, H, W) images separately.

        Raises:
            UsageError: If an image comes back in another shape or type: test images stay as they are.
        """
        parts = [self.transform(image) for image in torch.split(images, 1)]
        asked = (1, *images.shape[1:]), images.dtype
        for part in parts:
            if not isinstance(part, Tensor) or (tuple(part.shape), part.dtype) != asked:
                given = (
                    f"{tuple(part.shape)} {part.dtype}"
                    if isinstance(part, Tensor)
                    else kind_of(part)
                )
                raise UsageError(
                    f"The augmentation {name_of(self.transform)} makes {given} of an image "
                    f"{asked[0]} {asked[1]}: shape and type must stay, as test images are not augmented"
                )
        return torch.cat(parts)


def image_by_image(transform: Callable[[Tensor], Tensor]) -> Callable[[Tensor], Tensor]:
    """Return a transform with separate random draws for each image of a batch, (B, C, H, W).

    Args:
        transform: A :class:`DrawsPerImage`, or a sequence of such, stays as it is.

    Raises:
        UsageError: If it is none, such as a class instead of an instance.
    """
    if isinstance(transform, type) or not callable(transform):
        raise UsageError(
            "augment must be a transform of images, such as RandomHorizontalFlip(), not "
            f"{kind_of(transform)}"
        )
    chain = transform if isinstance(transform, nn.Sequential) else [transform]
    drawn = all(isinstance(part, DrawsPerImage) for part in chain)
    return transform if drawn else ImageByImage(transform)


class RandomShift(DrawsPerImage):
    """Moves each image by up to some pixels in both directions; new pixels are black.

    >>> import torch
    >>> from al_lightning.data import RandomShift
    >>> shifted = RandomShift(share=0.25)(torch.ones(5, 1, 8, 8))
    >>> bool((shifted.sum((1, 2, 3)) >= 36).all())  # by 2 pixels at most: 6 x 6 are left
    True

    Args:
        share: The largest shift as a share of the shorter side, in [0, 0.5]; rounded to pixels.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        require_within("RandomShift.share", share, "[0, 0.5]")
        self.share = share

    def forward(self, images: Tensor) -> Tensor:
        """Shift (B, C, H, W) images, each by its own offset."""
        count, _, height, width = images.shape
        most = round(self.share * min(height, width))
        if most == 0:  # less than half a pixel
            return images
        padded = F.pad(images, (most,) * 4).permute(0, 2, 3, 1)
        offsets = torch.randint(0, 2 * most + 1, (2, count, 1, 1), device=images.device)
        rows = offsets[0] + torch.arange(height, device=images.device)[:, None]
        columns = offsets[1] + torch.arange(width, device=images.device)
        image = torch.arange(count, device=images.device)[:, None, None]
        return padded[image, rows, columns].permute(0, 3, 1, 2)


class RandomHorizontalFlip(DrawsPerImage):
    """Mirrors each image with some probability.

    >>> import torch
    >>> from al_lightning.data import RandomHorizontalFlip
    >>> RandomHorizontalFlip(probability=1.0)(torch.tensor([1, 2, 3]).view(1, 1, 1, 3)).flatten()
    tensor([3, 2, 1])

    Args:
        probability: In [0, 1].
    """

    def __init__(self, probability: float = 0.5) -> None:
        super().__init__()
        require_within("RandomHorizontalFlip.probability", probability, "[0, 1]")
        self.probability = probability

    def forward(self, images: Tensor) -> Tensor:
        """Mirror some of the (B, C, H, W) images."""
        chosen = torch.rand(len(images), 1, 1, 1, device=images.device) < self.probability
        return torch.where(chosen, images.flip(3), images)


class Cutout(DrawsPerImage):
    """Blanks a random square of each image (DeVries & Taylor 2017, arXiv:1708.04552).

    >>> import torch
    >>> from al_lightning.data import Cutout
    >>> blanked = (Cutout(share=0.5)(torch.ones(5, 1, 8, 8)) == 0).sum((1, 2, 3))
    >>> bool(((blanked >= 4) & (blanked <= 16)).all())  # 4 x 4 pixels, a corner of it at the border
    True

    Args:
        share: The square's side as a share of the image's, in [0, 0.5], rounded to pixels; the square
            may reach over the border.
    """

    def __init__(self, share: float) -> None:
        super().__init__()
        require_within("Cutout.share", share, "[0, 0.5]")
        self.share = share

    def forward(self, images: Tensor) -> Tensor:
        """Blank a square of each of the (B, C, H, W) images."""
        hidden = self._band(images, 2)[:, None, :, None] & self._band(images, 3)[:, None, None, :]
        return images.masked_fill(hidden, 0)

    def _band(self, images: Tensor, dimension: int) -> Tensor:
        side = images.shape[dimension]
        length = round(self.share * side)
        first = torch.randint(0, side, (len(images), 1), device=images.device) - length // 2
        position = torch.arange(side, device=images.device)
        return (position >= first) & (position < first + length)


def augmentation(
    shift: float = 0.0, horizontal_flip: bool = False, cutout: float = 0.0
) -> nn.Module | None:
    """Return the requested augmentations, in a fixed order; None if there are none.

    >>> from al_lightning.data import augmentation
    >>> augmentation(shift=0.1, horizontal_flip=True)
    Sequential(
      (0): RandomHorizontalFlip()
      (1): RandomShift()
    )

    Args:
        shift: Largest random shift as a share of the side, in [0, 0.5].
        horizontal_flip: Whether half of the images are mirrored.
        cutout: Side of the blanked square as a share of the image's side, in [0, 0.5].
    """
    parts: Sequence[nn.Module] = [
        *([RandomHorizontalFlip()] if horizontal_flip else []),
        *([RandomShift(shift)] if shift else []),
        *([Cutout(cutout)] if cutout else []),
    ]
    return nn.Sequential(*parts) if parts else None
