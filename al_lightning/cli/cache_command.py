"""The command that lists and clears what runs keep for others: ``python -m al_lightning.cache``."""

import argparse
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from al_lightning.utils.caches import KINDS, Entry, find_entries
from al_lightning.utils.command import exit_status
from al_lightning.utils.errors import UsageError

_DAY = 86_400  # seconds


def main(arguments: Sequence[str] | None = None) -> int:
    """List or clear; return the exit status: 1 where that is not possible."""
    return exit_status(partial(_work, _parser().parse_args(arguments)))


def _work(given: argparse.Namespace) -> str:
    """Run the command, and return its message."""
    cache = given.output_root.expanduser() / ".cache"
    try:
        is_there = cache.is_dir()
    except OSError as error:  # below a closed folder, or by its length
        raise UsageError(f"{cache} cannot be read: {error.strerror}") from error
    if not is_there:
        raise UsageError(
            f"{cache} is not there: name the folder of the runs, such as --output-root outputs"
        )
    oldest = time.time() - given.unused_for * _DAY
    entries = [
        e for e in find_entries(cache) if e.kind in (given.kind or KINDS) and e.used <= oldest
    ]
    if not given.clear:
        return "\n".join([*map(_line, entries), _total("", entries, cache)])
    removed = [entry for entry in entries if entry.remove()]
    kept = len(entries) - len(removed)
    used = f"; {kept} in use, or removal not permitted" if kept else ""
    return _total("Removed ", removed, cache) + used


def _line(entry: Entry) -> str:
    day = time.strftime("%Y-%m-%d", time.localtime(entry.used))
    return f"{entry.kind:10}  {_size(entry.size):>10}  last used {day}  {entry.paths[0]}"


def _total(what: str, entries: Sequence[Entry], cache: Path) -> str:
    size = _size(sum(entry.size for entry in entries))
    entry = "entry" if len(entries) == 1 else "entries"
    return f"{what}{len(entries)} {entry}, {size}, in {cache}"


def _size(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m al_lightning.cache",
        description="List or clear the caches that runs share, with sizes and last uses: decoded "
        "images, embeddings of frozen networks, fits of first rounds. Everything is computed again "
        "when it is needed, and no result depends on it.",
    )
    parser.add_argument(
        "--output-root",
        type=Path,
        metavar="FOLDER",
        default=Path("outputs"),
        help="the folder of the runs; default: outputs",
    )
    parser.add_argument(
        "--kind", choices=KINDS, action="append", help="only these; may be repeated"
    )
    parser.add_argument(
        "--unused-for",
        type=_days,
        metavar="DAYS",
        default=0.0,
        help="only entries not used for this many days",
    )
    parser.add_argument(
        "--clear", action="store_true", help="remove the entries instead of listing them"
    )
    return parser


def _days(text: str) -> float:
    try:
        days = float(text)
    except ValueError:
        days = -1.0
    if not days >= 0:
        raise argparse.ArgumentTypeError(f"must be a number of days >= 0, not {text!r}")
    return days
