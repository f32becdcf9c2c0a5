"""Labels that were given on the page, and that the journal of a run does not have yet."""

import sys
from pathlib import Path

from al_lightning.inference.last_weights import read_journal
from al_lightning.oracles.page.decisions import Decisions
from al_lightning.oracles.page.page_log import PageLog
from al_lightning.run.journal import Journal
from al_lightning.run.label_rows import label_rows

_LOG = Path("queries", "page.jsonl")


def say_open_labels(run: Path) -> None:
    """Say on the error stream how many labels of a run a command does not see; nothing without any.

    Raises:
        UsageError: If there is no run, or its files cannot be read.
    """
    if (run / _LOG).is_file():
        say_open_labels_in(read_journal(run))


def say_open_labels_in(journal: Journal) -> None:
    """Say it of the run of a journal.

    Raises:
        UsageError: If the labels of the page cannot be read.
    """
    if count := open_labels(journal):
        what = (
            "label that was given on the page is" if count == 1 else "labels given on the page are"
        )
        message = (
            f"{count} {what} not in the journal yet: run the project's command with oracle=page, which "
            "takes them when their batch is done"
        )
        print(message, file=sys.stderr)  # noqa: T201


def open_labels(journal: Journal) -> int:
    """Return how many labels, skips and corrections of the page the journal lacks."""
    log = PageLog(journal.path.parent / _LOG)
    decisions = Decisions(log, journal.classes, journal.aliases, label_rows(journal))
    decisions.sync_with(journal.pool)
    labels, skipped = decisions.new()
    return len(labels) + len(skipped) + len(decisions.corrections())
