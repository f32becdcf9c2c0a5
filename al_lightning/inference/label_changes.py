"""Changes of a project's labels on the command line: by hand, or from a table."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import torch

from al_lightning.inference.label_import import import_labels
from al_lightning.run.journal import Journal
from al_lightning.utils.errors import UsageError
from al_lightning.utils.hints import nearest
from al_lightning.utils.locks import only_one


@contextmanager
def open_project(run: Path) -> Iterator[Journal]:
    """Hold a project while the block changes its labels.

    Raises:
        UsageError: If there is none, or another process uses it.
    """
    path = run / "journal.jsonl"
    if not path.is_file():
        raise UsageError(f"{run} is no folder of a run: it has no journal.jsonl")
    try:
        with only_one(run / ".lock"):
            journal = Journal(path)
            if not journal.is_project:
                raise UsageError(
                    f"{run} is no project, and its labels cannot be changed: project=NAME makes one"
                )
            yield journal
    except BlockingIOError as error:
        raise UsageError(f"{run} is in use by {error}: let it end, or stop it") from error


def correct_by_hand(run: Path, texts: Sequence[str], by: str) -> str:
    """Correct labels of a project; return what was done, in words.

    Args:
        run: The project's folder.
        texts: Classes by ids, such as "30=cat".
        by: Who corrects them.

    Raises:
        UsageError: If one cannot be corrected; names it, and nothing is changed.
    """
    with open_project(run) as journal:
        classes = list(journal.classes)
        wanted = _parsed(texts, classes)
        known = {i: k for i, k in journal.label_of.items() if i not in journal.to_review}
        new = {i: label for i, label in wanted.items() if known.get(i) != label}
        if new:
            ids, labels = torch.tensor([*new]), torch.tensor([*new.values()])
            journal.record_correction(ids, labels, by)
    same = f"; {len(wanted) - len(new)} had this class already" if len(new) < len(wanted) else ""
    return f"{len(new)} label(s) corrected{same}. The project's command trains on them"


def take_from_table(run: Path, table: Path, by: str, *, dry_run: bool, trust: bool) -> str:
    """Take labels of a table into a project; return what was done, in words.

    Raises:
        UsageError: If that is not possible; nothing is changed.
    """
    with open_project(run) as journal:
        plan = import_labels(journal, table, by, dry_run=dry_run, trust=trust)
        asked = journal.open_question is not None
    if dry_run:
        return f"{table}: {plan}. Nothing was written"
    if not plan.new and not plan.corrected:
        return f"{table}: {plan}. Nothing is left to do"
    when = ", once the open query is answered" if asked else ""
    return f"{table}: {plan}. The project's command trains on them{when}"


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
