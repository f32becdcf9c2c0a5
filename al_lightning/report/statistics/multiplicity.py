"""What is left of p-values when there are several."""

from collections.abc import Hashable, Mapping
from typing import TypeVar

K = TypeVar("K", bound=Hashable)


def holm(p_values: Mapping[K, float | None]) -> dict[K, float | None]:
    """Adjust p-values so that the chance of any false claim among them stays at the level (Holm).

    The k-th smallest of m (k from 0) is multiplied by m - k; an adjusted value is never below that of a
    smaller one, nor above 1. It needs no assumption on how the tests depend on each other. Holm 1979,
    Scandinavian Journal of Statistics 6(2).

    Args:
        p_values: One a test, in [0, 1]; None where nothing was tested, which does not count as a test.

    Returns:
        Adjusted values under the same keys in the same order; None stays None.

    Raises:
        ValueError: On a value outside [0, 1]; names its key.
    """
    tested = {key: p for key, p in p_values.items() if p is not None}
    for key, p in tested.items():
        if not 0 <= p <= 1:
            raise ValueError(f"A p-value must lie in [0, 1], but that of {key!r} is {p}")
    adjusted: dict[K, float | None] = dict.fromkeys(p_values)
    floor = 0.0
    for rank, key in enumerate(sorted(tested, key=tested.__getitem__)):
        floor = max(floor, min(1.0, tested[key] * (len(tested) - rank)))
        adjusted[key] = floor
    return adjusted
