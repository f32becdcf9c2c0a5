"""The area under a learning curve."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any, TypeVar

_Round = TypeVar("_Round", bound=Mapping[str, Any])


def area_under_budget_curve(labels: Sequence[float], scores: Sequence[float]) -> float | None:
    """Return the mean height of a learning curve over its labels, by trapezoids (AUBC).

    AUBC = sum_i (a_i + a_{i+1}) / 2 * (b_{i+1} - b_i) / (b_T - b_0), in the unit of the scores. It is
    comparable only between curves over the same [b_0, b_T]. Used so by Zhan et al. 2022,
    arXiv:2203.13450.

    Args:
        labels: b, labels bought, strictly ascending.
        scores: a, one score each.

    Returns:
        The area; None for a curve of a single point, which has none.

    Raises:
        ValueError: If the two differ in length, are empty, or labels do not ascend.
    """
    check_curve(labels, scores)
    steps = [after - before for before, after in pairwise(labels)]
    if not steps:
        return None
    heights = [(left + right) / 2 for left, right in pairwise(scores)]
    area = sum(step * height for step, height in zip(steps, heights, strict=True))
    return area / (labels[-1] - labels[0])


def rounds_of_curve(rounds: Sequence[_Round]) -> list[_Round]:
    """Return the rounds that are points of a learning curve, with ascending numbers of labels.

    A project fits the same number of labels again after corrections, or with another model: of such
    rounds the last one counts.

    >>> rounds_of_curve([{"labels_bought": 20}, {"labels_bought": 20, "round": 1}])
    [{'labels_bought': 20, 'round': 1}]

    Args:
        rounds: Round events, oldest first.
    """
    last = {event["labels_bought"]: index for index, event in enumerate(rounds)}
    return [rounds[index] for index in last.values()]


def check_curve(labels: Sequence[float], scores: Sequence[float]) -> None:
    """Refuse what is no learning curve.

    Args:
        labels: Labels bought, strictly ascending.
        scores: One each.

    Raises:
        ValueError: If the two differ in length, are empty, or labels do not ascend.
    """
    if len(labels) != len(scores) or not labels:
        raise ValueError(
            f"A curve needs as many labels as scores, not {len(labels)}, {len(scores)}"
        )
    # NaN ascends from nothing, so that it is refused as well.
    if not all(before < after for before, after in pairwise(labels)):
        raise ValueError(f"The labels of a curve must ascend, not {list(labels)}")
