"""A fixed, stratified split of labeled images into training and test images."""

from collections.abc import Sequence

import torch
from torch import Tensor

from al_lightning.utils.errors import DataError
from al_lightning.utils.randomness import derive_generator

#: The split belongs to the data set, not to the run: every seed is tested on the same images.
DRAW_SEED = 0

_SMALLEST_CLASS = 2  # one image to learn from, one to test on


def stratified_split(
    labels: Tensor, test_count: int, classes: Sequence[str]
) -> tuple[Tensor, Tensor]:
    """Split images into training and test images, each class in proportion to its size.

    A class's exact share of the test images is rounded down; the images still missing go to the
    classes that lost most by it. Each class has at least one image on either side, so with very
    small classes the test set can differ from ``test_count`` by a few images. The draw is fixed:
    equal labels are split equally, whatever the run's seed.

    Args:
        labels: (N,) int64, the class of each image.
        test_count: How many test images to take, in (0, N).
        classes: The names of the classes, by label.

    Returns:
        The positions of the training images and of the test images, int64, each ascending.

    Raises:
        DataError: If a class has fewer than two images; names the class.
    """
    sizes = torch.bincount(labels, minlength=len(classes))
    _check_sizes(sizes.tolist(), classes)
    test = []
    for label, count in enumerate(_allocate(sizes, test_count)):
        members = torch.nonzero(labels == label).flatten()
        generator = derive_generator(DRAW_SEED, "test split", label)
        test.append(members[torch.randperm(len(members), generator=generator)[:count]])
    is_test = torch.zeros(len(labels), dtype=torch.bool)
    is_test[torch.cat(test)] = True
    return torch.nonzero(~is_test).flatten(), torch.nonzero(is_test).flatten()


def _check_sizes(sizes: Sequence[int], classes: Sequence[str]) -> None:
    for name, size in zip(classes, sizes, strict=True):
        if size < _SMALLEST_CLASS:
            raise DataError(
                f"Of class '{name}' there {'is 1 image' if size else 'are no images'}; to be split "
                f"into training and test images, a class needs at least {_SMALLEST_CLASS}: "
                "add images, or leave the class out"
            )


def _allocate(sizes: Tensor, test_count: int) -> list[int]:
    """Return the number of test images of each class, by largest remainder."""
    exact = sizes.double() * test_count / sizes.sum()
    counts = exact.floor().long()
    lost = (exact - counts).sort(descending=True, stable=True).indices
    counts[lost[: test_count - int(counts.sum())]] += 1
    bounded = torch.minimum(counts.clamp(min=1), sizes - 1)
    return [int(count) for count in bounded]
