"""Which file of today is which image of a project."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field

from al_lightning.data.project.manifest import LEFT_OUT, Entry


@dataclass(frozen=True)
class FileState:
    """A file of today, as far as it is known without reading it.

    Attributes:
        file: As :attr:`Entry.file` has it.
        size: Bytes.
        modified: Time of the last modification, in nanoseconds.
        touched: Time of the last change of content, name or rights, in nanoseconds.
    """

    file: str
    size: int
    modified: int
    touched: int = 0


@dataclass
class Matches:
    """What has become of the files of a project.

    Attributes:
        digests: Of the content of each file of today.
        entries: The entry that each file of today continues; None for a new file.
        renamed: Which files of today have another name than their entry.
        changed: Which have another content.
    """

    digests: list[str]
    entries: list[Entry | None]
    renamed: set[int] = field(default_factory=set)
    changed: set[int] = field(default_factory=set)


def match_files(
    entries: Sequence[Entry],
    absent: Collection[int],
    files: Sequence[FileState],
    read: Callable[[Sequence[int]], Sequence[str]],
) -> Matches:
    """Find the images of a project among the files of today.

    A file with the name, size and times of an entry is that entry, and is not read; two files of one
    size and time of modification that have swapped their names differ in the other time. Others are
    read: the same content is the same image, whatever its name and folder; under the same name, another
    content is the same image too, which has changed.

    Args:
        entries: Of the manifest.
        absent: Ids of images that have gone already.
        files: Of today, N.
        read: Returns the digests of the content of some files, by their positions.
    """
    known: dict[str, list[Entry]] = defaultdict(list)
    for entry in sorted(entries, key=lambda e: (e.id is None, e.id in absent)):
        known[entry.file].append(entry)
    found = Matches(_digests(known, files, read), [None] * len(files))
    taken: set[Entry] = set()

    def take(i: int, entry: Entry) -> None:
        found.entries[i] = entry
        taken.add(entry)

    for i, state in enumerate(files):  # name and content
        if same := _first(e for e in known[state.file] if e.digest == found.digests[i]):
            take(i, same)
    by_content = defaultdict(list)
    for entry in sorted(entries, key=lambda e: (e.id is None, e.id)):
        if entry not in taken:
            by_content[entry.digest].append(entry)
    for i in range(len(files)):  # content, for what has no image yet
        before = found.entries[i]
        if (before is None or before.part == LEFT_OUT) and by_content[found.digests[i]]:
            take(i, by_content[found.digests[i]].pop(0))
            found.renamed.add(i)
    for i, state in enumerate(files):  # the name alone
        left = _first(e for e in known[state.file] if e not in taken)
        if found.entries[i] is None and left is not None and left.part != LEFT_OUT:
            take(i, left)
            found.changed.add(i)
    return found


def _digests(
    known: dict[str, list[Entry]],
    files: Sequence[FileState],
    read: Callable[[Sequence[int]], Sequence[str]],
) -> list[str]:
    """Return the digest of each file; only those are read that may have changed."""
    digests, unknown = [""] * len(files), []
    for i, state in enumerate(files):
        same = _first(
            e
            for e in known.get(state.file, ())
            if (e.size, e.modified, e.touched) == (state.size, state.modified, state.touched)
        )
        if same is None:
            unknown.append(i)
        else:
            digests[i] = same.digest
    for i, digest in zip(unknown, read(unknown), strict=True):
        digests[i] = digest
    return digests


def _first(entries: Iterable[Entry]) -> Entry | None:
    return next(iter(entries), None)
