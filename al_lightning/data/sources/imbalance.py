"""Which training images to keep so that some classes are rare."""

import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from al_lightning.utils.errors import DataError, UsageError
from al_lightning.utils.randomness import derive_generator

# The draw belongs to the data set, not to the run: every seed sees the same imbalanced data.
_DRAW_SEED = 0

# So that 120 images, computed as 119.99999999999999, stay 120.
_ROUNDING = 1e-9


def exponential_shares(classes: int, ratio: float) -> list[float]:
    """Return each class's size over the largest, ``ratio ** (-c / (classes - 1))``: a long tail.

    Class 0 is the most common, the last class the rarest (Cui et al. 2019, "Class-Balanced Loss
    Based on Effective Number of Samples").
    """
    return [ratio ** (-label / max(classes - 1, 1)) for label in range(classes)]


def step_shares(classes: int, ratio: float) -> list[float]:
    """Return each class's size over the largest: 1 for the first half, 1 / ratio for the later.

    With an odd number of classes the one in the middle is common (Buda et al. 2018, "A systematic
    study of the class imbalance problem in convolutional neural networks").
    """
    rare = classes // 2
    return [1.0] * (classes - rare) + [1 / ratio] * rare


_PROFILES: dict[str, Callable[[int, float], list[float]]] = {
    "exponential": exponential_shares,
    "step": step_shares,
}


def check_imbalance(profile: str, ratio: float) -> None:
    """Check that there is such a profile and that the ratio can be one.

    Raises:
        UsageError: If not; names the configuration's key.
    """
    if profile not in _PROFILES:
        raise UsageError(
            f"dataset.imbalance={profile} is unknown; "
            f"use one of {', '.join(_PROFILES)}, or null for none"
        )
    if not (math.isfinite(ratio) and ratio >= 1):
        raise UsageError(
            f"dataset.imbalance_ratio={ratio} is not valid: it is the size of the most common class "
            "over that of the rarest, a finite number of at least 1"
        )


def imbalanced_sizes(available: Sequence[int], profile: str, ratio: float) -> list[int]:
    """Return how many images of each class to keep.

    The sizes are the largest that follow the profile and that there are images for, rounded down.
    With balanced classes, the most common class keeps all its images.

    Args:
        available: How many images each class has.
        profile: "exponential" or "step".
        ratio: The size of the most common class over that of the rarest, at least 1.

    Raises:
        UsageError: If the profile is unknown or the ratio is below 1.
    """
    check_imbalance(profile, ratio)
    shares = _PROFILES[profile](len(available), ratio)
    largest = min(count / share for count, share in zip(available, shares, strict=True))
    largest = math.floor(largest + _ROUNDING)
    return [math.floor(largest * share + _ROUNDING) for share in shares]


def imbalanced_ids(labels: Tensor, classes: Sequence[str], profile: str, ratio: float) -> Tensor:
    """Return the ids of images to keep so that the class sizes follow the profile.

    The draw is fixed: equal labels give equal ids, whatever the run's seed. Under a higher ratio a
    class of balanced data keeps a subset of what it keeps under a lower one.

    Args:
        labels: (N,) int64, the class of each image.
        classes: The names of the classes, by label.
        profile: "exponential" or "step".
        ratio: The size of the most common class over that of the rarest, at least 1.

    Returns:
        (M,) int64, positions in ``labels``, ascending.

    Raises:
        UsageError: If the profile is unknown or the ratio is below 1.
        DataError: If a class would be left without an image.
    """
    available = torch.bincount(labels, minlength=len(classes)).tolist()
    sizes = imbalanced_sizes(available, profile, ratio)
    kept = []
    for label, size in enumerate(sizes):
        if size == 0:
            raise DataError(
                f"dataset.imbalance={profile} with dataset.imbalance_ratio={ratio} leaves the "
                f"class '{classes[label]}' without a training image (it has {available[label]}); "
                "use a lower ratio, or more images"
            )
        members = torch.nonzero(labels == label).flatten()
        generator = derive_generator(_DRAW_SEED, "imbalance", label)
        kept.append(members[torch.randperm(len(members), generator=generator)[:size]])
    return torch.cat(kept).sort().values
