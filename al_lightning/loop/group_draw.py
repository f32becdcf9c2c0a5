"""Which groups of images, such as patients or videos, are labeled for validation: whole ones."""

import warnings

import torch
from torch import Tensor

from al_lightning.utils.errors import UsageError
from al_lightning.utils.randomness import derive_generator


def draw_groups(
    ids: Tensor, groups: Tensor, count: int, seed: int, purpose: str = "validation"
) -> Tensor:
    """Draw whole groups of at most ``count`` images together.

    The groups are visited in a random order, and each that still fits is drawn: a few images may be
    missing from ``count``. Depends on the arguments alone.

    Args:
        ids: (N,) int64.
        groups: The group of each, (N,) int64.
        count: How many images at most.
        seed: Of the order.
        purpose: Of the draw: validation or test.

    Returns:
        (M,) int64, M <= count, group after group.
    """
    owners, sizes = torch.unique(groups, return_counts=True)
    order = torch.randperm(len(owners), generator=derive_generator(seed, purpose))
    drawn, left = [ids[:0]], count
    for owner, size in zip(owners[order].tolist(), sizes[order].tolist(), strict=True):
        if size <= left:
            drawn.append(ids[groups == owner])
            left -= size
    return torch.cat(drawn)


def check_groups(groups: Tensor, count: int, purpose: str = "validation") -> None:
    """Check that groups are small enough to be drawn for validation or test.

    Args:
        groups: The group of each image, (N,) int64.
        count: Number of images to draw.
        purpose: Of the draw: validation or test.

    Raises:
        UsageError: If every group has more images.

    Warns:
        UserWarning: If some groups have more: they are never drawn.
    """
    sizes = torch.unique(groups, return_counts=True)[1]
    if count == 0 or len(sizes) == 0:
        return
    smallest, largest = int(sizes.min()), int(sizes.max())
    if smallest > count:
        raise UsageError(
            f"budget.{purpose}={count} is fewer images than the smallest group has, and a group is "
            f"never divided between training and {purpose}: raise it to {smallest} or more"
        )
    if largest > count:
        warnings.warn(
            f"{int((sizes > count).sum())} of {len(sizes)} groups have more than budget.{purpose}="
            f"{count} images: they are never drawn for {purpose}, and its figures do not cover them. "
            f"With budget.{purpose}={largest}, each may be drawn",
            stacklevel=2,
        )
