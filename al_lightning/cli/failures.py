"""How the command line ends where something fails: in one message, without a traceback."""

import logging
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path

from hydra.errors import CompactHydraException, HydraException
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from al_lightning.cli.arguments import readable_forms
from al_lightning.cli.configuration import groups
from al_lightning.cli.own_files import is_of_composing, why_not_composed
from al_lightning.cli.paths import is_path
from al_lightning.cli.same_command import given_overwrite, same_command
from al_lightning.cli.typos import suggestions
from al_lightning.utils.errors import OF_RANK_ZERO, UsageError
from al_lightning.utils.redaction import redacted
from al_lightning.utils.torchrun import by_torchrun, rank

_FULL = "HYDRA_FULL_ERROR"
_WANTED = "AL_LIGHTNING_FULL_ERROR"  # what the user has said, for processes that are started here
_FAILURE = 1  # Hydra's exit status
_INTERRUPTED = 130  # the shell's exit status after Ctrl-C
_OF_RESOLVER = "UsageError raised while resolving interpolation: "
_AMBIGUOUS = re.compile(r"Ambiguous value for argument '((.+?)=(.*))'")
OUT_OF_MEMORY = (
    "Memory has run out. Lower recipe.batch_size, recipe.eval_batch_size or dataset.image_size, or "
    "take a smaller model; dataset.storage=disk or stream keeps images of files out of memory"
)
_OUTPUT_CLOSED = 141  # the shell's exit status after SIGPIPE


class JobError(CompactHydraException):
    """A run that could not be made, or not be ended; its configuration was composed."""


@contextmanager
def shown_errors(arguments: Sequence[str]) -> Iterator[None]:
    """Show the errors of the block, with what may have been meant; exit with their status.

    Hydra would show them, too, and end each by a line on its own environment variable.
    """
    full, loud = os.environ.get(_FULL), logging.raiseExceptions
    os.environ[_FULL], os.environ[_WANTED] = "1", full or ""  # has Hydra raise its errors
    logging.raiseExceptions = False  # no traceback of a line that no one reads
    try:
        yield
    except HydraException as error:
        if full == "1":
            raise
        _complain(redacted(_described(error, arguments)), error)
        sys.exit(_FAILURE)
    except OmegaConfBaseException as error:  # such as of hydra.run.dir, before a job has begun
        if full == "1":
            raise
        _complain(f"Error: {without_resolver(error)}", error)
        sys.exit(_FAILURE)
    except BrokenPipeError:
        end_of_output(given_overwrite(arguments))
    except (UsageError, YAMLError) as error:  # before anything was composed
        _complain(f"Error: {redacted(str(error))}", error)
        sys.exit(_FAILURE)
    except (OSError, ValueError, RecursionError) as error:
        if full == "1" or not (isinstance(error, OSError) or is_of_composing(error)):
            raise
        _complain(f"Error: {redacted(why_not_composed(error, arguments))}", error)
        sys.exit(_FAILURE)
    except KeyboardInterrupt as error:  # outside of a job: while others run, or a report is written
        again = same_command(given_overwrite(arguments)).capitalize()
        _complain(f"Interrupted. {again} continues from here.")
        sys.exit(getattr(error, "exit_status", _INTERRUPTED))
    finally:
        logging.raiseExceptions = loud
        if full is None:
            os.environ.pop(_FULL, None)
        else:
            os.environ[_FULL] = full


@contextmanager
def environment_as_given() -> Iterator[None]:
    """Give processes that the block starts the environment that this one was given."""
    changed, given = os.environ.pop(_FULL, None), os.environ.get(_WANTED)
    if given:
        os.environ[_FULL] = given
    try:
        yield
    finally:
        if changed is not None:
            os.environ[_FULL] = changed


@contextmanager
def shown_on_rank_zero() -> Iterator[None]:
    """Print nothing on other ranks but errors of their own; those of rank zero are shown there."""
    if rank() == 0:
        yield
        return
    with (
        Path(os.devnull).open("w", encoding="utf-8") as nothing,
        redirect_stdout(nothing),
        redirect_stderr(nothing),
    ):
        yield


def end_of_output(overwrite: object) -> None:
    """End the process as programs end whose output is read no further, such as by ``head``."""
    again = same_command(overwrite).capitalize()
    _complain(f"Interrupted: the output was closed. {again} continues from here.")
    # Python flushes what is left once more at its end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(_OUTPUT_CLOSED)


def is_full_wanted() -> bool:
    """Return whether the user has asked for the tracebacks of all errors."""
    return os.environ.get(_WANTED) == "1"


def is_out_of_memory(error: Exception) -> bool:
    """Return whether memory has run out, of the machine or of a GPU; torch has no kind for both."""
    texts = ("can't allocate memory", "not enough memory", "out of memory")
    return isinstance(error, MemoryError) or any(text in str(error) for text in texts)


def is_lost_connection(error: Exception) -> bool:
    """Return whether an error says that another rank has ended; torch has no kind for it."""
    lost = ("closed by peer", "reset by peer", "Broken pipe")
    return by_torchrun() and any(text in str(error) for text in lost)


def _described(error: HydraException, arguments: Sequence[str]) -> str:
    if unreadable := readable_forms(arguments):
        return "\n".join(
            f"Error: {given} cannot be read: some of its characters have a special meaning in Hydra. "
            f"Write the value in quotes: {form}"
            for given, form in unreadable
        )
    if isinstance(error, JobError):
        return str(error)
    if several := _AMBIGUOUS.match(str(error)):
        given, key, text = several.groups()
        return f"Error: {given} has several values. For a run of each, add -m{_as_one(key, text)}"
    cause = error.__cause__
    lines = [str(error), *([str(cause)] if isinstance(cause, OmegaConfBaseException) else [])]
    return "\n".join(lines + suggestions(arguments))


def _as_one(key: str, text: str) -> str:
    """Return how to write several values as one."""
    if key in groups():
        return ""
    if is_path(key, text, Path.cwd()):
        return f". For one path, write it in quotes: \"{key}='{text}'\""
    return f". For one list, write it in brackets: {key}=[{text}]"


def without_resolver(error: OmegaConfBaseException) -> str:
    """Return what went wrong, without what OmegaConf adds where a function of ours has said it."""
    text = redacted(str(error))
    if text.startswith(_OF_RESOLVER):
        return text.removeprefix(_OF_RESOLVER).partition("\n    full_key: ")[0]
    return text


def _complain(message: str, error: BaseException | None = None) -> None:
    """Print a message; on other ranks than zero, only if the error is their own."""
    print(message, file=sys.stderr)  # noqa: T201
    while error is not None and (number := rank()):
        if getattr(error, OF_RANK_ZERO, False):
            return
        error = error.__cause__
        if error is None:
            print(f"On rank {number}: {message}", file=sys.__stderr__)
