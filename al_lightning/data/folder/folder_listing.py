"""Lists the images of folders, and collects the files and folders that are left out."""

import logging
import os
from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from al_lightning.data.folder.system_files import is_hidden, is_system_folder
from al_lightning.data.pixels.image_files import ENDINGS
from al_lightning.utils.errors import DataError
from al_lightning.utils.listing import shortened
from al_lightning.utils.names import normal_name, readable_name

_NAMED = 5  # how many of the things that are left out a warning names

_logger = logging.getLogger(__name__)


@dataclass
class FolderListing:
    """Lists folders, and collects the files and folders that are left out, for one warning.

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
        """Return the entries of a folder without those of a system, sorted by name."""
        entries = visible_entries(folder)
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

    def images_in(self, folder: Path) -> list[Path]:
        """Return the images directly in a folder, sorted by name."""
        return self._contents(folder)[1]

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
        """Warn of the files and folders that are left out."""
        if count := self.endings.total():
            _logger.warning(
                "%s: %s left out, without the ending of an image: %s",
                self.root,
                "1 file is" if count == 1 else f"{count} files are",
                ", ".join(shortened(_counted(self.endings), _NAMED)),
            )
        for what, paths in (
            ("folders are left out; only train, test and unlabeled are read", self.unknown),
            (
                "folders inside the folders of classes are left out, with what is in them",
                self.nested,
            ),
            (
                "images in no class's folder are left out (unlabeled ones go into unlabeled/)",
                self.homeless,
            ),
            ("folders are left out, because other links lead to them", self.repeated),
            ("folders are left out, because they are system folders", self.system),
        ):
            if paths:
                names = [readable_name(path.relative_to(self.root)) for path in paths]
                _logger.warning(
                    "%s: these %s: %s", self.root, what, ", ".join(shortened(names, _NAMED))
                )

    def _contents(self, folder: Path) -> tuple[list[Path], list[Path]]:
        """Return the folders and the images in a folder."""
        folders, images = [], []
        with os.scandir(folder) as entries:  # which asks for no status of each file
            files = {entry.name for entry in entries if entry.is_file(follow_symlinks=False)}
        for entry in self.visible(folder):
            if entry.name not in files and entry.is_dir():
                folders.append(entry)
            elif _is_image(entry):
                images.append(entry)
            else:
                self.endings[entry.suffix.lower()] += 1
        return folders, images


def visible_entries(folder: Path) -> list[Path]:
    """Return the entries of a folder that are not hidden, sorted by name."""
    entries = (entry for entry in folder.iterdir() if not is_hidden(entry.name))
    return sorted(entries, key=lambda entry: entry.name)


def _is_image(path: Path) -> bool:
    return path.suffix.lower() in ENDINGS


def _require_name(folder: Path) -> str:
    """Return the name of the class that a folder is called after."""
    try:
        return normal_name(folder.name)
    except ValueError as error:
        raise DataError(
            f"The folder {readable_name(folder)} is not a valid class name: {error}. Rename it"
        ) from error


def _counted(endings: Counter[str]) -> list[str]:
    return [f"{count} {ending or 'without any'}" for ending, count in endings.most_common()]
