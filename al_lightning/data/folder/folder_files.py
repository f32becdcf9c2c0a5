"""Which images lie in a folder that is arranged by class."""

import logging
from collections import Counter, deque
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from al_lightning.data.folder.system_files import is_hidden, is_system_folder
from al_lightning.data.pixels.image_files import ENDINGS
from al_lightning.utils.errors import DataError
from al_lightning.utils.names import normal_name, readable_name

TRAIN, TEST, UNLABELED = "train", "test", "unlabeled"

ARRANGEMENT = (
    "expected one folder a class, with the class's images directly in it: "
    "train/<class>/* and test/<class>/*; or train/<class>/* or <class>/* alone, "
    "and the test images are split off; images that nobody has labeled yet go into unlabeled/"
)

_RESERVED = (TRAIN, TEST, UNLABELED)
_MEANT = {**{name: name for name in _RESERVED}, "unlabelled": UNLABELED}
_NAMED = 5  # how many of the things that are left out a warning names

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class FolderFiles:
    """The images of a folder, before any is read; everything is sorted by name.

    Attributes:
        train: The images of each class, by its :func:`~al_lightning.utils.names.normal_name`.
        test: The same; None where there is no folder ``test``.
        unlabeled: The images whose classes are not known; None where there is no folder
            ``unlabeled``.
    """

    train: Mapping[str, Sequence[Path]]
    test: Mapping[str, Sequence[Path]] | None
    unlabeled: Sequence[Path] | None


def find_images(root: Path, named: Collection[str] = ()) -> FolderFiles:
    """List the images of a folder that is arranged as :data:`ARRANGEMENT` says.

    Hidden files, what a system has put there (thumbnails, trash), and files that are no images by
    their ending, are left out. Links are followed; a folder below ``unlabeled`` that links have led to
    before is left out.

    Args:
        root: The folder.
        named: Classes whose folders may be empty beside ``unlabeled``.

    Raises:
        DataError: If the folder is missing or otherwise arranged, or a folder has no images.
        OSError: If a folder cannot be read.
    """
    if not root.is_dir():
        what = "is no folder" if root.exists() else "does not exist"
        raise DataError(f"dataset.path={root} {what}: {ARRANGEMENT}")
    left_out = _LeftOut(root)
    folders = {entry.name: entry for entry in left_out.visible(root) if entry.is_dir()}
    _refuse_misspelled(root, folders)
    train = left_out.images_by_class(_train_folders(root, folders, left_out))
    test = None
    if TEST in folders:
        test = left_out.images_by_class(left_out.folders_in(folders[TEST]))
    unlabeled = None
    if UNLABELED in folders:
        unlabeled = left_out.images_below(folders[UNLABELED])
        if not unlabeled:
            raise DataError(
                f"There is no image in {folders[UNLABELED]}: add the images to be labeled, with one "
                f"of the endings {' '.join(sorted(ENDINGS))}, or remove the folder"
            )
    found = FolderFiles(train, test, unlabeled)
    _refuse_empty(root / TRAIN if TRAIN in folders else root, root / TEST, found, named)
    left_out.warn()
    return found


def _train_folders(root: Path, folders: Mapping[str, Path], left_out: "_LeftOut") -> Sequence[Path]:
    """Return the folders of the classes to learn from."""
    others = [folder for name, folder in folders.items() if name not in _RESERVED]
    if TRAIN in folders:
        left_out.unknown += others
        return left_out.folders_in(folders[TRAIN])
    if TEST not in folders:
        return [folder for folder in left_out.folders_in(root) if folder.name not in _RESERVED]
    if UNLABELED not in folders or others:
        raise DataError(
            f"{root} has a folder test, but no folder train"
            f"{': move the folders of the classes into it' if others else ''}; {ARRANGEMENT}"
        )
    return []


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
            inside = [readable_name(Path(e.name)) for e in _visible(home) if e.is_dir()]
            hint = f" (it has the folders {_some(inside)})" if inside else ""
            also = "" if found.unlabeled is None else ", name the class in dataset.classes"
            raise DataError(
                f"The class folder {home} has no image directly in it{hint}: add some with "
                f"one of the endings {' '.join(sorted(ENDINGS))}{also}, or remove the folder; "
                f"{ARRANGEMENT}"
            )


@dataclass
class _LeftOut:
    """Lists folders, and collects what is left out, to be told in one go.

    Attributes:
        root: The folder that all is in.
        endings: How many files have which ending, of those that are no images by it.
        unknown: Folders beside train, test and unlabeled.
        nested: Folders inside of folders of classes.
        homeless: Images beside the folders of classes.
        repeated: Folders that links have led to before.
        system: Folders that a system has put there.
    """

    root: Path
    endings: Counter[str] = field(default_factory=Counter)
    unknown: list[Path] = field(default_factory=list)
    nested: list[Path] = field(default_factory=list)
    homeless: list[Path] = field(default_factory=list)
    repeated: list[Path] = field(default_factory=list)
    system: list[Path] = field(default_factory=list)

    def visible(self, folder: Path) -> list[Path]:
        """Return what a person has put into a folder, sorted by name."""
        entries = _visible(folder)
        # Folders alone: a picture may well be called Recycled.
        system = {e for e in entries if is_system_folder(e.name) and e.is_dir()}
        self.system += [e for e in entries if e in system and e not in self.system]
        return [entry for entry in entries if entry not in system]

    def folders_in(self, folder: Path) -> list[Path]:
        """Return the folders of the classes."""
        folders = []
        for entry in self.visible(folder):
            if entry.is_dir():
                folders.append(entry)
            elif _is_image(entry):
                self.homeless.append(entry)
        return folders

    def images_by_class(self, folders: Sequence[Path]) -> dict[str, list[Path]]:
        """Return the images directly in the folders of the classes."""
        homes: dict[str, Path] = {}
        found = {}
        for folder in folders:
            name = _require_name(folder)
            if (other := homes.setdefault(name, folder)) != folder:
                raise DataError(
                    f"{folder.parent} has folders that look like one class in several spellings: "
                    f"{other.name!a} and {folder.name!a}. Rename them to one"
                )
            nested, found[name] = self._contents(folder)
            self.nested += nested
        return found

    def images_below(self, folder: Path) -> list[Path]:
        """Return the images at any depth, sorted by path."""
        start = folder.resolve()
        seen, waiting, found = {start}, deque([folder]), []
        while waiting:
            folders, images = self._contents(waiting.popleft())
            found += images
            for entry in folders:
                place = entry.resolve()
                if place in seen or start.is_relative_to(place):
                    self.repeated.append(entry)
                else:
                    seen.add(place)
                    waiting.append(entry)
        return sorted(found, key=Path.as_posix)

    def warn(self) -> None:
        """Say what is left out."""
        if count := self.endings.total():
            _logger.warning(
                "%s: %s left out, having no ending of an image: %s",
                self.root,
                "1 file is" if count == 1 else f"{count} files are",
                _some(
                    [f"{n} {ending or 'without any'}" for ending, n in self.endings.most_common()]
                ),
            )
        for what, paths in (
            ("folders are left out; beside train, test and unlabeled alone are read", self.unknown),
            (
                "folders inside the folders of classes are left out, with what is in them",
                self.nested,
            ),
            ("images in no class's folder are left out", self.homeless),
            ("folders are left out, since links have led to them before", self.repeated),
            ("folders are left out, since a system has put them there", self.system),
        ):
            if paths:
                names = [readable_name(path.relative_to(self.root)) for path in paths]
                _logger.warning("%s: these %s: %s", self.root, what, _some(names))

    def _contents(self, folder: Path) -> tuple[list[Path], list[Path]]:
        """Return the folders and the images in a folder."""
        folders, images = [], []
        for entry in self.visible(folder):
            if entry.is_dir():
                folders.append(entry)
            elif _is_image(entry):
                images.append(entry)
            else:
                self.endings[entry.suffix.lower()] += 1
        return folders, images


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in ENDINGS


def _class_of(folder: Path) -> str | None:
    try:
        return normal_name(folder.name)
    except ValueError:
        return None


def _require_name(folder: Path) -> str:
    """Return the name of the class that a folder is called after."""
    try:
        return normal_name(folder.name)
    except ValueError as error:
        raise DataError(
            f"The folder {readable_name(folder)} can name no class: {error}. Rename it"
        ) from error


def _visible(folder: Path) -> list[Path]:
    """Return what lies in a folder and is not hidden, sorted by name."""
    entries = (entry for entry in folder.iterdir() if not is_hidden(entry.name))
    return sorted(entries, key=lambda entry: entry.name)


def _some(names: Sequence[str]) -> str:
    more = [f"and {len(names) - _NAMED} more"] if len(names) > _NAMED else []
    return ", ".join([*names[:_NAMED], *more])
