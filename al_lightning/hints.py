"""What somebody may have meant who typed a name that does not exist."""

import difflib
from collections.abc import Collection

_ALIKE = 0.6  # difflib's own threshold


def nearest(name: str, known: Collection[str]) -> str | None:
    """Return the known name that is most like another one; None if none is like it.

    Dotted names are also compared by their last parts, since that is how they are remembered:
    ``batch_size`` means ``recipe.batch_size``.
    """
    if close := difflib.get_close_matches(name, known, 1, _ALIKE):
        return close[0]
    leaves = {key.rpartition(".")[2]: key for key in sorted(known, reverse=True)}
    close = difflib.get_close_matches(name.rpartition(".")[2], leaves, 1, _ALIKE)
    return leaves[close[0]] if close else None
