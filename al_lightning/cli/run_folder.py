"""The folder of a run: held by one process, cleared of what a run or a killed process has left."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from itertools import count
from pathlib import Path

from hydra.core.hydra_config import HydraConfig
from hydra.types import RunMode

from al_lightning.cli.same_command import same_command
from al_lightning.utils.errors import UsageError

_ARTIFACTS = (
    *("summary.json", "tensorboard", "checkpoints", ".hydra", "predictions", "agreement"),
    "out_of_fold.npz",
    *("csv", "wandb"),  # of the loggers
)
_RECORDS = ("queries", "images.csv", "journal.jsonl")  # the journal last: with it, all is done
_BY_PEOPLE = (  # lines of a journal
    *(b'"event": "question"', b'"event": "correction"', b'"event": "classes"'),
    b'"origin": "imported"',
)


@contextmanager
def alone_in(folder: Path, overwrite: object) -> Iterator[None]:
    """Hold a run's folder; where another process does, leave it alone.

    The jobs of a sweep wait instead: the one before them may be left over from a sweep that was killed,
    and a run that two sweeps share is the result of both.

    Args:
        folder: Of the run.
        overwrite: As the configuration has it, for the message.
    """
    from al_lightning.utils.locks import only_one  # noqa: PLC0415

    of_a_sweep = HydraConfig.get().mode == RunMode.MULTIRUN
    on_wait = partial(_print_waiting, folder) if of_a_sweep else None
    with ExitStack() as stack:
        try:
            stack.enter_context(only_one(folder / ".lock", on_wait))
        except BlockingIOError as error:
            raise UsageError(
                f"{shortest(folder)} is in use by {error}, and two processes cannot share a run. Let "
                f"that run end, or stop it: {same_command(overwrite)} then continues"
            ) from error
        except OSError as error:
            raise UsageError(
                f"{folder} cannot be locked against other processes: {error}. Set output_root to "
                "a writable folder on a file system with locks"
            ) from error
        yield


def _print_waiting(folder: Path, holder: str) -> None:
    print(f"{shortest(folder)} is in use by {holder}; waiting for it to end (Ctrl-C to stop)")  # noqa: T201


def remove_leftovers_in(folder: Path, cache: Path) -> None:
    """Remove what killed processes have left half-written in a run's folder and in the caches."""
    from al_lightning.utils.files import remove_leftovers  # noqa: PLC0415

    names = (".", "queries", "predictions", "agreement", "checkpoints", ".hydra")
    places = [folder / name for name in names]
    for place in (*places, cache, cache / "embeddings"):
        remove_leftovers(place)


def clear(folder: Path) -> None:
    """Remove what a run left in its folder, and nothing else; keep what a person has made for it.

    A folder without a journal is no run's: what lies in it is somebody's.
    """
    journal = folder / "journal.jsonl"
    if not journal.exists():
        return
    for name in _ARTIFACTS:
        _remove(folder / name)
    content = journal.read_bytes() if journal.is_file() else b""
    if any(event in content for event in _BY_PEOPLE):
        _keep_records(folder)
    for name in _RECORDS:
        _remove(folder / name)


def _keep_records(folder: Path) -> None:
    """Move what a person was asked, has answered and has changed out of the way."""
    numbered = (folder / f"overwritten_{number:02d}" for number in count())
    kept = next(path for path in numbered if not path.exists())
    kept.mkdir()
    for name in _RECORDS:
        if (folder / name).exists():
            (folder / name).rename(kept / name)
    print(f"Earlier questions, answers and corrections are kept in {shortest(kept)}")  # noqa: T201


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def shortest(path: Path) -> Path:
    """Return a path relative to the working folder where that is possible."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
