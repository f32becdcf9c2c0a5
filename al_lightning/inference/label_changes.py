"""Changes of a project's labels on the command line: by hand, or from a table."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path

import torch

from al_lightning.inference.label_import import import_labels
from al_lightning.run.journal import Journal
from al_lightning.utils.errors import UsageError
from al_lightning.utils.locks import only_one
from al_lightning.utils.spelling import read_class


@contextmanager
def open_project(run: Path, *, changes: bool = True) -> Iterator[Journal]:
    """Hold a project while the block changes its labels.

    Args:
        run: The project's folder.
        changes: Whether the block writes; without, the folder may be read-only, or in use.

    Raises:
        UsageError: If there is none, or another process uses it.
    """
    path = run / "journal.jsonl"
    if not path.is_file():
        raise UsageError(f"{run} is no folder of a run: it has no journal.jsonl")
    try:
        with only_one(run / ".lock") if changes else nullcontext():
            journal = Journal(path)
            if not journal.is_project:
                raise UsageError(
                    f"{run} is no project, and its labels cannot be changed: project=NAME makes one"
                )
            yield journal
    except BlockingIOError as error:
        raise UsageError(f"{run} is in use by {error}: let it end, or stop it") from error


def correct(journal: Journal, labels: Mapping[int, int], by: str) -> str:
    """Record the right classes of labeled images, by id; return what was done, in words.

    An image that is up for review is confirmed by the class that it has; of others, that changes
    nothing.
    """
    known = journal.label_of
    new = {i: label for i, label in labels.items() if known.get(i) != label}
    confirmed = {i: label for i, label in labels.items() if i in journal.to_review and i not in new}
    if said := new | confirmed:
        journal.record_correction(torch.tensor([*said]), torch.tensor([*said.values()]), by)
    counts = {
        "confirmed": len(confirmed),
        "had this class already": len(labels) - len(new) - len(confirmed),
    }
    beside = "".join(f"; {count} {what}" for what, count in counts.items() if count)
    return f"{len(new)} label(s) corrected{beside}. The project's command trains on them"


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
        return correct(journal, _parsed(texts, journal), by)


def take_from_table(
    run: Path, table: Path, by: str, *, dry_run: bool, trust: bool, place: Path | None = None
) -> str:
    """Take labels of a table into a project; return what was done, in words.

    Raises:
        UsageError: If that is not possible; nothing is changed.
    """
    with open_project(run, changes=not dry_run) as journal:
        plan = import_labels(journal, table, by, dry_run=dry_run, trust=trust, place=place)
        asked = journal.open_question is not None
    if dry_run:
        return f"{table}: {plan}. Nothing was written"
    if not plan.new and not plan.corrected:
        return f"{table}: {plan}. Nothing is left to do"
    when = ", once the open query is answered" if asked else ""
    return f"{table}: {plan}. The project's command trains on them{when}"


def _parsed(texts: Sequence[str], journal: Journal) -> dict[int, int]:
    """Return classes by the ids of images, from texts such as "30=cat".

    Raises:
        UsageError: If a text is no correction, or an image is given twice; names it.
    """
    found: dict[int, int] = {}
    classes, aliases, size = journal.classes, journal.aliases, journal.pool.size
    for text in texts:
        number, equals, name = text.partition("=")
        if not equals or not (number.strip().isascii() and number.strip().isdigit()):
            raise UsageError(f"{text!r} is no correction: write ID=CLASS, such as 30={classes[0]}")
        digits = number.strip().lstrip("0") or "0"  # int() refuses thousands of them
        if len(digits) > len(str(size)) or int(digits) >= size:
            raise UsageError(f"{text!r} names no image of this project: ids are 0 to {size - 1}")
        try:
            written = read_class(name, [*classes, *aliases])
        except ValueError as error:
            raise UsageError(f"{text!r}: {error}. The classes are {', '.join(classes)}") from error
        if (image := int(digits)) in found:
            raise UsageError(f"The image {image} is given twice")
        found[image] = classes.index(aliases.get(written, written))
    return found
