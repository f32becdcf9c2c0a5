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
    from al_lightning.run.journal import Journal


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
            _require_clear(change, journal)
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

    return ClassChange(
        added=[_new(name) for name in given.add],
        renamed={_known(old, classes): _new(new) for old, new in map(_pair, given.rename)},
        merged={_known(a, classes): _known(b, classes) for a, b in map(_pair, given.merge)},
    )


def _pair(text: str) -> tuple[str, str]:
    old, equals, new = text.partition("=")
    if not equals or not old or not new:
        raise UsageError(f"{text!r} must be two names, such as cat=kitten")
    return old, new


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


def _require_clear(change: "ClassChange", journal: "Journal") -> None:
    """Refuse a new name that a person may take for another class, or for the mark of skipped images."""
    from al_lightning.utils.spelling import look_alike_key  # noqa: PLC0415

    mark = journal.config.get("oracle", {}).get("skip_mark")
    today = {**{name: name for name in journal.classes}, **journal.aliases}
    new = [*((name, name) for name in change.added), *change.renamed.items()]
    for own, name in new:
        others = [n for n, now in today.items() if now != own] + [n for _, n in new]
        look, same = look_alike_key(name), [n for n in others if n != name]
        if alike := [n for n in same if look_alike_key(n) == look]:
            raise UsageError(
                f"{name!r} looks like {alike[0]!r}, which is or was the name of another class: sheets, "
                "folders and tables could mean either. Choose another name"
            )
        if mark is not None and look_alike_key(str(mark)) == look:
            raise UsageError(
                f"{name!r} marks skipped images in sheets (oracle.skip_mark={mark}), and cannot be a "
                "class. Choose another name, or another mark"
            )


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
