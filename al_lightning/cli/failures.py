"""How the command line ends where something fails: in one message, without a traceback."""

import logging
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from hydra.errors import CompactHydraException
from omegaconf.errors import OmegaConfBaseException

from al_lightning.cli.arguments import readable_forms
from al_lightning.cli.typos import suggestions
from al_lightning.utils.errors import UsageError
from al_lightning.utils.redaction import redacted

_FULL = "HYDRA_FULL_ERROR"
_FAILURE = 1  # Hydra's exit status
_INTERRUPTED = 130  # the shell's exit status after Ctrl-C
_OUTPUT_CLOSED = 141  # the shell's exit status after SIGPIPE


class JobError(CompactHydraException):
    """A run that could not be made, or not be ended; its configuration was composed."""


@contextmanager
def shown_errors(arguments: Sequence[str]) -> Iterator[None]:
    """Show the errors of the block, with what may have been meant; exit with their status.

    Hydra would show them, too, and end each by a line on its own environment variable.
    """
    full, loud = os.environ.get(_FULL), logging.raiseExceptions
    os.environ[_FULL] = "1"  # has Hydra raise its errors
    logging.raiseExceptions = False  # no traceback of a line that nobody reads
    try:
        yield
    except CompactHydraException as error:
        if full == "1":
            raise
        _complain(redacted(_described(error, arguments)))
        sys.exit(_FAILURE)
    except UsageError as error:  # before anything was composed
        _complain(f"Error: {redacted(str(error))}")
        sys.exit(_FAILURE)
    except BrokenPipeError:
        end_of_output()
    except KeyboardInterrupt:  # outside of a job: while others run, or while the report is written
        _complain("Interrupted. The same command goes on from here.")
        sys.exit(_INTERRUPTED)
    finally:
        logging.raiseExceptions = loud
        if full is None:
            os.environ.pop(_FULL, None)
        else:
            os.environ[_FULL] = full


def end_of_output() -> None:
    """End the process as programs end whose output is read no further, such as by ``head``."""
    _complain("Interrupted: nobody reads the output any more. The same command goes on from here.")
    # Python flushes what is left once more at its end.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(_OUTPUT_CLOSED)


def _described(error: CompactHydraException, arguments: Sequence[str]) -> str:
    if unreadable := readable_forms(arguments):
        return "\n".join(
            f"Error: {given} cannot be read: some of its characters mean something else to Hydra. "
            f"Write the value in quotes: {form}"
            for given, form in unreadable
        )
    if isinstance(error, JobError):
        return str(error)
    cause = error.__cause__
    lines = [str(error), *([str(cause)] if isinstance(cause, OmegaConfBaseException) else [])]
    return "\n".join(lines + suggestions(arguments))


def _complain(message: str) -> None:
    print(message, file=sys.stderr)  # noqa: T201
