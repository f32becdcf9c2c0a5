"""Images that occur more than once, pixel for pixel."""

import hashlib
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from al_lightning.data.source import UNKNOWN

#: The positions of equal images, ascending; two or more.
Group = tuple[int, ...]

DIGEST = 16  # bytes: among 10^9 images, two different ones agree with a probability of 10^-21


def image_digests(pixels: Tensor) -> Tensor:
    """Return a digest of every image, (N, 16) uint8; equal images alone have equal ones.

    Args:
        pixels: (N, C, H, W) uint8.
    """
    rows = pixels.contiguous().numpy()
    found = b"".join(hashlib.sha256(row.data).digest()[:DIGEST] for row in rows)
    if not found:  # torch refuses a buffer of no bytes
        return torch.empty(0, DIGEST, dtype=torch.uint8)
    return torch.frombuffer(bytearray(found), dtype=torch.uint8).view(-1, DIGEST)


def equal_images(digests: Tensor, ids: Iterable[int]) -> list[Group]:
    """Find images that are equal, pixel for pixel.

    Memory grows with their number, not with their size.

    Args:
        digests: Of all images, (N, 16) uint8, as :func:`image_digests` takes them.
        ids: The images to compare.

    Returns:
        The groups of equal images, by their first.
    """
    rows = digests.numpy()
    first: dict[bytes, int] = {}
    groups: dict[int, list[int]] = {}
    for i in ids:
        original = first.setdefault(rows[i].tobytes(), i)
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
