from dataclasses import replace
from pathlib import Path

import pytest
import torch

from al_lightning.data.files.file_rows import FileRows, require_images, split_test
from al_lightning.utils.errors import DataError

CLASSES = ("cat", "dog")


def rows(labels: list[int], test: int = 0) -> FileRows:
    """Images with these labels, the last of which are given as test images."""
    names = tuple(f"{i}.png" for i in range(len(labels)))
    is_test = torch.arange(len(labels)) >= len(labels) - test
    files = tuple(map(Path, names))
    known = -1 in labels
    return FileRows(files, names, names, torch.tensor(labels), is_test, bool(test), known)


def all_of(found: FileRows) -> torch.Tensor:
    return torch.ones(len(found.files), dtype=torch.bool)


def test_a_part_of_the_usable_images_is_split_off() -> None:
    found = rows([0, 1] * 20)
    assert not split_test(found, all_of(found), 0, CLASSES).any()
    usable = torch.arange(40) >= 10
    is_test = split_test(found, usable, 0.2, CLASSES)
    assert found.labels[is_test].bincount().tolist() == [3, 3]
    assert not is_test[:10].any()


def test_groups_are_split_off_as_a_whole() -> None:
    found = replace(rows([0, 1] * 20), groups=torch.arange(40) // 4)
    assert found.groups is not None
    is_test = split_test(found, all_of(found), 0.2, CLASSES)
    assert is_test.sum() == 8
    assert {*found.groups[is_test].tolist()}.isdisjoint(found.groups[~is_test].tolist())


def test_what_is_left_must_have_every_class_that_was_given() -> None:
    found = rows([0, 1, 0, 1], test=2)
    require_images(found, all_of(found), CLASSES, "remove them")
    for gone, part in ((1, "training images of class 'dog'"), (2, "test images of class 'cat'")):
        with pytest.raises(DataError, match=f"None of the {part} can be used; repair them, or rem"):
            require_images(found, torch.arange(4) != gone, CLASSES, "remove them")
    require_images(rows([0, 1, 1], test=1), all_of(rows([0, 1, 1])), CLASSES, "remove them")


def test_of_the_unlabeled_images_some_must_be_left() -> None:
    found = rows([0, -1])
    require_images(found, torch.tensor([False, True]), CLASSES, "remove them")
    with pytest.raises(DataError, match=r"None of the unlabeled images .*, or remove them"):
        require_images(found, torch.tensor([True, False]), CLASSES, "remove them")
