"""The images in a folder that is arranged by class."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from al_lightning.data.folder.folder_listing import FolderListing, visible_entries
from al_lightning.data.pixels.image_files import ENDINGS
from al_lightning.utils.errors import DataError
from al_lightning.utils.listing import shortened
from al_lightning.utils.names import normal_name, readable_name

TRAIN, TEST, UNLABELED = "train", "test", "unlabeled"

ARRANGEMENT = (
    "expected one folder per class, with the class's images directly in it: "
    "train/<class>/* and test/<class>/*; or only train/<class>/* or <class>/*, "
    "and test images are split off; images without a label go into unlabeled/, or directly into a "
    "folder without folders of classes"
)

_RESERVED = (TRAIN, TEST, UNLABELED)
_MEANT = {**{name: name for name in _RESERVED}, "unlabelled": UNLABELED}
_NAMED = 5  # how many folders an error names


@dataclass(frozen=True)
class FolderFiles:
    """The images of a folder, before any is read; images are sorted by name.

    Attributes:
        train: The images of each class, by its :func:`~al_lightning.utils.names.normal_name`.
        test: The same; None where there is no folder ``test``.
        unlabeled: The images whose classes are not known: those below ``unlabeled``, and those directly
            in a folder without folders of classes or in a project that knows some; None without both.
    """

    train: Mapping[str, Sequence[Path]]
    test: Mapping[str, Sequence[Path]] | None
    unlabeled: Sequence[Path] | None


def find_images(
    root: Path,
    named: Collection[str] = (),
    *,
    in_project: bool = False,
    reads_beside: bool = False,
) -> FolderFiles:
    """List the images of a folder that is arranged as :data:`ARRANGEMENT` says.

    Hidden files, what a system has put there (thumbnails, trash), and files that are no images by
    their ending, are left out. Links are followed; a folder below ``unlabeled`` that links have led to
    before is left out.

    Args:
        root: The folder.
        named: Classes whose folders may be empty beside ``unlabeled``.
        in_project: Whether any folder may be empty, since its images may have been moved.
        reads_beside: Whether images directly in the folder are unlabeled ones also beside folders of
            classes, as in a project that has begun without these.

    Raises:
        DataError: If the folder is missing or otherwise arranged, or a folder has no images.
        OSError: If a folder cannot be read.
    """
    if not root.is_dir():
        what = "is no folder" if root.exists() else "does not exist"
        raise DataError(f"dataset.path={root} {what}: {ARRANGEMENT}")
    listing = FolderListing(root)
    folders = {entry.name: entry for entry in listing.visible(root) if entry.is_dir()}
    _refuse_misspelled(root, folders)
    unlabeled = _unlabeled(root, folders, listing, reads_beside=reads_beside)
    train = listing.images_by_class(
        _train_folders(root, folders, listing, has_unlabeled=unlabeled is not None)
    )
    test = None
    if TEST in folders:
        test = listing.images_by_class(listing.folders_in(folders[TEST]))
    if UNLABELED in folders and not unlabeled and not in_project:
        raise DataError(
            f"There is no image in {folders[UNLABELED]}: add the images to be labeled, with one "
            f"of the endings {' '.join(sorted(ENDINGS))}, or remove the folder"
        )
    found = FolderFiles(train, test, unlabeled)
    if not in_project:
        _refuse_empty(root / TRAIN if TRAIN in folders else root, root / TEST, found, named)
    listing.warn()
    return found


def _train_folders(
    root: Path, folders: Mapping[str, Path], listing: FolderListing, *, has_unlabeled: bool
) -> Sequence[Path]:
    """Return the folders of the classes to learn from."""
    others = [folder for name, folder in folders.items() if name not in _RESERVED]
    if TRAIN in folders:
        listing.unknown += others
        return listing.folders_in(folders[TRAIN])
    if TEST in folders and (others or not has_unlabeled):
        raise DataError(
            f"{root} has a folder test, but no folder train"
            f"{': move the folders of the classes into it' if others else ''}; {ARRANGEMENT}"
        )
    return others


def _unlabeled(
    root: Path, folders: Mapping[str, Path], listing: FolderListing, *, reads_beside: bool
) -> Sequence[Path] | None:
    """Return the images below ``unlabeled``, and those directly in the folder; None without any."""
    beside: Sequence[Path] = ()
    if reads_beside or set(folders) <= {TEST}:
        beside = listing.images_in(root)
    else:
        listing.folders_in(root)  # which notes the images beside them
    if UNLABELED in folders:
        return [*beside, *listing.images_below(folders[UNLABELED])]
    return beside or None


def _refuse_misspelled(root: Path, names: Collection[str]) -> None:
    """Refuse a folder Train or unlabelled, which would be a class, or be left out."""
    for name in names:
        meant = _MEANT.get(name.strip().casefold())
        if meant is not None and name != meant:
            raise DataError(f"{root} has a folder '{name}': rename it to '{meant}'")


def _refuse_empty(train: Path, test: Path, found: FolderFiles, named: Collection[str]) -> None:
    """Refuse folders of classes without images; beside unlabeled, another mention is enough."""
    parts = [(train, found.train), (test, found.test or {})]
    known = {*named, *(name for _, part in parts for name, images in part.items() if images)}
    for folder, part in parts:
        for name, images in part.items():
            if images or (found.unlabeled is not None and name in known):
                continue
            home = next(entry for entry in folder.iterdir() if _class_of(entry) == name)
            inside = [readable_name(Path(e.name)) for e in visible_entries(home) if e.is_dir()]
            hint = f" (it has the folders {', '.join(shortened(inside, _NAMED))})" if inside else ""
            also = "" if found.unlabeled is None else ", name the class in dataset.classes"
            raise DataError(
                f"The class folder {home} has no image directly in it{hint}: add some with "
                f"one of the endings {' '.join(sorted(ENDINGS))}{also}, or remove the folder; "
                f"{ARRANGEMENT}"
            )


def _class_of(folder: Path) -> str | None:
    try:
        return normal_name(folder.name)
    except ValueError:
        return None
