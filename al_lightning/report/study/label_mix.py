"""How often each class is among the labels of a journal."""

from bisect import bisect_left
from collections.abc import Iterable, Sequence

from al_lightning.run.state import Event


def all_of(events: Iterable[Event], key: str) -> list[int]:
    """Return the values under a key of labels events, as one list."""
    return [value for event in events for value in event.get(key, ())]


def mix(labels: Iterable[int], classes: int) -> tuple[int, ...]:
    """Return how many labels each class has.

    >>> mix([2, 0, 2], 3)
    (1, 0, 2)
    """
    counts = [0] * classes
    for label in labels:
        counts[label] += 1
    return tuple(counts)


def query_mix(
    queries: Iterable[Event], rounds: Sequence[Event], classes: int
) -> tuple[tuple[int, ...], ...]:
    """Return the labels of each class in all queries between each round and the one before it.

    Where images were skipped, a round has several labels events; a project has rounds without any.

    Args:
        queries: Labels events.
        rounds: Round events, oldest first.
        classes: How many there are.
    """
    numbers = [event["round"] for event in rounds]
    asked: list[list[int]] = [[] for _ in numbers]
    for event in queries:
        if (place := bisect_left(numbers, event["round"])) < len(numbers):
            asked[place].extend(event["labels"])
    return tuple(mix(labels, classes) for labels in asked[1:])
