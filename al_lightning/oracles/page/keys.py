"""The key of each class on the page."""

from collections.abc import Mapping, Sequence

from al_lightning.utils.errors import UsageError

#: Letters with a meaning of their own on the page.
COMMANDS = {"n": "new class", "z": "zoom", "g": "grid", "o": "one by one", "l": "list of labels", "v": "review"}
_FREE = [*"123456789", *(c for c in "abcdefghijklmnopqrstuvwxyz" if c not in COMMANDS)]


def class_keys(classes: Sequence[str], own: Mapping[str, str]) -> list[str] | None:
    """Return the key of each class: its own, else the next digit or letter.

    Args:
        classes: Names of the classes.
        own: Keys by class, from ``oracle.keys``.

    Returns:
        A key per class; None where there are more classes than keys: then one types a name.

    Raises:
        UsageError: If an own key is no single digit or letter, is taken, or its class does not exist.
    """
    keys: dict[str, str] = {}
    for name, key in own.items():
        key = str(key).lower()
        if name not in classes:
            raise UsageError(f"oracle.keys names {name!r}, which is none of {', '.join(classes)}")
        if len(key) != 1 or not key.isalnum():
            raise UsageError(f"oracle.keys.{name}={key!r} must be one digit or letter")
        if key in COMMANDS or key in keys.values():
            taken = COMMANDS.get(key, "the key of another class")
            raise UsageError(f"oracle.keys.{name}={key!r} is {taken}: choose another key")
        keys[name] = key
    free = iter([key for key in _FREE if key not in keys.values()])
    for name in classes:
        if name not in keys:
            key = next(free, None)
            if key is None:
                return None
            keys[name] = key
    return [keys[name] for name in classes]
