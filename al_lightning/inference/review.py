"""The review of a run's labels: a sheet of those to look at again, and its corrections."""

from pathlib import Path

from al_lightning.data.source import ImageData
from al_lightning.inference.label_changes import correct
from al_lightning.inference.label_errors import LabelErrors, find_label_errors
from al_lightning.oracles.csv_sheet.contact_page import contact_page
from al_lightning.oracles.csv_sheet.sheet import Filled, read_sheet, sheet_text
from al_lightning.oracles.pictures import picture
from al_lightning.run.journal import Journal
from al_lightning.training.out_of_fold import OutOfFold
from al_lightning.utils.errors import UsageError
from al_lightning.utils.files import write_whole
from al_lightning.utils.spreadsheet import cell

COLUMNS = ("id", "file", "reason", "given", "suggested", "confidence", "margin", "label")
CHANGED, DOUBTFUL = "content changed", "doubtful"  #: reasons to look at a label again


def doubtful_labels(found: OutOfFold) -> LabelErrors:
    """Return the labels of a run that are probably wrong, the most doubtful first.

    Args:
        found: What is predicted of them by classifiers that were not trained on them.
    """
    return find_label_errors(found.logits.softmax(1), found.labels)


def write_review(
    data: ImageData, journal: Journal, found: OutOfFold, sheet: Path, count: int
) -> tuple[int, int]:
    """Write a sheet of labels to look at again, and a page beside it that shows the images.

    The sheet is CSV, a row an image: ``id``, ``file``, ``reason``, ``given`` (its label),
    ``suggested``, ``confidence`` (the probability of that class), ``margin``, and ``label``, which is
    empty: a person fills in the right class where the label is wrong. First come the images whose
    content has changed since they were labeled: of these, a person confirms right labels, too. Then
    the doubtful ones, the most doubtful first.

    Args:
        data: The images.
        journal: Of the run.
        found: What is predicted of the labels out of fold.
        sheet: The file; the page has the ending ``.html``.
        count: At most so many rows.

    Returns:
        The numbers of changed images and of other doubtful labels, also of those that are not in the
        sheet.

    Raises:
        UsageError: If the sheet has entries that were not applied, or files cannot be written.
    """
    require_sheet(data, journal, sheet)
    changed = sorted(journal.to_review.difference(data.absent))
    suggested = _suggested(data, found)
    reasons = dict.fromkeys(changed, CHANGED)
    reasons |= {i: DOUBTFUL for i in suggested if i not in reasons}
    rows: list[dict[str, object]] = [
        {
            "id": i,
            "file": "" if data.train.files is None else cell(data.train.files[i]),
            "reason": reason,
            "given": cell(data.classes[journal.label_of[i]]),
            **suggested.get(i, {}),
        }
        for i, reason in [*reasons.items()][:count]
    ]
    write_whole(sheet.with_suffix(".html"), _page(data, sheet.stem, rows))
    write_whole(sheet, sheet_text(rows, COLUMNS))
    return len(changed), len(reasons) - len(changed)


def apply_review(data: ImageData, journal: Journal, sheet: Path, by: str) -> str:
    """Record the classes that a person has filled into a sheet as corrections of a project.

    Args:
        data: The images, whose files are compared with those of the sheet.
        journal: Of the project; no other process may write to it.
        sheet: The file.
        by: Name of the person.

    Returns:
        What was done, in words.

    Raises:
        UsageError: If the sheet is not there or cannot be used; names the rows.
        JournalError: If the run is no project.
    """
    return correct(journal, _read(data, journal, sheet).labels, by)


def _suggested(data: ImageData, found: OutOfFold) -> dict[int, dict[str, str]]:
    """Return what doubtful labels probably are, in the columns of a sheet, the most doubtful first."""
    errors = doubtful_labels(found)
    columns = (errors.suggested, errors.confidence, errors.margins)
    return {
        i: {
            "suggested": cell(data.classes[label]),
            "confidence": f"{confidence:.4f}",
            "margin": f"{margin:.4f}",
        }
        for i, label, confidence, margin in zip(
            found.ids[errors.rows].tolist(), *(c.tolist() for c in columns), strict=True
        )
    }


def _page(data: ImageData, name: str, rows: list[dict[str, object]]) -> str:
    facts = [
        {
            "id": str(row["id"]),
            "file": str(row["file"]),
            "label": str(row["given"]),
            "reason": str(row["reason"]),
            "suggested": f"{row['suggested']}, {row['confidence']}" if "suggested" in row else "",
        }
        for row in rows
    ]
    pictures = [picture(data, int(str(row["id"]))) for row in rows]
    names = [cell(name) for name in data.classes]
    return contact_page("review.html.j2", name, COLUMNS, rows, facts, pictures, names)


def require_sheet(data: ImageData, journal: Journal, sheet: Path) -> None:
    """Refuse to overwrite what a person has filled in, unless the journal has it.

    Raises:
        UsageError: If that is so, or the name of the sheet is that of its page.
    """
    if sheet.suffix.lower() == ".html":
        raise UsageError(f"{sheet} is the page beside the sheet: give the sheet a name in .csv")
    if not sheet.exists():
        return
    filled = _read(data, journal, sheet)
    known, unseen = journal.label_of, journal.to_review
    if left := [i for i, label in filled.labels.items() if known[i] != label or i in unseen]:
        raise UsageError(
            f"{sheet} has {len(left)} class(es) filled in that were not applied: do that with --apply, "
            "or write another sheet with --to"
        )


def _read(data: ImageData, journal: Journal, sheet: Path) -> Filled:
    files = {i: data.file_names(i) for i in journal.label_of}
    try:
        return read_sheet(sheet, files, data.classes, (), aliases=data.aliases)
    except OSError as error:
        raise UsageError(f"{sheet} cannot be read: {error}") from error
