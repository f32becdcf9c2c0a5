"""A fixed split of labeled images into training and test images, whole groups at a time."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from al_lightning.data.sources.split import DRAW_SEED
from al_lightning.utils.errors import DataError
from al_lightning.utils.randomness import derive_generator

_Counts = np.ndarray[tuple[int, ...], np.dtype[np.float64]]


def grouped_split(
    labels: Tensor, groups: Tensor, test_count: int, classes: Sequence[str]
) -> tuple[Tensor, Tensor]:
    """Split images into training and test images, so that no group is divided.

    The groups are visited in a fixed random order, and one becomes a test group where that brings the
    classes closer to their shares of the test images (the sum of squared differences, each divided by
    the size of the class). Then each class without a test image gets the smallest group that has one.
    Groups that are large in comparison with ``test_count`` are rarely test groups, and the test set
    can differ from ``test_count`` by as much as a group has images.

    Args:
        labels: (N,) int64, the class of each image.
        groups: (N,) int64, the group of each image, such as a patient or a video.
        test_count: How many test images to take, in (0, N).
        classes: The names of the classes, by label.

    Returns:
        The positions of the training images and of the test images, int64, each ascending.

    Raises:
        DataError: If a class cannot have images on either side; names the class.
    """
    names, members = np.unique(groups.numpy(), return_inverse=True)
    counts = np.zeros((len(names), len(classes)))
    np.add.at(counts, (members, labels.numpy()), 1)
    order = torch.randperm(len(counts), generator=derive_generator(DRAW_SEED, "test groups"))
    chosen = _draw(counts[order], test_count, classes)
    is_test = torch.zeros(len(counts), dtype=torch.bool)
    is_test[order[chosen]] = True
    images = is_test[torch.from_numpy(members)]
    return (~images).nonzero().flatten(), images.nonzero().flatten()


def _draw(counts: _Counts, test_count: int, classes: Sequence[str]) -> list[int]:
    """Return the rows of the test groups; counts are (groups, classes)."""
    sizes = counts.sum(0)
    shares, taken = sizes * test_count / sizes.sum(), np.zeros(len(classes))
    weights = 1 / np.maximum(sizes, 1)
    chosen: list[int] = []
    for group, count in enumerate(counts):
        closer = (count * (count + 2 * (taken - shares)) * weights).sum() < 0
        if closer and _leaves_some(sizes - taken, count):
            chosen.append(group)
            taken += count
    for label, name in enumerate(classes):
        if taken[label] == 0:
            smallest = _smallest_of(label, counts, sizes - taken, {*chosen})
            if smallest is None:
                raise DataError(_refusal(name, int((counts[:, label] > 0).sum())))
            chosen.append(smallest)
            taken += counts[smallest]
    return chosen


def _leaves_some(left: _Counts, count: _Counts) -> bool:
    """Return whether each class of a group has images outside of it."""
    return bool((left - count)[count > 0].min() > 0)


def _smallest_of(label: int, counts: _Counts, left: _Counts, chosen: set[int]) -> int | None:
    """Return the smallest group with a class that can become a test group; None without one."""
    fitting = [
        group
        for group in np.flatnonzero(counts[:, label]).tolist()
        if group not in chosen and _leaves_some(left, counts[group])
    ]
    return min(fitting, key=lambda group: float(counts[group].sum()), default=None)


def _refusal(name: str, groups: int) -> str:
    owners = "1 group" if groups == 1 else f"{groups} groups"
    return (
        f"The images of class '{name}' are of {owners}, and a group is never divided between training "
        "and test images: no split has the class on either side. Add images of other groups, give "
        "some images the split test, or leave the class out"
    )
