"""The command line of labels: ``python -m al_lightning.labels RUN`` writes, takes or corrects them."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from al_lightning.inference.run_arguments import add_data, add_run
from al_lightning.utils.command import exit_status
from al_lightning.utils.process import freeze_imports_from_gc, prepare_process

#: Options that mean something with one action alone.
_OF = {"to": ("copy", "all", "overwrite"), "source": ("dry_run",)}
_FLAGS = {"set": "--set", "to": "--to", "source": "--from"}


def main(arguments: Sequence[str] | None = None) -> int:
    """Write, take or correct labels; return the exit status: 1 if that is not possible."""
    parser = _parser()
    given = parser.parse_args(arguments)
    for action, options in _OF.items():
        for option in options:
            if getattr(given, option) and getattr(given, action) is None:
                parser.error(f"--{option.replace('_', '-')} goes with {_FLAGS[action]}")
    if given.by and given.to is not None:
        parser.error("--by goes with --set or --from")
    return exit_status(partial(_run, given))


def _run(given: argparse.Namespace) -> str:
    """Run the command, and return its message."""
    prepare_process()
    # Only here: torch is heavy, and --help must answer at once.
    with freeze_imports_from_gc():
        from al_lightning.inference.label_changes import (  # noqa: PLC0415
            correct_by_hand,
            take_from_table,
        )
        from al_lightning.inference.label_export import export_labels  # noqa: PLC0415
        from al_lightning.inference.open_labels import say_open_labels  # noqa: PLC0415

    say_open_labels(given.run)
    if given.set is not None:
        return correct_by_hand(given.run, given.set, given.by)
    if given.source is not None:
        return take_from_table(
            given.run,
            given.source,
            given.by,
            dry_run=given.dry_run,
            trust=given.trust,
            place=given.data,
        )
    return export_labels(
        given.run,
        given.to,
        copy=given.copy,
        everything=given.all,
        overwrite=given.overwrite,
        trust=given.trust,
        place=given.data,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m al_lightning.labels",
        description="Write the labels of a run as a table or as folders of images, take labels of a "
        "table into a project, or correct labels of a project. The journal records each change, and "
        "the next fit trains on it.",
    )
    add_run(parser, "a run's folder, such as outputs/projects/birds")
    add_data(parser)
    _add_actions(parser)
    parser.add_argument("--by", default="", metavar="NAME", help="who gave the labels")
    parser.add_argument(
        "--dry-run", action="store_true", help="with --from: only say what would change"
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="with --to: a table also has the images without a label, and test images",
    )
    parser.add_argument(
        "--copy", action="store_true", help="with --to: copy images into the folder, link to none"
    )
    parser.add_argument(
        "--overwrite", action="store_true", help="with --to: replace a table that exists"
    )
    return parser


def _add_actions(parser: argparse.ArgumentParser) -> None:
    action = parser.add_mutually_exclusive_group(required=True)
    action.add_argument(
        "--to",
        metavar="FILE|FOLDER",
        help="write the labels: a table (.csv, .parquet) that dataset=table reads, or a folder (no "
        "ending, or a slash at the end) with one folder of images a class",
    )
    action.add_argument(
        "--from",
        dest="source",
        type=Path,
        metavar="FILE",
        help="take the labels of a table, .csv or .parquet, with a column label, and file or id: "
        "images without a label get one, other classes are corrections",
    )
    action.add_argument(
        "--set",
        nargs="+",
        metavar="ID=CLASS",
        help="the right class of labeled images, by their ids in queries/*.csv",
    )
