"""Errors a user can act on."""

from typing import Any

#: The attribute of an error that rank zero has raised, where other ranks raise it too.
OF_RANK_ZERO = "of_rank_zero"


class UsageError(Exception):
    """Something the user gave cannot be used; the message says what, and what to do about it.

    A message says what there is in the library. The command line shows it alone, without a traceback,
    and adds which of its keys help: see :mod:`al_lightning.cli.advice`.

    >>> from al_lightning import Budget, UsageError
    >>> try:
    ...     Budget(total=0)
    ... except UsageError as error:
    ...     print(error)
    budget.total must be a whole number of at least 2 or "all", not 0
    """


class DataError(UsageError):
    """A data file is missing, damaged or foreign; the message names it.

    >>> from al_lightning import DataError
    >>> from al_lightning.data import ImageFolder
    >>> try:
    ...     ImageFolder("no_such_folder").load()
    ... except DataError as error:
    ...     print("no_such_folder" in str(error))
    True
    """


class JournalError(UsageError):
    """A journal is damaged or belongs to another run; the message names file and line, or keys.

    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from al_lightning import Journal, JournalError
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "journal.jsonl")
    ...     with path.open("w") as file:
    ...         print("no JSON", file=file)
    ...     try:
    ...         Journal(path)
    ...     except JournalError as error:
    ...         print("journal.jsonl" in str(error))
    True
    """


class OtherRunError(JournalError):
    """A journal was begun by another run, or by other code; the message names what differs."""


class DamagedJournalError(JournalError):
    """A line of a journal is not as it was written; the message names file and line."""


class EvidenceError(UsageError, ValueError):
    """What a classifier says of images is NaN or infinite; the message names the images."""


class UndeclaredNeedError(UsageError, ValueError):
    """A strategy reads what it has not declared in its needs; the message names the need."""


class ScoreError(UsageError):
    """A strategy's scores are NaN or infinite; the message names the strategy and the images."""


class DivergenceError(UsageError):
    """A fit has reached a loss or a weight that is NaN or infinite.

    Args:
        round_index: The round.
        step: The step, counted from 1.
        reason: What was found.

    Attributes:
        step: The step.
        what: What has happened, in a sentence without its end.
    """

    def __init__(self, round_index: int, step: int, reason: str) -> None:
        self.step = step
        self._arguments = round_index, step, reason
        self.what = f"The fit of round {round_index} has diverged: {reason} at step {step}"
        super().__init__(
            f"{self.what}. No images were selected with it. Lower the learning rate, or repeat "
            "diverged fits with a lower one (`fall_back` of the learner)"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        """Travel between processes."""
        return DivergenceError, self._arguments
