"""Lists in messages, cut where they are long."""

from collections.abc import Iterable


def shortened(items: Iterable[object], most: int) -> list[str]:
    """Return the texts of the first items, and how many there are besides.

    >>> shortened(["a", "b", "c", "d"], most=2)
    ['a', 'b', 'and 2 more']
    """
    texts = list(map(str, items))
    more = len(texts) - most
    return [*texts[:most], f"and {more} more"] if more > 0 else texts
