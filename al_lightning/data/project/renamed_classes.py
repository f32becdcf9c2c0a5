"""Folders of classes that have another name than before."""

from collections import defaultdict
from collections.abc import Collection
from pathlib import Path

from al_lightning.data.project.known_files import KnownFiles
from al_lightning.data.project.known_project import KnownProject


def renamed_classes(
    files: KnownFiles, given: Collection[str], known: KnownProject, folder: Path
) -> dict[str, str]:
    """Return the new names of classes by those of now.

    A class has a new name where all of its files have come to one name that no class has, or that this
    one had earlier; no file is under another of its names, and the old folder is not there any more.
    Files that were moved in any other way are corrections.

    Args:
        files: Of today.
        given: Names that the configuration gives: these stay.
        known: The project so far.
        folder: The folder that names of files start from.
    """
    here: dict[str, set[str]] = defaultdict(set)  # names of today, by the class that they mean
    moved: dict[str, set[str]] = defaultdict(set)  # the same, by the class that the files had
    stayed = {*given}  # classes that keep their names
    rows = zip(files.states, files.matches.entries, files.names, strict=True)
    for state, entry, name in rows:
        if not name:
            continue
        here[known.current_name(name)].add(name)
        if entry is None or not entry.label:
            continue
        before = known.current_name(entry.label)
        moved[before].add(name)
        is_moved = name not in known.classes and entry.file != state.file
        if name == entry.label or (is_moved and (folder / entry.file).parent.is_dir()):
            stayed.add(before)
    sources = [name for names in moved.values() for name in names]
    return {
        old: name
        for old, (name, *others) in moved.items()
        if not others
        and old not in stayed
        and name not in known.classes
        and known.current_name(name) in (name, old)
        and here[old] <= {name}
        and sources.count(name) == 1
    }
