"""Folders of classes that have another name than before."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from pathlib import Path

from al_lightning.data.project.known_files import KnownFiles
from al_lightning.data.project.known_project import KnownProject
from al_lightning.data.source import UNKNOWN


def renamed_classes(
    files: KnownFiles,
    found: Sequence[str],
    given: Collection[str],
    known: KnownProject,
    folder: Path,
) -> dict[str, str]:
    """Return the new names of classes by their old ones.

    A class has a new name where all of its files are in one class that is new, no file is in the old
    one, and the old folder is not there any more. Files that were moved in any other way are
    corrections.

    Args:
        files: Of today; their labels are positions in ``found``.
        found: Names of classes as the folder or the table has them, and all that are known.
        given: Names that the configuration gives: these stay.
        known: The project so far.
        folder: The folder that names of files start from.
    """
    new = {name for name in found if name not in known.names}
    if not new:
        return {}
    used: set[str] = set()
    homes: dict[str, set[str]] = defaultdict(set)  # names of today, by those of before
    stayed: set[str] = set()  # classes whose folder is still there
    rows = zip(files.states, files.matches.entries, files.rows.labels.tolist(), strict=True)
    for state, entry, label in rows:
        name = "" if label == UNKNOWN else found[label]
        used.add(known.aliases.get(name, name))
        if entry is None or not entry.label or not name:
            continue
        before = known.aliases.get(entry.label, entry.label)
        homes[before].add(name)
        if name in new and entry.file != state.file and (folder / entry.file).parent.is_dir():
            stayed.add(before)
    pairs = [(old, *names) for old, names in homes.items() if len(names) == 1 and names <= new]
    sources = [name for names in homes.values() for name in names]
    return {
        old: name
        for old, name in pairs
        if old not in used and old not in stayed and old not in given and sources.count(name) == 1
    }
