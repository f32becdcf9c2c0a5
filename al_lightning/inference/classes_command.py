"""The command line of classes: ``python -m al_lightning.classes PROJECT --add owl``."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from al_lightning.utils.command import exit_status
from al_lightning.utils.errors import UsageError
from al_lightning.utils.process import freeze_imports_from_gc, prepare_process

if TYPE_CHECKING:
    from al_lightning.run.class_change import ClassChange


def main(arguments: Sequence[str] | None = None) -> int:
    """Change classes; return the exit status: 1 if that is not possible."""
    return exit_status(partial(_change, _parser().parse_args(arguments)))


def _change(given: argparse.Namespace) -> str:
    """Run the command, and return its message."""
    prepare_process()
    # Only here: torch is heavy, and --help must answer at once.
    with freeze_imports_from_gc():
        from al_lightning.inference.label_changes import open_project  # noqa: PLC0415

    changes = bool(given.add or given.rename or given.merge)
    with open_project(given.run, changes=changes) as journal:
        change = _parsed(given, journal.classes)
        if str(change):
            if why := change.mistakable(journal.classes, journal.aliases, journal.skip_marks):
                raise UsageError(why)
            if problem := change.problem(journal.classes):
                raise UsageError(f"The classes of {given.run} cannot be changed: {problem}")
            journal.record_classes(change)
        now = ", ".join(journal.classes)
    if not str(change):
        return f"The classes are {now}"
    return f"{change}. The classes are now {now}; the project's command trains on them"


def _parsed(given: argparse.Namespace, classes: Sequence[str]) -> "ClassChange":
    """Return the change that the arguments ask for.

    Raises:
        UsageError: If a name is no class, or cannot be one; names it.
    """
    from al_lightning.run.class_change import ClassChange  # noqa: PLC0415

    renamed = [_pair(text, classes, known=1) for text in given.rename]
    merged = [_pair(text, classes, known=2) for text in given.merge]
    return ClassChange(
        added=[_new(name) for name in given.add],
        renamed={_known(old, classes): _new(new) for old, new in renamed},
        merged={_known(a, classes): _known(b, classes) for a, b in merged},
    )


def _pair(text: str, classes: Sequence[str], known: int) -> tuple[str, str]:
    """Return the two names in a text such as cat=kitten; names may have a = too.

    Args:
        text: As it was given.
        classes: All classes.
        known: How many of the two names are classes already.
    """
    from al_lightning.utils.spelling import resolve_name  # noqa: PLC0415

    cuts = [i for i, character in enumerate(text) if character == "="]
    pairs = [(text[:i], text[i + 1 :]) for i in cuts if 0 < i < len(text) - 1]
    if not pairs:
        raise UsageError(f"{text!r} must be two names, such as cat=kitten")
    fitting = [p for p in pairs if all(resolve_name(name, classes) for name in p[:known])]
    if len(fitting) > 1:
        meant = ", or ".join(f"{old!r} and {new!r}" for old, new in fitting)
        raise UsageError(
            f"{text!r} could be {meant}. Rename the folder of the class instead, or use "
            "loop.change_classes in Python"
        )
    return (fitting or pairs)[0]


def _known(written: str, classes: Sequence[str]) -> str:
    from al_lightning.utils.spelling import read_class  # noqa: PLC0415

    try:
        return read_class(written, classes)
    except ValueError as error:
        raise UsageError(f"{error}. The classes are {', '.join(classes)}") from error


def _new(written: str) -> str:
    from al_lightning.utils.names import normal_name  # noqa: PLC0415

    try:
        return normal_name(written)
    except ValueError as error:
        raise UsageError(f"{written!a} cannot be a class: {error}") from error


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m al_lightning.classes",
        description="Add, rename or merge classes of a project, or list them. Labels stay; the journal "
        "records the change, and the next fit is of the new classes.",
    )
    parser.add_argument("run", type=Path, metavar="PROJECT", help="such as outputs/projects/birds")
    parser.add_argument("--add", nargs="+", default=[], metavar="CLASS", help="new classes")
    parser.add_argument(
        "--rename", nargs="+", default=[], metavar="OLD=NEW", help="other names for classes"
    )
    parser.add_argument(
        "--merge",
        nargs="+",
        default=[],
        metavar="CLASS=INTO",
        help="classes whose images belong to another class from here on",
    )
    return parser
