"""Which classes the labels of a table name."""

import logging
from collections.abc import Mapping, Sequence

from al_lightning.data.folder.class_names import look_alikes, quoted
from al_lightning.data.pixels.remote_file import ImageFile
from al_lightning.data.source import UNKNOWN
from al_lightning.data.table.table_rows import TEST, TableRow, refusal
from al_lightning.utils.errors import DataError
from al_lightning.utils.hints import did_you_mean
from al_lightning.utils.names import normal_name

_FEWEST = 2

_logger = logging.getLogger(__name__)


def decide_labels(
    table: ImageFile,
    rows: Sequence[TableRow],
    given: Sequence[str] | None,
    known: Sequence[str] | None = None,
) -> tuple[tuple[str, ...], list[int]]:
    """Return the classes, and the label of each row; -1 where there is none.

    Labels are names in their :func:`~al_lightning.utils.names.normal_name`: spellings that differ in
    outer or doubled blanks, or in the Unicode form of accents, are one class, with a warning. The
    classes are sorted, or as given.

    Args:
        table: Where it is, for messages.
        rows: All of it.
        given: All classes, in their order; None where the labels name them.
        known: Further names that labels of a project may have; its classes need no images. None if
            this is no project.

    Raises:
        DataError: If a label is no name, is none of the classes given, looks like another one, or
            only test images have it though all images are labeled; or if there are fewer than two
            classes. Names the rows.
    """
    names = _normal_names(table, rows)
    first = {names[row.label]: row for row in reversed(rows) if row.label}
    if given is None:
        _refuse_look_alikes(table, first)
    else:
        _refuse_unnamed(table, first, (*given, *(known or ())))
    classes = tuple(sorted(first)) if given is None else tuple(given)
    classes = tuple(dict.fromkeys([*classes, *(known or ())]))
    unlabeled = any(not row.label for row in rows)
    if len(classes) < _FEWEST:
        raise DataError(_too_few(table, classes, unlabeled=unlabeled))
    if known is None:
        trained = {names[row.label] for row in rows if row.label and not row.is_test}
        if not unlabeled:
            _refuse_untrained(table, first, classes, trained)
        _warn_of_untested(table, classes, {names[row.label] for row in rows if row.is_test})
    position = {name: label for label, name in enumerate(classes)}
    return classes, [position[names[row.label]] if row.label else UNKNOWN for row in rows]


def _normal_names(table: ImageFile, rows: Sequence[TableRow]) -> dict[str, str]:
    """Return the normal name of each label; warn of labels in several spellings."""
    first = {row.label: row for row in reversed(rows) if row.label}
    names, troubles = {}, []
    spellings: dict[str, list[TableRow]] = {}
    for label, row in sorted(first.items(), key=lambda item: item[1].number):
        try:
            names[label] = normal_name(label)
            spellings.setdefault(names[label], []).append(row)
        except ValueError as error:
            troubles.append(f"{row}: {label!a}: {error}")
    if troubles:
        raise refusal(table, "labels are no valid names", troubles, "Rename them")
    for name, same in spellings.items():
        if len(same) > 1:
            shown = ", ".join(f"{row.label!a} ({row})" for row in same)
            _logger.warning("%s: labels were read as one class, '%s': %s", table, name, shown)
    return names


def _refuse_look_alikes(table: ImageFile, first: Mapping[str, TableRow]) -> None:
    if groups := look_alikes(sorted(first)):
        raise refusal(
            table,
            "labels look like one class in several spellings",
            (", ".join(f"'{name}' ({first[name]})" for name in same) for same in groups),
            "Spell each class in one way; if they are different classes, name all classes in "
            "dataset.classes",
        )


def _refuse_unnamed(table: ImageFile, first: Mapping[str, TableRow], given: Sequence[str]) -> None:
    if unnamed := sorted({*first} - {*given}):
        raise refusal(
            table,
            "labels are none of the classes in dataset.classes",
            (f"{first[name]}: '{name}'{did_you_mean(name, given)}" for name in unnamed),
            "Correct them, name all classes, or leave dataset.classes out",
        )


def _refuse_untrained(
    table: ImageFile, first: Mapping[str, TableRow], classes: Sequence[str], trained: set[str]
) -> None:
    if untrained := [name for name in classes if name not in trained and name in first]:
        raise refusal(
            table,
            f"labels of the split {TEST} are those of no other row",
            (f"{first[name]}: '{name}'{did_you_mean(name, trained)}" for name in untrained),
            "Correct them, or add images of these classes to train on",
        )
    if absent := [name for name in classes if name not in first]:
        raise DataError(
            f"dataset.classes names {quoted(absent)}, which {table} has no row of, and all rows have "
            "a label. Add images of these classes, or leave them out"
        )


def _warn_of_untested(table: ImageFile, classes: Sequence[str], tested: set[str]) -> None:
    if tested and (untested := [name for name in classes if name not in tested]):
        _logger.warning(
            "%s: the split %s has no images of %s: test figures do not cover these classes",
            table,
            TEST,
            ", ".join(untested),
        )


def _too_few(table: ImageFile, classes: Sequence[str], *, unlabeled: bool) -> str:
    named = f"only '{classes[0]}'" if classes else "none"
    text = f"{table} needs at least {_FEWEST} classes, has {named}"
    if unlabeled:
        return f"{text}. Name them all: 'dataset.classes=[cat,dog]'"
    return f"{text}: labels are in the column label, or in another that dataset.columns names"
