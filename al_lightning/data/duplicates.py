"""Images that occur more than once, pixel for pixel."""

import hashlib
from collections.abc import Iterable, Sequence

from torch import Tensor

from al_lightning.data.source import UNKNOWN

#: The positions of equal images, ascending; two or more.
Group = tuple[int, ...]

_DIGEST = 16  # bytes: among 10^9 images, two different ones agree with a probability of 10^-21


def equal_images(pixels: Tensor, ids: Iterable[int]) -> list[Group]:
    """Find images that are equal, pixel for pixel.

    Takes a digest of every image, so memory grows with their number, not with their size.

    Args:
        pixels: (N, C, H, W) uint8.
        ids: Which of them to look at.

    Returns:
        The groups of equal images, by their first.
    """
    rows = pixels.contiguous().numpy()
    first: dict[bytes, int] = {}
    groups: dict[int, list[int]] = {}
    for i in ids:
        original = first.setdefault(hashlib.sha256(rows[i].data).digest()[:_DIGEST], i)
        if original != i:
            groups.setdefault(original, [original]).append(i)
    return [tuple(sorted(groups[original])) for original in sorted(groups)]


def contradictions(groups: Iterable[Group], labels: Sequence[int]) -> list[Group]:
    """Return equal images with different known classes, without those whose class is not known."""
    known = [tuple(i for i in group if labels[i] != UNKNOWN) for group in groups]
    return [group for group in known if len({labels[i] for i in group}) > 1]


def repeats(groups: Iterable[Group], is_test: Sequence[bool]) -> list[Group]:
    """Return equal training images, two or more."""
    training = [tuple(i for i in group if not is_test[i]) for group in groups]
    return [group for group in training if len(group) > 1]


def leaks(groups: Iterable[Group], is_test: Sequence[bool]) -> list[Group]:
    """Return equal images that occur among both training and test images."""
    return [group for group in groups if len({is_test[i] for i in group}) > 1]
