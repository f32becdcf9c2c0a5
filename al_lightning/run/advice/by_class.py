"""Which classes are weak."""

from collections.abc import Sequence
from dataclasses import dataclass

from al_lightning.utils.intervals import wilson_interval


@dataclass(frozen=True)
class WeakClass:
    """A class that is recognised less often than all images are.

    Attributes:
        label: The class.
        recall: Share of its images that are predicted as it.
        interval: Of the recall, 95 %; it ends below the accuracy.
        labels: Labels of it that are trained on.
        few: Whether these are fewer than the mean class has.
    """

    label: int
    recall: float
    interval: tuple[float, float]
    labels: int
    few: bool


def weak_classes(
    recall: Sequence[float], images: Sequence[float], labels: Sequence[int]
) -> list[WeakClass]:
    """Return the classes whose recall is surely below the accuracy, the weakest first.

    Args:
        recall: Of each class, in [0, 1].
        images: On how many images of each class it was measured.
        labels: How many labels of each class are trained on.

    Raises:
        ValueError: If the three differ in length.
    """
    if not len(recall) == len(images) == len(labels):
        raise ValueError(f"{len(recall)} recalls, {len(images)} images, {len(labels)} labels")
    total = sum(images)
    right = sum(share * count for share, count in zip(recall, images, strict=True))
    found = []
    for label, (share, count, known) in enumerate(zip(recall, images, labels, strict=True)):
        if count < 1:
            continue
        low, high = wilson_interval(share, int(count))
        if high < right / total:
            few = known * len(labels) < sum(labels)
            found.append(WeakClass(label, share, (low, high), known, few))
    return sorted(found, key=lambda each: (each.interval[1], each.label))
