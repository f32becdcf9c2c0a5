"""Which classes a folder of images has."""

import logging
import unicodedata
from collections.abc import Sequence
from pathlib import Path

from al_lightning.data.folder.folder_files import ARRANGEMENT, TEST, TRAIN, FolderFiles
from al_lightning.utils.errors import DataError, UsageError
from al_lightning.utils.names import normal_name

_FEWEST = 2

_logger = logging.getLogger(__name__)


def check_names(classes: Sequence[object]) -> tuple[str, ...]:
    """Return names of classes in their :func:`~al_lightning.utils.names.normal_name`, numbers as text.

    Raises:
        UsageError: If one is no name, or given twice.
    """
    for name in classes:
        if isinstance(name, bool) or not isinstance(name, str | int) or not str(name).strip():
            raise UsageError(
                f"dataset.classes names {name!r} ({type(name).__name__}), which is no name; quote it "
                "if it is one"
            )
    names = tuple(_normal(str(name)) for name in classes)
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"dataset.classes names '{name}' twice")
    return names


def _normal(name: str) -> str:
    try:
        return normal_name(name)
    except ValueError as error:
        raise UsageError(f"dataset.classes names {name!a}, which is no name: {error}") from error


def decide_classes(
    root: Path, found: FolderFiles, given: Sequence[str] | None = None
) -> tuple[str, ...]:
    """Return the classes by label: as given, else the names of the folders, sorted.

    Every class needs training images and, where there is a folder ``test``, test images. Where there
    are unlabeled images, both may be missing; a class that is not tested is warned of.

    Args:
        root: The folder.
        found: What is in it.
        given: All classes, in their order; None where the folders name them.

    Raises:
        DataError: If there are fewer than two classes, a folder is none of those given, a class has
            no folder, or two folders' names differ by case or by invisible characters alone, unless
            both are given.
    """
    train, test = list(found.train), None if found.test is None else list(found.test)
    folders = sorted({*train, *(test or [])})
    if given is None:
        _refuse_spellings(root, folders)
    elif unnamed := [name for name in folders if name not in given]:
        raise DataError(
            f"{root} has folders of classes that dataset.classes does not name: "
            f"{_quoted(unnamed)}. Name all classes, rename the folders, or leave dataset.classes out"
        )
    classes = folders if given is None else given
    _refuse_too_few(root, found, classes)
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
    spellings: dict[str, list[str]] = {}
    for name in names:
        spellings.setdefault(_look_alike_key(name), []).append(name)
    for same in spellings.values():
        if len(same) > 1:
            raise DataError(
                f"{root} has folders that look like one class in several spellings: {_quoted(same)}. "
                "Rename them to one; if they are different classes, name all classes in "
                "dataset.classes"
            )


def _look_alike_key(name: str) -> str:
    """Return a form of a name that is equal for names that look equal."""
    text = unicodedata.normalize("NFKC", name).casefold()
    return "".join(c for c in text if unicodedata.category(c) != "Cf")  # such as U+200B


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


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(f"'{name}'" for name in names)
