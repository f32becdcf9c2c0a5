"""The command line that corrects labels: ``python -m al_lightning.labels PROJECT --set 30=cat``."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from al_lightning.utils.command import exit_status
from al_lightning.utils.errors import UsageError
from al_lightning.utils.hints import nearest
from al_lightning.utils.process import freeze_imports_from_gc, prepare_process


def main(arguments: Sequence[str] | None = None) -> int:
    """Correct labels; return the exit status: 1 if that is not possible."""
    return exit_status(partial(_correct, _parser().parse_args(arguments)))


def _correct(given: argparse.Namespace) -> str:
    """Run the command, and return its message."""
    prepare_process()
    # Only here: torch is heavy, and --help must answer at once.
    with freeze_imports_from_gc():
        import torch  # noqa: PLC0415

        from al_lightning.run.journal import Journal  # noqa: PLC0415
        from al_lightning.utils.locks import only_one  # noqa: PLC0415

    path = given.run / "journal.jsonl"
    if not path.is_file():
        raise UsageError(f"{given.run} is no folder of a run: it has no journal.jsonl")
    try:
        with only_one(given.run / ".lock"):
            journal = Journal(path)
            if not journal.is_project:
                raise UsageError(
                    f"{given.run} is no project, and its labels cannot be corrected: project=NAME "
                    "makes one"
                )
            classes = [str(name) for name in (journal.start or {})["classes"]]
            wanted = _parsed(given.set, classes)
            new = {i: label for i, label in wanted.items() if journal.label_of.get(i) != label}
            if new:
                ids, labels = torch.tensor([*new]), torch.tensor([*new.values()])
                journal.record_correction(ids, labels, given.by)
    except BlockingIOError as error:
        raise UsageError(f"{given.run} is in use by {error}: let it end, or stop it") from error
    same = f"; {len(wanted) - len(new)} had this class already" if len(new) < len(wanted) else ""
    return f"{len(new)} label(s) corrected{same}. The project's command trains on them"


def _parsed(texts: Sequence[str], classes: Sequence[str]) -> dict[int, int]:
    """Return classes by the ids of images, from texts such as "30=cat".

    Raises:
        UsageError: If a text is no correction, or an image is given twice; names it.
    """
    found: dict[int, int] = {}
    for text in texts:
        number, equals, name = text.partition("=")
        if not equals or not number.strip().isdecimal():
            raise UsageError(f"{text!r} is no correction: write ID=CLASS, such as 30={classes[0]}")
        if name not in classes:
            meant = nearest(name, classes)
            hint = f"; did you mean {meant}?" if meant else f", but {', '.join(classes)}"
            raise UsageError(f"{text!r} names no class of this project{hint}")
        if int(number) in found:
            raise UsageError(f"The image {int(number)} is given twice")
        found[int(number)] = classes.index(name)
    return found


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m al_lightning.labels",
        description="Correct labels of a project. The journal records each correction, and the next "
        "fit trains on it. Ids of images are in queries/*.csv of the project's folder.",
    )
    parser.add_argument(
        "run", type=Path, metavar="RUN", help="a project's folder, such as outputs/projects/birds"
    )
    parser.add_argument(
        "--set", nargs="+", required=True, metavar="ID=CLASS", help="the right class of an image"
    )
    parser.add_argument("--by", default="", metavar="NAME", help="who corrects them")
    return parser
