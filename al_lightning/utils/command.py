"""What the small command lines share: errors that a user can mend are messages, Ctrl-C is a status."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from al_lightning.utils.errors import UsageError

_FAILURE = 1
_INTERRUPTED = 130  # the shell's exit status after Ctrl-C


def exit_status(work: Callable[[], str]) -> int:
    """Do some work, and print its message.

    Args:
        work: Returns what was done, in words.

    Returns:
        The exit status: 1 where the work cannot be done, or the disk or the system refuses it, 130
        after Ctrl-C.
    """
    try:
        with piped_output():
            print(work())  # noqa: T201
    except (UsageError, OSError) as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201
        return _FAILURE
    except KeyboardInterrupt:
        print("Interrupted. Nothing was written.", file=sys.stderr)  # noqa: T201
        return _INTERRUPTED
    return 0


@contextmanager
def piped_output() -> Iterator[None]:
    """End the block quietly where the reader of standard output has gone, as in ``... | head``."""
    try:
        yield
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes once more at its exit, which would complain again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
