import logging
from collections.abc import Sequence
from pathlib import Path

import pytest

from al_lightning.data.folder.folder_classes import decide_classes
from al_lightning.data.folder.folder_files import FolderFiles
from al_lightning.utils.errors import DataError

ROOT = Path("photos")
SOME = [Path("0.png")]


def _found(
    train: Sequence[str], test: Sequence[str] | None = None, unlabeled: bool = False
) -> FolderFiles:
    return FolderFiles(
        dict.fromkeys(train, SOME),
        None if test is None else dict.fromkeys(test, SOME),
        SOME if unlabeled else None,
    )


def test_folders_name_the_classes_in_sorted_order() -> None:
    assert decide_classes(ROOT, _found(["b", "a"])) == ("a", "b")
    assert decide_classes(ROOT, _found(["a", "b"], ["b", "a"])) == ("a", "b")
    assert decide_classes(ROOT, _found(["c"], ["a", "c"], unlabeled=True)) == ("a", "c")


def test_given_classes_decide_the_order() -> None:
    assert decide_classes(ROOT, _found(["a", "b"]), ("b", "a")) == ("b", "a")
    assert decide_classes(ROOT, _found([], unlabeled=True), ("b", "a")) == ("b", "a")
    assert decide_classes(ROOT, _found(["a"], unlabeled=True), ("b", "a")) == ("b", "a")


def test_given_classes_must_contain_every_folder() -> None:
    with pytest.raises(DataError, match=r"dataset\.classes does not name: 'b', 'c'\. Name"):
        decide_classes(ROOT, _found(["a", "b", "c"]), ("a", "d"))


def test_fewer_than_two_classes_are_refused() -> None:
    with pytest.raises(DataError, match="at least 2 classes, has none: expected one folder"):
        decide_classes(ROOT, _found([]))
    with pytest.raises(
        DataError, match=r"has none, .*Name them all: 'dataset\.classes=\[cat,dog\]"
    ):
        decide_classes(ROOT, _found([], unlabeled=True))
    with pytest.raises(DataError, match=r"has only 'a', .*Name them all"):
        decide_classes(ROOT, _found(["a"], unlabeled=True))


def test_training_and_test_images_must_have_the_same_classes() -> None:
    with pytest.raises(
        DataError, match=r"train has c, which test has not; test has d, which train"
    ):
        decide_classes(ROOT, _found(["a", "b", "c"], ["a", "b", "d"]))
    with pytest.raises(DataError, match=r"dataset\.classes has c, which train has not\. Each"):
        decide_classes(ROOT, _found(["a", "b"]), ("a", "b", "c"))


def test_beside_unlabeled_images_classes_may_be_missing(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        found = _found(["a", "b"], ["b", "c"], unlabeled=True)
        assert decide_classes(ROOT, found, ("c", "b", "a", "d")) == ("c", "b", "a", "d")
    assert "photos/test has no images of a, d: test figures" in caplog.text


@pytest.mark.parametrize(
    "names", [["Cat", "cat"], ["cat", "cat\u200b"], ["b c", "b C"], ["\ufb01sh", "fish"]]
)
def test_one_class_in_two_spellings_is_refused(names: list[str]) -> None:
    with pytest.raises(DataError, match="look like one class in several spellings: '"):
        decide_classes(ROOT, _found(names))
    assert decide_classes(ROOT, _found(names), names) == tuple(names)


def test_spellings_are_compared_between_training_and_test(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="spellings: 'Cat', 'cat'"):
        decide_classes(ROOT, _found(["Cat", "dog"], ["cat", "dog"], unlabeled=True))
