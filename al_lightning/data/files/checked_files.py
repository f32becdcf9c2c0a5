"""Image files that were decoded, and which of them can be used."""

from collections.abc import Sequence
from dataclasses import dataclass

from torch import Tensor

from al_lightning.data.pixels.duplicates import Group
from al_lightning.data.pixels.stored import Pixels


@dataclass(frozen=True)
class CheckedFiles:
    """Decoded image files.

    Attributes:
        pixels: (N, C, H, W) uint8.
        digests: Of the pixels of each, (N, 16) uint8.
        labels: (N,) int64, -1 where the class is not known; an image has the label of a copy of it.
        usable: Which can be used, (N,) bool: not those that cannot be read, have two classes, or are
            copies of others.
        copies: Groups of equal images.
        left_out: Which cannot be read, or have two classes.
        copied: Which are copies of training images.
    """

    pixels: Pixels
    digests: Tensor
    labels: Tensor
    usable: Tensor
    copies: Sequence[Group]
    left_out: set[int]
    copied: Sequence[int]
