"""The labels of a run, written for others: as a table, or as folders of images."""

from collections import Counter
from pathlib import Path

from al_lightning.data.source import ImageData
from al_lightning.inference.label_folder import write_folder
from al_lightning.inference.label_table import SUFFIXES, table_rows, write_table
from al_lightning.inference.last_weights import read_journal
from al_lightning.inference.run_data import has_recorded_data, load_run_data
from al_lightning.run.label_rows import LabelRow, label_rows
from al_lightning.utils.errors import UsageError


def export_labels(
    run: Path,
    to: str,
    *,
    copy: bool = False,
    everything: bool = False,
    overwrite: bool = False,
    trust: bool = False,
    place: Path | None = None,
) -> str:
    """Write the labels of a run.

    Args:
        run: Its folder.
        to: A table, which ends in .csv or .parquet; or a folder, without an ending or with a slash.
        copy: Whether a folder gets copies instead of links.
        everything: Whether a table has the images without a label as well, and test images.
        overwrite: Whether a table that exists is replaced.
        trust: See :func:`~al_lightning.inference.run_data.load_run_data`.
        place: See there.

    Returns:
        What was written, in words.

    Raises:
        UsageError: If there is no run, its images are not there, or the place cannot be written to.
    """
    path, is_folder = _place(to)
    if not is_folder and path.exists() and not overwrite:
        raise UsageError(f"{path} exists, and is left as it is: name another, or add --overwrite")
    journal = read_journal(run)
    classes = list(journal.classes)
    rows = label_rows(journal)
    # Without its images, a run still has a table of labels by id.
    wanted = has_recorded_data(journal) or is_folder
    data = load_run_data(journal, trust=trust, place=place) if wanted else None
    gone = frozenset[int]() if data is None else data.absent
    lost = sum(row.id in gone for row in rows)
    aside = f"; {lost} left out, since their files have gone" if lost else ""
    rows = [row for row in rows if row.id not in gone]
    if data is None or not is_folder:
        found = table_rows(rows, classes, data, path.parent, everything=everything, gone=gone)
        write_table(found, path)
        counted = f"{_counted(rows, len(found))}{aside}{_note(data)}"
        return f"{len(found)} rows written to {path}: {counted}"
    count = write_folder(rows, classes, data, path, copy=copy)
    left = len(rows) - count
    skipped = f"; {left} skipped and left out" if left else ""
    how = "written as PNG" if data.train.files is None else "copied" if copy else "linked"
    return f"{count} images {how} to {path}, one folder a class{skipped}{aside}"


def _place(to: str) -> tuple[Path, bool]:
    """Return a path, and whether it is one of a folder."""
    path = Path(to).expanduser()
    is_folder = to.endswith("/") or not path.suffix
    if not is_folder and path.suffix not in SUFFIXES:
        raise UsageError(
            f"{to} must end in .csv or .parquet for a table, or in / for a folder of images"
        )
    return path, is_folder


def _counted(rows: list[LabelRow], written: int) -> str:
    count = Counter("skipped" if row.is_skipped else "labeled" for row in rows)
    count["corrected"] = sum(row.corrected is not None for row in rows)
    count["others"] = written - len(rows)
    return ", ".join(f"{number} {what}" for what, number in count.items() if number)


def _note(data: ImageData | None) -> str:
    if data is None:
        return "\nThe run does not say where its images are: the column file is empty"
    if data.train.files is None:
        return "\nThe images have no files: the column file is empty, and id says which they are"
    return ""
