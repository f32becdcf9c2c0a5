"""The archives that finished runs are kept in: of each part one, of journals alone."""

import io
import lzma
import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path, PurePosixPath

from al_lightning.utils.errors import JournalError, UsageError
from al_lightning.utils.files import write_whole
from study.part import Part, PlannedRun
from study.record import read_record

_JOURNAL = "journal.jsonl"
_DEPTH = 4  # r1/margin/seed=0/journal.jsonl
# Digits of random ids are most of it: context of 4 bits, no alignment; a window over a whole archive.
_FILTERS = [
    {
        "id": lzma.FILTER_LZMA2,
        "preset": 9 | lzma.PRESET_EXTREME,
        "lc": 4,
        "lp": 0,
        "pb": 0,
        "dict_size": 2**26,
    }
]

Journals = dict[PurePosixPath, bytes]
"""The content of journals by the place of their run, see :attr:`PlannedRun.place`."""


def pack(part: Part, runs: Iterable[PlannedRun], root: Path, archive: Path) -> list[str]:
    """Add the finished runs of a part to its archive.

    What the archive has stays, whether or not it is below ``root``; runs of earlier revisions alone are
    left out. Where both have a run and differ, the longer journal stays, or else the archive's.

    Args:
        part: The part.
        runs: Its runs.
        root: The folder of the study's runs.
        archive: Written anew if that changes anything, to the same bytes for the same journals.

    Returns:
        What is worth knowing: runs that differ, and journals that cannot be packed.
    """
    known = read_archive(archive)
    kept = {place: text for place, text in known.items() if not part.is_superseded(place)}
    notes = []
    for run in runs:
        try:
            found = _finished_journal(run, root)
        except JournalError as error:
            notes.append(f"{run} is not packed: {error}")
            continue
        archived = kept.get(run.place)
        if found is None or found == archived:
            continue
        if archived is not None:
            longer = len(found) > len(archived)
            notes.append(
                f"{run} differs from the archive's, {'and is' if longer else 'which is not'} "
                f"replaced: {run.journal(root)}"
            )
            if not longer:
                continue
        kept[run.place] = found
    if kept != known:
        write_whole(archive, archive_bytes(kept))
    return notes


def unpack(part: Part, root: Path, archive: Path) -> int:
    """Put the journals of an archive to their places, but where there is one that is as long.

    Args:
        part: The part.
        root: The folder of the study's runs.
        archive: The part's archive, if there is one yet.

    Returns:
        How many were written.
    """
    written = 0
    for place, content in read_archive(archive).items():
        path = root / part.name / place / _JOURNAL
        if not path.exists() or path.stat().st_size < len(content):
            write_whole(path, content)
            written += 1
    return written


def read_archive(archive: Path) -> Journals:
    """Read an archive; nothing where there is none yet.

    Raises:
        UsageError: If it is damaged, or holds something else.
    """
    if not archive.exists():
        return {}
    try:
        packed = lzma.decompress(archive.read_bytes())  # to its end, which tarfile does not look at
        with tarfile.open(fileobj=io.BytesIO(packed)) as tar:
            return {
                _place(member): content.read()
                for member in tar
                if (content := tar.extractfile(member)) is not None
            }
    except (tarfile.TarError, lzma.LZMAError, EOFError, ValueError) as error:
        raise UsageError(f"{archive} is damaged: {error}. Take it from git again") from error


def archive_bytes(journals: Mapping[PurePosixPath, bytes]) -> bytes:
    """Return an archive: the same bytes for the same journals, whoever packs them and when."""
    buffer = io.BytesIO()
    with (
        lzma.open(buffer, "wb", format=lzma.FORMAT_XZ, filters=_FILTERS) as packed,
        tarfile.open(fileobj=packed, mode="w", format=tarfile.USTAR_FORMAT) as tar,
    ):
        for place, content in sorted(journals.items()):
            member = tarfile.TarInfo(str(place / _JOURNAL))  # of owner, mode and time it knows none
            member.size = len(content)
            tar.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


def _finished_journal(run: PlannedRun, root: Path) -> bytes | None:
    """Return the journal of a run as it is planned; None where it is not finished.

    Raises:
        JournalError: If it is damaged.
    """
    from al_lightning.run.journal import Journal  # noqa: PLC0415 - imports torch

    path = run.journal(root)
    record = read_record(path)
    if record is None or not record.finished or not record.is_of(run):
        return None
    Journal(path)
    return path.read_bytes()


def _place(member: tarfile.TarInfo) -> PurePosixPath:
    path = PurePosixPath(member.name)
    if path.name != _JOURNAL or len(path.parts) != _DEPTH or ".." in path.parts:
        raise ValueError(f"{member.name} is no journal of a run")
    return path.parent
