"""The image files of a project: the same ids at each start, whatever has come and gone."""

import hashlib
import logging
import os
from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import torch
from torch import Tensor

from al_lightning.data.files.checked_files import CheckedFiles
from al_lightning.data.files.file_rows import FileRows
from al_lightning.data.pixels.remote_file import ImageFile, RemoteFile
from al_lightning.data.project.file_changes import changes_of
from al_lightning.data.project.known_project import KnownProject
from al_lightning.data.project.manifest import TESTED, Entry
from al_lightning.data.project.matching import FileState, Matches, match_files
from al_lightning.data.source import UNKNOWN, ImageData, Images
from al_lightning.utils.errors import DataError
from al_lightning.utils.files import require_file
from al_lightning.utils.listing import shortened
from al_lightning.utils.names import below_folder, readable

_NAMED = 3  # how many files an error names
_logger = logging.getLogger(__name__)

_HASHED = 2**32  # of the digest of a new image decide whether it is tested on


@dataclass(frozen=True)
class KnownFiles:
    """The files of today, and the images of the project that they are.

    Attributes:
        known: The project.
        rows: The files, those of known images first, by id.
        names: What the class of each is called, as the folder or the table has it; "" without one.
        states: Of each.
        matches: What has become of each.
    """

    known: KnownProject
    rows: FileRows
    names: Sequence[str]
    states: Sequence[FileState]
    matches: Matches

    def in_project(self, known: KnownProject) -> "KnownFiles":
        """Return the files with labels in the classes of the project as it is now.

        Images that were split off to test on keep the class that they had, should they have none today:
        a label that disappears is not forgotten.
        """
        names = [*self.names]
        if not self.rows.has_test:
            for row, entry in enumerate(self.matches.entries):
                if entry is not None and entry.part in TESTED and not names[row]:
                    names[row] = entry.label
        found = sorted({*names} - {""})
        label_of = dict(zip(found, known.labels_of(found).tolist(), strict=False))
        labels = torch.tensor([label_of.get(name, UNKNOWN) for name in names], dtype=torch.int64)
        return replace(self, known=known, names=names, rows=replace(self.rows, labels=labels))

    def warn_of_earlier_names(self, source: object) -> None:
        """Warn of files that come with a name that their class had earlier.

        Args:
            source: Whose files they are, for the message.
        """
        rows = zip(self.names, self.matches.entries, strict=True)
        come = Counter(name for name, entry in rows if entry is None or entry.label != name)
        for name, now in self.known.aliases.items():
            if come[name]:
                _logger.warning(
                    "%s: %d image(s) of %r are read as of class %r, which was called so before",
                    *(source, come[name], name, now),
                )

    @property
    def kept(self) -> frozenset[int]:
        """Which files stay what they were, also where others are equal to them.

        These are the training images that the project knows, and the test images that it split off.
        """
        parts = () if self.rows.has_test else TESTED
        known = ((i, entry) for i, entry in enumerate(self.matches.entries) if entry is not None)
        return frozenset(i for i, entry in known if entry.id is not None or entry.part in parts)

    @property
    def test_fraction(self) -> float:
        """The share of new images to test on: that of those images that the project began with.

        None where some images have no label: those that have one may have been chosen.
        """
        return 0.0 if self.rows.has_unlabeled else self.known.test_share

    def split(self, usable: Tensor, fraction: float) -> Tensor:
        """Return which images to test on, (N,) bool, where the files do not say: the same as before.

        Of new images, a part of the same size in the long run, by their content. Those of a group are
        where the group is already, or together.
        """
        groups, entries = self.rows.groups, self.matches.entries
        owners = range(len(entries)) if groups is None else groups.tolist()
        known: dict[int, bool] = {}
        first: dict[int, str] = {}  # of the digests of a new group, whatever the order of its files
        for owner, entry, digest in zip(owners, entries, self.matches.digests, strict=True):
            if entry is not None:
                known[owner] = known.get(owner, False) or entry.part in TESTED
            else:
                first[owner] = min(digest, first.get(owner, digest))
        drawn = {owner: int(text[:8], 16) / _HASHED < fraction for owner, text in first.items()}
        is_test = {**drawn, **known}
        return torch.tensor([is_test[owner] for owner in owners]) & usable


def find_known(
    rows: FileRows, classes: Sequence[str], folder: Path, known: KnownProject
) -> KnownFiles:
    """Find the images of a project among files.

    Args:
        rows: The files of today.
        classes: What their labels are called.
        folder: The folder that names of files start from.
        known: The project.

    Raises:
        DataError: If none of its images is among them, or a file cannot be read.
    """
    states = [_state(file, folder) for file in rows.files]

    def read(some: Sequence[int]) -> list[str]:
        with ThreadPoolExecutor() as threads:
            return list(threads.map(_digest, [rows.files[i] for i in some]))

    matches = match_files(known.manifest.entries, known.absent, states, read)
    ids = [None if entry is None else entry.id for entry in matches.entries]
    if known.manifest.images and all(i is None for i in ids):
        names = shortened([entry.file for entry in known.manifest.images], _NAMED)
        raise DataError(
            f"None of the {len(known.manifest.images)} images of the project in "
            f"{known.manifest.path.parent} is in {folder}, where they were {', '.join(names)}. If they "
            "were moved, give their folder now "
            "(dataset.path=...); if these are other images, choose another name "
            "(project=...). Nothing was changed"
        )
    order = sorted(range(len(ids)), key=lambda i: (ids[i] is None, ids[i] or 0))
    place = {i: row for row, i in enumerate(order)}
    sorted_matches = replace(
        matches,
        digests=[matches.digests[i] for i in order],
        entries=[matches.entries[i] for i in order],
        renamed={place[i] for i in matches.renamed},
        changed={place[i] for i in matches.changed},
    )
    if not rows.files:
        raise DataError(f"There is no image in {folder}")
    found = rows.rows(order)
    names = ["" if label == UNKNOWN else classes[label] for label in found.labels.tolist()]
    return KnownFiles(known, found, names, [states[i] for i in order], sorted_matches)


def known_data(
    files: KnownFiles,
    checked: CheckedFiles,
    is_test: Tensor,
    folder: Path,
    renamed: Mapping[str, str],
) -> ImageData:
    """Return the data set of a project: training images in the order of their ids.

    Images that have gone keep their place, with the pixels of another one: no pool has them.

    Args:
        files: Of today, with labels in the classes of the project.
        checked: Which of them can be used, and their pixels.
        is_test: Which of them to test on, (N,) bool.
        folder: The folder that names of files start from.
        renamed: New names of classes by their old ones.
    """
    known, labels = files.known, checked.labels
    classes = tuple(known.classes)
    row_of = _rows_by_id(files, checked.usable & ~is_test, known)
    count = max(len(known.manifest.images), 1 + max(row_of, default=-1))
    first = next(iter(row_of.values()))
    images = Images(checked.pixels, labels, files.rows.names, checked.digests, files.rows.groups)
    train = images.rows(torch.tensor([row_of.get(i, first) for i in range(count)]))
    gone = [i for i in range(count) if i not in row_of]
    train = _with_gone(train, gone, [known.manifest.images[i] for i in gone], known)
    test = images.rows((checked.usable & is_test).nonzero().flatten())
    facts = is_test, checked.usable, labels
    named = zip(files.names, labels.tolist(), strict=True)  # copies have the label of another one
    names = [name or ("" if label == UNKNOWN else classes[label]) for name, label in named]
    update = changes_of(files.states, files.matches, facts, row_of, names, known)
    change = replace(update.change, size=count, test=len(test))
    update = replace(update, change=change, renamed=renamed, absent=frozenset(gone))
    return ImageData(
        train,
        test,
        classes,
        folder=folder,
        earlier_files=_earlier_files(files, known),
        aliases=known.aliases,
        update=update,
    )


def _earlier_files(files: KnownFiles, known: KnownProject) -> dict[int, set[str]]:
    """Return what the files of images were called before, as tables show it, by id."""
    names = {i: {*some} for i, some in known.manifest.earlier_names.items()}
    for state, entry in zip(files.states, files.matches.entries, strict=True):
        if entry is not None and entry.id is not None and entry.file != state.file:
            names.setdefault(entry.id, set()).add(entry.file)
    return {i: set(map(readable, some)) for i, some in names.items()}


def _rows_by_id(files: KnownFiles, trained: Tensor, known: KnownProject) -> dict[int, int]:
    """Return the position of the file of each image; new ones have the next ids."""
    row_of: dict[int, int] = {}
    new = len(known.manifest.images)
    for row in trained.nonzero().flatten().tolist():
        entry = files.matches.entries[row]
        if entry is not None and entry.id is not None:
            row_of[entry.id] = row
        else:
            row_of[new] = row
            new += 1
    if not row_of:
        raise DataError(f"None of the images of {known.manifest.path.parent} can be used")
    return row_of


def _with_gone(
    train: Images,
    gone: Sequence[int],
    entries: Sequence[Entry],
    known: KnownProject,
) -> Images:
    """Return the training images with what is known of those that have gone."""
    if not gone:
        return train
    labels, digests, groups = train.labels.clone(), train.digests, train.groups
    files = list(train.files or ())
    position = {name: label for label, name in enumerate(known.classes)}
    for i, entry in zip(gone, entries, strict=True):
        labels[i] = position.get(known.current_name(entry.label), UNKNOWN)
        files[i] = entry.file
    if digests is not None:
        digests = digests.clone()
        digests[gone] = 0
    if groups is not None:
        groups = groups.clone()
        groups[gone] = int(groups.max()) + 1 + torch.arange(len(gone))  # each is its own
    return replace(train, labels=labels, files=tuple(files), digests=digests, groups=groups)


def _state(file: ImageFile, folder: Path) -> FileState:
    """Return what is known of a file without reading it; one that is missing has no content."""
    if isinstance(file, RemoteFile):
        return FileState(file.url, 0, int(hashlib.sha256(file.state()).hexdigest()[:15], 16))
    name = below_folder(file, folder)
    try:
        status = file.stat()
    except OSError:  # decoding it will say why
        return FileState(name, -1, 0)
    return FileState(name, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _digest(file: ImageFile) -> str:
    """Return a digest of the content of a file; of what the server says of it, behind an address."""
    try:
        if isinstance(file, RemoteFile):
            return hashlib.sha256(os.fsencode(file.url) + file.state()).hexdigest()[:32]
        require_file(file)  # to read a pipe would be to wait for ever
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()[:32]
    except OSError:  # decoding it will say why
        return hashlib.sha256(os.fsencode(str(file))).hexdigest()[:32]
