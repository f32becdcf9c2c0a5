"""Labels that persons have given to another oracle of a project, and that its journal lacks."""

from typing import TYPE_CHECKING

from al_lightning.cli.run_folder import shortest
from al_lightning.utils.errors import UsageError
from al_lightning.utils.torchrun import rank

if TYPE_CHECKING:
    from al_lightning.run.journal import Journal
    from al_lightning.run.questions import Oracle


def require_none_left(journal: "Journal", oracle: "Oracle") -> None:
    """Look after labels that an oracle does not read: refuse those of a sheet, and name the page's.

    Args:
        journal: Of the run.
        oracle: That the run goes on with.

    Raises:
        UsageError: If images that are asked for are labeled in a sheet.
    """
    from al_lightning.inference.open_labels import say_open_labels_in  # noqa: PLC0415

    if not oracle.keeps_sheets:
        require_unlabeled_sheet(journal)
    if oracle.live is None and rank() == 0:
        say_open_labels_in(journal)


def require_unlabeled_sheet(journal: "Journal") -> None:
    """Refuse to ask again for images that are labeled or skipped in the sheet of the open question.

    Args:
        journal: Of a project whose oracle reads no sheets.

    Raises:
        UsageError: If there are such images; says how their labels are taken.
    """
    from al_lightning.oracles.csv_sheet.sheet import filled_ids, has_content  # noqa: PLC0415

    if (question := journal.open_question) is None:
        return
    sheet = journal.path.parent / "queries" / f"{question.name}.csv"
    if not has_content(sheet):
        return
    if filled := filled_ids(sheet).intersection(question.left_ids.tolist()):
        raise UsageError(
            f"{len(filled)} of the images that are asked for are labeled in {shortest(sheet)}, which "
            "oracle=csv alone reads. Run this command once with oracle=csv, which takes these labels, "
            "and then with this oracle; or delete the sheet, to label its images anew"
        )
