"""Where journals are."""

import os
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

_JOURNAL = "journal.jsonl"


def find_journals(folders: Iterable[Path]) -> list[Path]:
    """Return the journals in and below some folders, each once, sorted as they are named.

    Links are followed; what has a place of its own in a folder is named by that. Warns of folders that
    cannot be read.
    """
    found: dict[Path, Path] = {}
    for folder in folders:
        # A link to nothing is found, too, and so named: rglob leaves it out.
        plain = [Path(place) for place, *names in os.walk(folder) if _has_journal(*names)]
        for place in (*sorted(plain), *sorted(_linked(folder))):
            found.setdefault((place / _JOURNAL).resolve(), place / _JOURNAL)
    return sorted(found.values())


def _has_journal(folders: list[str], files: list[str]) -> bool:
    return _JOURNAL in files or _JOURNAL in folders


def _linked(folder: Path) -> Iterator[Path]:
    """Yield the folders with a journal, also those behind links; to each folder, links lead once."""
    known: set[Path] = set()
    for place, folders, files in os.walk(folder, followlinks=True, onerror=_warn):
        if (real := Path(place).resolve()) in known:
            folders.clear()
        elif _has_journal(folders, files):
            yield Path(place)
        known.add(real)


def _warn(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError | NotADirectoryError):
        what = f"{error.filename} cannot be read, and its runs are left out: {error.strerror}"
        warnings.warn(what, stacklevel=2)
