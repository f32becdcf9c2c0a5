"""The weights of a run's last round, in its folder."""

from pathlib import Path

from al_lightning.run.journal import Journal
from al_lightning.training.checkpoint import Checkpoint, Saved
from al_lightning.utils.errors import UsageError
from al_lightning.utils.listing import shortened

_NAMED = 5  # how many runs an error names


def read_journal(folder: Path) -> Journal:
    """Return the journal of a run that has begun.

    Raises:
        UsageError: If there is none, or it cannot be read.
        JournalError: If it is damaged.
    """
    path = folder / "journal.jsonl"
    if not path.is_file():
        raise UsageError(_why_no_run(folder))
    try:
        journal = Journal(path)
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error}. Check permissions") from error
    if journal.start is None:
        raise UsageError(f"{path} is empty: the run has not begun. Run it first")
    return journal


def weights_path(journal: Journal) -> Path:
    """Return the place of a run's last weights."""
    return journal.path.parent / "checkpoints" / "last.ckpt"


def read_last_weights(journal: Journal) -> Saved:
    """Return the checkpoint of a run's last round.

    Raises:
        UsageError: If there is none, it cannot be used, or it is of another run or round.
    """
    path = weights_path(journal)
    if not path.exists():
        raise UsageError(_why_no_weights(journal, path))
    saved = Checkpoint(path).read()
    classes = saved.facts["classes"]
    now = not journal.rounds or _is_of_open_round(journal, saved)
    recorded = list(journal.classes if now else journal.classes_in(-1))
    if list(classes) != recorded:
        raise UsageError(
            f"{path} is another run's: its classes are {', '.join(classes)}, those of "
            f"the run {', '.join(recorded)}. Restore it from a copy"
        )
    _require_last_round(journal, saved, path)
    return saved


def _is_of_open_round(journal: Journal, saved: Saved) -> bool:
    """Return whether weights are of a round that the journal does not have yet."""
    return not journal.finished and saved.facts.get("round") == len(journal.rounds)


def _why_no_run(folder: Path) -> str:
    what = "has no journal.jsonl" if folder.is_dir() else "is no folder"
    expected = "expected a run's folder, such as outputs/digits/cnn/margin/seed=0"
    runs = sorted(path.parent for path in folder.rglob("journal.jsonl"))
    if not runs:
        return f"{folder} {what}: {expected}"
    listed = "".join(f"\n  {run}" for run in shortened(runs, _NAMED))
    return f"{folder} {what}: {expected}. Runs below it:{listed}"


def _why_no_weights(journal: Journal, path: Path) -> str:
    if not journal.rounds:
        run = journal.path.parent
        return f"{run} has not fitted its classifier yet: {path} is not there. Run it first"
    return (
        f"{path} is not there, though the run has fitted. Restore it from a copy, or run the same "
        "command again, which fits the last round again"
    )


def _require_last_round(journal: Journal, saved: Saved, path: Path) -> None:
    """Refuse weights of an earlier round: after a full disk, the journal may be ahead of them."""
    rounds = journal.rounds
    if rounds and saved.identity == rounds[-1].get("fit"):
        return
    if _is_of_open_round(journal, saved):
        return
    raise UsageError(
        f"{path} does not have the weights of the run's last round, {len(rounds) - 1}: saving them "
        "failed, or the file is another run's. Run the same command again, which fits the last round "
        "again"
    )
