"""Which classes a folder of images has."""

import logging
from collections.abc import Sequence
from pathlib import Path

from al_lightning.data.folder.class_names import look_alikes, quoted
from al_lightning.data.folder.folder_files import ARRANGEMENT, TEST, TRAIN, FolderFiles
from al_lightning.utils.errors import DataError

_FEWEST = 2

_logger = logging.getLogger(__name__)


def decide_classes(
    root: Path,
    found: FolderFiles,
    given: Sequence[str] | None = None,
    known: Sequence[str] | None = None,
) -> tuple[str, ...]:
    """Return the classes by label: as given, else the names of the folders, sorted.

    Every class needs training images and, where there is a folder ``test``, test images. Where there
    are unlabeled images, both may be missing; a class that is not tested is warned of.

    Args:
        root: The folder.
        found: What is in it.
        given: All classes, in their order; None where the folders name them.
        known: Further names that folders of a project may have; its classes need no images. None if
            this is no project.

    Raises:
        DataError: If there are fewer than two classes, a folder is none of those given, a class has
            no folder, or two folders' names differ by case or by invisible characters alone, unless
            both are given.
    """
    train, test = list(found.train), None if found.test is None else list(found.test)
    folders = sorted({*train, *(test or [])})
    if given is None and known is None:  # a project compares new names with all that it knows
        _refuse_spellings(root, folders)
    if given is not None:
        _refuse_unnamed(root, folders, (*given, *(known or ())))
    classes = folders if given is None else given
    if known is not None:
        classes = list(dict.fromkeys([*classes, *known]))
    _refuse_too_few(root, found, classes)
    if known is not None:
        return tuple(classes)
    if found.unlabeled is None:
        _refuse_missing(root, train, test, given)
    elif test is not None and (untested := [name for name in classes if name not in test]):
        _logger.warning(
            "%s/test has no images of %s: test figures do not cover these classes",
            root,
            ", ".join(untested),
        )
    return tuple(classes)


def _refuse_spellings(root: Path, names: Sequence[str]) -> None:
    """Refuse class names that look equal and differ in their characters."""
    for same in look_alikes(names):
        raise DataError(
            f"{root} has folders that look like one class in several spellings: {quoted(same)}. "
            "Rename them to one; if they are different classes, name all classes in "
            "dataset.classes"
        )


def _refuse_unnamed(root: Path, folders: Sequence[str], named: Sequence[str]) -> None:
    """Refuse folders of classes that the user has not named."""
    if unnamed := [name for name in folders if name not in named]:
        raise DataError(
            f"{root} has folders of classes that dataset.classes does not name: {quoted(unnamed)}. "
            "Name these too, rename the folders, or, if they are no classes, move their images into "
            "unlabeled/"
        )


def _refuse_too_few(root: Path, found: FolderFiles, classes: Sequence[str]) -> None:
    if len(classes) >= _FEWEST:
        return
    named = f"only '{classes[0]}'" if classes else "none"
    if found.unlabeled is None:
        raise DataError(f"{root} needs at least {_FEWEST} classes, has {named}: {ARRANGEMENT}")
    raise DataError(
        f"{root} needs at least {_FEWEST} classes, has {named}, and its unlabeled images name no "
        "others. Name them all: 'dataset.classes=[cat,dog]'"
    )


def _refuse_missing(
    root: Path, train: Sequence[str], test: Sequence[str] | None, given: Sequence[str] | None
) -> None:
    """Check that training images, test images and the user name the same classes."""
    sides = {TRAIN: train, TEST: test, "dataset.classes": given}
    known = {side: set(names) for side, names in sides.items() if names is not None}
    troubles = [
        f"{side} has {', '.join(more)}, which {other} has not"
        for side, names in known.items()
        for other, others in known.items()
        if (more := sorted(names - others))
    ]
    if troubles:
        raise DataError(
            f"The classes in {root} differ: {'; '.join(troubles)}. "
            "Each class needs a folder of the same name for training and, if there is a folder test, "
            "for testing; only where there is a folder unlabeled, a class may have none"
        )
