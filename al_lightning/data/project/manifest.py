"""The manifest of a project: which file is which image."""

import csv
import hashlib
import io
import os
from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from al_lightning.utils.append_file import AppendOnlyFile
from al_lightning.utils.errors import DataError
from al_lightning.utils.files import require_file

NAME = "images.csv"  #: in the folder of a project

TRAIN, TEST = "train", "test"
GONE = "gone"  #: a test image without a file, until it is back
TESTED = (TEST, GONE)
LEFT_OUT = "left out"
FORGOTTEN = "forgotten"  #: a name that no test image and no file that is left out has any more


@dataclass(frozen=True)
class Entry:
    """A file of a project, as it was when it was last read.

    Attributes:
        id: The dataset id; None for a file that is no training image: a test image, or one that is left
            out, such as a copy.
        part: "train", "test", "gone", "left out" or "forgotten".
        label: The name of the class as the folder or the table has it, which may be one that the class
            had earlier; "" if it has none.
        file: The path, relative to the folder of the data set where it is below; or an address.
        size: Bytes.
        modified: Time of the last modification, in nanoseconds.
        touched: Time of the last change of content, name or rights, in nanoseconds; nobody can set it.
        digest: Of the content.
    """

    id: int | None
    part: str
    label: str
    file: str
    size: int
    modified: int
    touched: int
    digest: str


_COLUMNS = tuple(field.name for field in fields(Entry))


class Manifest:
    """The files of a project's images, in a file that only grows: later rows replace earlier ones.

    The journal says how many of its bytes count, and has their digest. What follows them was written by
    a process that died before the journal knew, and is overwritten.

    Args:
        path: The file, ``images.csv`` beside the journal.
        size: How many bytes count; 0 before the first row.
        sha256: Of these bytes.

    Attributes:
        entries: The last row of each image, and of each other file.
        earlier_names: What the files of images were called before, by id.

    Raises:
        DataError: If it is shorter, or was changed; names it.
    """

    def __init__(self, path: Path, size: int = 0, sha256: str = "") -> None:
        self.path = path
        self.size = size
        self.earlier_names: dict[int, set[str]] = {}
        self._digest = hashlib.sha256()
        self.entries: Sequence[Entry] = self._entries(self._read(sha256)) if size else ()

    @property
    def images(self) -> Sequence[Entry]:
        """The entries of the training images, by id; those that have gone included."""
        found = (entry for entry in self.entries if entry.id is not None)
        return sorted(found, key=lambda entry: entry.id or 0)

    def appended(self, entries: Iterable[Entry]) -> bytes:
        """Return what is to be added to the file for some entries; nothing is written yet."""
        text = io.StringIO()
        # Texts are quoted: csv itself leaves a carriage return in a name as it is.
        writer = csv.writer(text, lineterminator="\n", quoting=csv.QUOTE_NONNUMERIC)
        if self.size == 0:
            writer.writerow(_COLUMNS)
        for entry in entries:
            writer.writerow(["" if value is None else value for value in astuple(entry)])
        return os.fsencode(text.getvalue())

    def sha256_with(self, content: bytes) -> str:
        """Return the digest of all bytes that count, and of what is to be added to them."""
        digest = self._digest.copy()
        digest.update(content)
        return digest.hexdigest()

    def append(self, content: bytes) -> None:
        """Write rows to the disk, after those that count."""
        AppendOnlyFile(self.path, self.size, DataError).append(content)

    def _read(self, sha256: str) -> bytes:
        """Return the bytes that count."""
        try:
            require_file(self.path)
            content = self.path.read_bytes()
        except OSError as error:
            raise self._damage(str(error)) from error
        if len(content) < self.size:
            raise self._damage(f"it has {len(content)} bytes instead of {self.size}")
        content = content[: self.size]
        self._digest.update(content)
        if self._digest.hexdigest() != sha256:
            raise self._damage("it was changed: its digest differs")
        return content

    def _entries(self, content: bytes) -> tuple[Entry, ...]:
        rows = csv.reader(io.StringIO(os.fsdecode(content), newline=""), strict=True)
        next(rows)  # names of columns
        entries: dict[int | str, Entry] = {}
        for row in rows:
            entry = _entry(row)
            # An image may have another name than before; other files are known by theirs.
            before = entries.get(key := entry.file if entry.id is None else entry.id)
            if before is not None and before.file != entry.file and entry.id is not None:
                self.earlier_names.setdefault(entry.id, set()).add(before.file)
            entries[key] = entry
            if entry.part == FORGOTTEN:
                del entries[key]
        return tuple(entries.values())

    def _damage(self, problem: str) -> DataError:
        return DataError(
            f"{self.path} cannot be used ({problem}). It says which image is which, and belongs to the "
            "journal beside it: restore both from one copy"
        )


def _entry(row: Sequence[str]) -> Entry:
    number, part, label, file, *state, digest = row
    size, modified, touched = map(int, state)
    return Entry(
        int(number) if number else None, part, label, file, size, modified, touched, digest
    )
