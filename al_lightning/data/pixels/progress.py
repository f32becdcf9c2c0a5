"""How far something has come that takes a while, before a run has begun."""

import logging
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

_EVERY = 10.0  # seconds between two lines, where there is no terminal

_logger = logging.getLogger(__name__)


@contextmanager
def shown_progress(what: str, total: int, done: int = 0) -> Iterator[Callable[[int], None]]:
    """Show a bar on a terminal, and a line from time to time elsewhere.

    Args:
        what: Such as "Decoding".
        total: How many there are.
        done: How many of them are done already.

    Yields:
        What to call with the number of those that were done since.
    """
    console = Console(stderr=True)
    began = last = time.monotonic()
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    times = (TimeElapsedColumn(), TimeRemainingColumn())
    bar = Progress(
        *columns, *times, console=console, transient=True, disable=not console.is_terminal
    )

    def advance(count: int) -> None:
        nonlocal done, last
        done += count
        bar.advance(task, count)
        now = time.monotonic()
        if not console.is_terminal and now - last >= _EVERY:
            last = now
            _logger.info("%s: %s of %s, %.0f s", what, f"{done:,}", f"{total:,}", now - began)

    with bar:
        task = bar.add_task(what, total=total, completed=done)
        yield advance
