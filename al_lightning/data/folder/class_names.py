"""Names of classes: as a person gives them, and names that look alike."""

from collections.abc import Iterable, Sequence

from al_lightning.utils.errors import UsageError
from al_lightning.utils.names import normal_name
from al_lightning.utils.spelling import look_alike_key


def check_names(classes: object) -> tuple[str, ...]:
    """Return names of classes in their :func:`~al_lightning.utils.names.normal_name`, numbers as text.

    Raises:
        UsageError: If they are no list, or one is no name, or given twice.
    """
    if isinstance(classes, str) or not isinstance(classes, Sequence):
        raise UsageError(
            f"dataset.classes={classes} is no list: give all names, such as 'dataset.classes=[cat,dog]'"
        )
    for name in classes:
        if isinstance(name, bool) or not isinstance(name, str | int) or not str(name).strip():
            raise UsageError(
                f"dataset.classes names {name!r} ({type(name).__name__}), which is no name; quote it "
                "if it is one"
            )
    names = tuple(_normal(str(name)) for name in classes)
    for name in names:
        if names.count(name) > 1:
            raise UsageError(f"dataset.classes names '{name}' twice")
    return names


def look_alikes(names: Iterable[str]) -> list[list[str]]:
    """Return the names that look equal and differ in their characters, group by group.

    >>> look_alikes(["Dog", "cat", "dog"])
    [['Dog', 'dog']]
    """
    spellings: dict[str, list[str]] = {}
    for name in names:
        spellings.setdefault(look_alike_key(name), []).append(name)
    return [same for same in spellings.values() if len(same) > 1]


def quoted(names: Iterable[str]) -> str:
    """Return names for a message: 'cat', 'dog'."""
    return ", ".join(f"'{name}'" for name in names)


def _normal(name: str) -> str:
    try:
        return normal_name(name)
    except ValueError as error:
        raise UsageError(f"dataset.classes names {name!a}, which is no name: {error}") from error
