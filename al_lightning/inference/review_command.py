"""The command line that looks for wrong labels: ``python -m al_lightning.review RUN``."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from al_lightning.inference.run_arguments import add_data, add_run, positive
from al_lightning.utils.command import exit_status
from al_lightning.utils.process import freeze_imports_from_gc, prepare_process

if TYPE_CHECKING:
    from al_lightning.run.journal import Journal

_SHEET = "review.csv"


def main(arguments: Sequence[str] | None = None) -> int:
    """Review, or apply a review; return the exit status: 1 if that is not possible."""
    return exit_status(partial(_review, _parser().parse_args(arguments)))


def _review(given: argparse.Namespace) -> str:
    """Run the command, and return its message."""
    prepare_process()
    # Only here: torch is heavy, and --help must answer at once.
    with freeze_imports_from_gc():
        from al_lightning.inference.label_changes import open_project  # noqa: PLC0415
        from al_lightning.inference.last_weights import read_journal  # noqa: PLC0415
        from al_lightning.inference.open_labels import say_open_labels  # noqa: PLC0415

    say_open_labels(given.run)
    if given.apply is None:
        return _write(given, read_journal(given.run))
    with open_project(given.run) as journal:
        return _apply(given, journal)


def _write(given: argparse.Namespace, journal: "Journal") -> str:
    from al_lightning.inference.calibrating import run_folds  # noqa: PLC0415
    from al_lightning.inference.recorded_run import load_recorded  # noqa: PLC0415
    from al_lightning.inference.review import require_sheet, write_review  # noqa: PLC0415

    sheet: Path = given.to or given.run / _SHEET
    recorded = load_recorded(journal, trust=given.trust, place=given.data, say=_say)
    data = recorded.learner.data
    require_sheet(data, journal, sheet)  # before what takes as long as five fits
    found = run_folds(recorded, _say)
    changed, doubtful = write_review(data, journal, found, sheet, given.count)
    command = ["python", "-m", "al_lightning.review", str(given.run), "--apply", str(sheet)]
    then = f"\nThen: {shlex.join(command)} --by NAME" if journal.is_project else ""
    first = f"{changed:,} image(s) have changed since they were labeled, and come first. "
    return (
        f"{first if changed else ''}"
        f"{doubtful:,} of {len(found.labels):,} labels are probably wrong; the most doubtful "
        f"{max(0, min(doubtful, given.count - changed)):,} are in the sheet.\n"
        f"  Images:   {sheet.with_suffix('.html')}\n"
        f"  Fill in:  {sheet}, column label, where the label is wrong{then}"
    )


def _apply(given: argparse.Namespace, journal: "Journal") -> str:
    from al_lightning.inference.review import apply_review  # noqa: PLC0415
    from al_lightning.inference.run_data import load_run_data  # noqa: PLC0415

    sheet: Path = given.apply if given.apply != Path() else given.run / _SHEET
    data = load_run_data(journal, trust=given.trust, place=given.data)
    return apply_review(data, journal, sheet, given.by)


def _say(message: str) -> None:
    print(message, file=sys.stderr)  # noqa: T201


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m al_lightning.review",
        description="Find labels that are probably wrong: five classifiers are trained, each without a "
        "fifth of the labels, and predict that fifth (confident learning, Northcutt et al. 2021). The "
        "doubtful labels are written as a sheet and a page of their images. In a project, --apply "
        "records what was filled into the sheet as corrections. Validation labels are not reviewed.",
    )
    add_run(parser)
    parser.add_argument("--to", type=Path, metavar="FILE", help=f"default: {_SHEET} in RUN")
    parser.add_argument(
        "--count", type=positive, metavar="N", default=200, help="images in the sheet; default: 200"
    )
    parser.add_argument(
        "--apply",
        type=Path,
        nargs="?",
        const=Path(),
        metavar="FILE",
        help=f"correct the labels as a sheet says; default: {_SHEET} in RUN",
    )
    parser.add_argument("--by", default="", metavar="NAME", help="who corrects them")
    add_data(parser)
    return parser
