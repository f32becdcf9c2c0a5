"""Labels to reach a score, and the labels that a strategy saves.

A curve begins at its first labels and ends with its last ones, and the score may be reached outside.
Then only a bound is known, which is what a ratio of such numbers keeps.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from al_lightning.run.curve import check_curve

Kind = Literal["reached", "at_start", "never"]
Bound = Literal["exact", "at_least", "at_most", "unknown"]

#: What a crossing says of the labels that are needed.
_NEEDED: dict[Kind, Bound] = {"reached": "exact", "at_start": "at_most", "never": "at_least"}
#: What a bound on a number says of its inverse.
_INVERSE: dict[Bound, Bound] = {"exact": "exact", "at_most": "at_least", "at_least": "at_most"}


@dataclass(frozen=True)
class Crossing:
    """Where a curve reaches a target first.

    Attributes:
        labels: How many it takes.
        kind: "reached" if it takes as many; "at_start" if the first point of the curve is there
            already, so that it takes at most as many; "never" if the curve ends below, so that it takes
            more.
    """

    labels: float
    kind: Kind


@dataclass(frozen=True)
class Bounded:
    """A ratio or a share, and how well it is known.

    Attributes:
        value: None if nothing is known.
        bound: Whether the value is "exact", or the number is "at_least" or "at_most" that; "unknown"
            if nothing is known.
    """

    value: float | None
    bound: Bound


def labels_to_reach(labels: Sequence[float], scores: Sequence[float], target: float) -> Crossing:
    """Return the labels at which a curve reaches a target first, by linear interpolation.

    Args:
        labels: Labels bought, strictly ascending.
        scores: One each; higher is better.
        target: In the unit of the scores.

    Raises:
        ValueError: If labels and scores differ in length, are empty, or labels do not ascend, or if a
            score or the target is not finite.
    """
    check_curve(labels, scores)
    if not all(math.isfinite(score) for score in [*scores, target]):
        raise ValueError(
            f"Scores and target must be finite to be crossed, not {list(scores)}, {target}"
        )
    points = list(zip(labels, scores, strict=True))
    if scores[0] >= target:
        return Crossing(labels[0], "at_start")
    for (before, low), (after, high) in pairwise(points):
        if high >= target:
            return Crossing(before + (target - low) / (high - low) * (after - before), "reached")
    return Crossing(labels[-1], "never")


def label_efficiency(reference: Crossing, strategy: Crossing) -> Bounded:
    """Return LE, the labels that the reference needs / the labels that the strategy needs.

    Above 1 where the strategy needs fewer.

    Args:
        reference: Where its curve reaches the target.
        strategy: Where its curve reaches the same target.

    Raises:
        ValueError: If one of them needs no labels at all, so that there is no ratio.
    """
    _require_labels(reference, strategy)
    return _bounded(reference.labels / strategy.labels, _ratio_bound(reference, strategy))


def labels_saved(reference: Crossing, strategy: Crossing) -> Bounded:
    """Return the share of the reference's labels that the strategy saves, 1 - strategy / reference.

    0.38 means 38 % fewer labels; it is negative where the strategy needs more.

    Args:
        reference: Where its curve reaches the target.
        strategy: Where its curve reaches the same target.

    Raises:
        ValueError: If one of them needs no labels at all, so that there is no ratio.
    """
    _require_labels(reference, strategy)
    # It is 1 - 1 / LE, which grows with LE: a bound on LE is one on the share, on the same side.
    return _bounded(1 - strategy.labels / reference.labels, _ratio_bound(reference, strategy))


def _bounded(value: float, bound: Bound) -> Bounded:
    return Bounded(None if bound == "unknown" else value, bound)


def _require_labels(reference: Crossing, strategy: Crossing) -> None:
    if reference.labels <= 0 or strategy.labels <= 0:
        raise ValueError(
            "Only what takes labels can be compared by a ratio, not "
            f"{reference.labels} of the reference, {strategy.labels} of the strategy"
        )


def _ratio_bound(reference: Crossing, strategy: Crossing) -> Bound:
    """Return a ratio with its bound; unknown where its two parts are bounded to opposite sides."""
    bounds = {_NEEDED[reference.kind], _INVERSE[_NEEDED[strategy.kind]]} - {"exact"}
    if len(bounds) > 1:
        return "unknown"
    return bounds.pop() if bounds else "exact"
