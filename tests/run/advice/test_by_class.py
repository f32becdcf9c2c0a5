import pytest

from al_lightning.run.advice.by_class import weak_classes
from al_lightning.utils.intervals import wilson_interval


def test_weak_classes_are_surely_below_the_accuracy() -> None:
    # Of 310 images, 95 + 60 + 85 + 7 are right: .80
    recall, images, labels = [0.95, 0.6, 0.85, 2.0 / 3], [100, 100, 100, 10], [30, 5, 20, 40]
    (weak,) = weak_classes(recall, images, labels)  # of the last, 10 images say too little
    assert (weak.label, weak.recall, weak.labels, weak.few) == (1, 0.6, 5, True)
    assert weak.interval == wilson_interval(0.6, 100)


def test_the_weakest_comes_first_and_may_have_many_labels() -> None:
    found = weak_classes([1.0, 0.3, 0.1], [100, 100, 100], [10, 20, 90])
    assert [(weak.label, weak.few) for weak in found] == [(2, False), (1, True)]


def test_classes_without_images_say_nothing() -> None:
    assert weak_classes([0.0, 0.9], [0, 50], [5, 5]) == []


def test_what_differs_in_length_is_refused() -> None:
    with pytest.raises(ValueError, match="2 recalls, 1 images, 2 labels"):
        weak_classes([0.5, 0.5], [10], [1, 1])
