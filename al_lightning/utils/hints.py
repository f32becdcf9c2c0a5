"""Suggest the closest known name for one that does not exist."""

import difflib
from collections.abc import Collection

_ALIKE = 0.6  # difflib's own threshold
_BEHIND = 0.1  # a name that is less alike than the nearest by so much is not suggested
_MOST = 3


def nearest(name: object, known: Collection[str]) -> str | None:
    """Return the known name that is closest to an unknown one; None if none is close, or it is no text.

    Dotted names are also compared by their last parts, since that is how they are remembered:
    ``batch_size`` means ``recipe.batch_size``. Upper case is lower case.
    """
    if not isinstance(name, str):
        return None
    name = name.casefold()
    names = {key.casefold(): key for key in sorted(known, reverse=True)}
    if close := difflib.get_close_matches(name, names, 1, _ALIKE):
        return names[close[0]]
    leaves = {key.rpartition(".")[2]: names[key] for key in names}
    close = difflib.get_close_matches(name.rpartition(".")[2], leaves, 1, _ALIKE)
    return leaves[close[0]] if close else None


def did_you_mean(name: object, known: Collection[str]) -> str:
    """Return the end of a message on an unknown name: a question, or nothing if no name is close.

    >>> "There is no model rsnet" + did_you_mean("rsnet", ["cnn", "resnet"])
    'There is no model rsnet; did you mean resnet?'
    """
    meant = nearest(name, known)
    return "" if meant is None else f"; did you mean {meant}?"


def near_names(name: str, known: Collection[str]) -> list[str]:
    """Return the known names that begin with an unknown one, else those nearly as close as the best."""
    if longer := sorted(other for other in known if other.startswith(name)):
        return longer
    close = difflib.get_close_matches(name, known, _MOST, _ALIKE)
    likeness = [difflib.SequenceMatcher(None, other, name).ratio() for other in close]
    return [o for o, ratio in zip(close, likeness, strict=True) if ratio > likeness[0] - _BEHIND]
