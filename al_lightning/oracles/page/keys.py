"""The key of each class on the page."""

from collections.abc import Mapping, Sequence

from al_lightning.utils.errors import UsageError

#: Letters with a meaning of their own on the page.
COMMANDS = {
    "n": "new class",
    "z": "zoom",
    "g": "grid",
    "o": "one by one",
    "l": "list of labels",
    "v": "review",
}
_FREE = [*"123456789", *(c for c in "abcdefghijklmnopqrstuvwxyz" if c not in COMMANDS)]
_NAMES = {*_FREE, "0"}  # that a class has as its key


def class_keys(classes: Sequence[str], own: Mapping[str, str]) -> list[str] | None:
    """Return the key of each class: its own, else its name if that is one, else the next that is free.

    >>> class_keys(["0", "1", "cat", "dog"], {"dog": "d"})
    ['0', '1', '2', 'd']

    Args:
        classes: Names of the classes.
        own: Keys by class, from ``oracle.keys``.

    Returns:
        A key per class; None where there are more classes than keys: then one types a name.

    Raises:
        UsageError: If an own key is no single digit or letter, is taken, or its class does not exist.
    """
    keys: dict[str, str] = {}
    for name, given in own.items():
        key = str(given).lower()
        if name not in classes:
            raise UsageError(f"oracle.keys names {name!r}, which is none of {', '.join(classes)}")
        if len(key) != 1 or not key.isalnum():
            raise UsageError(f"oracle.keys.{name}={key!r} must be one digit or letter")
        if key in COMMANDS or key in keys.values():
            taken = COMMANDS.get(key, "the key of another class")
            raise UsageError(f"oracle.keys.{name}={key!r} is {taken}: choose another key")
        keys[name] = key
    for name in classes:
        if name not in keys and name.lower() in _NAMES and name.lower() not in keys.values():
            keys[name] = name.lower()
    free = [key for key in _FREE if key not in keys.values()]
    others = [name for name in classes if name not in keys]
    if len(others) > len(free):
        return None
    keys |= dict(zip(others, free, strict=False))
    return [keys[name] for name in classes]
