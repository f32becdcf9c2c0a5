"""The files of a folder as rows of a data set."""

from collections.abc import Sequence
from pathlib import Path

import torch

from al_lightning.data.files.file_rows import FileRows
from al_lightning.data.folder.folder_files import FolderFiles
from al_lightning.data.source import UNKNOWN
from al_lightning.utils.names import below_folder, file_trouble, readable


def folder_rows(root: Path, found: FolderFiles, classes: Sequence[str]) -> FileRows:
    """Return the files of a folder; labels are positions in ``classes``."""
    rows = [
        (path, label, is_test)
        for is_test, part in ((False, found.train), (True, found.test or {}))
        for label, name in enumerate(classes)
        for path in part.get(name, ())
    ]
    rows += [(path, UNKNOWN, False) for path in found.unlabeled or ()]
    paths = tuple(path for path, _, _ in rows)
    below = [below_folder(path, root) for path in paths]
    names = tuple(map(readable, below))
    return FileRows(
        files=paths,
        names=names,
        shown=names,
        labels=torch.tensor([label for _, label, _ in rows], dtype=torch.int64),
        is_test=torch.tensor([part for _, _, part in rows], dtype=torch.bool),
        has_test=found.test is not None,
        has_unlabeled=found.unlabeled is not None,
        troubles={i: why for i, path in enumerate(below) if (why := file_trouble(path))},
    )
