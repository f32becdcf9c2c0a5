"""Arguments of command lines that use a run."""

import argparse
from pathlib import Path

_RUN = "a run's folder, which has journal.jsonl"


def add_run(parser: argparse.ArgumentParser, which: str = _RUN) -> None:
    """Add the folder of a run, and whether its configuration is trusted.

    Args:
        parser: Of the command.
        which: What the help says of the folder.
    """
    parser.add_argument("run", type=Path, metavar="RUN", help=which)
    parser.add_argument(
        "--trust",
        action="store_true",
        help="also load other classes that the run's configuration names, such as your own network "
        "or data set; this executes their code, so use it only for runs that you trust",
    )


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the place of a run's images."""
    parser.add_argument(
        "--data",
        type=Path,
        metavar="PATH",
        help="where the images of the run are now, if they were moved",
    )


def positive(text: str) -> int:
    """Return a whole number of at least 1.

    Raises:
        argparse.ArgumentTypeError: If it is none.
    """
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number >= 1, not {text!r}")
    return int(text)
