import math

import pytest

from al_lightning.report.statistics.efficiency import (
    Bound,
    Bounded,
    Crossing,
    Kind,
    label_efficiency,
    labels_saved,
    labels_to_reach,
)

LABELS = [100, 200, 400, 500]
SCORES = [0.5, 0.7, 0.6, 0.9]


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (0.4, Crossing(100.0, "at_start")),
        (0.5, Crossing(100.0, "at_start")),
        (0.6, Crossing(150.0, "reached")),  # half-way between the first two rounds
        (0.7, Crossing(200.0, "reached")),  # the first crossing, though the curve falls again
        (0.8, Crossing(400.0 + 100.0 * 2 / 3, "reached")),
        (0.9, Crossing(500.0, "reached")),
        (0.91, Crossing(500.0, "never")),
    ],
)
def test_the_first_crossing_is_interpolated(target: float, expected: Crossing) -> None:
    found = labels_to_reach(LABELS, SCORES, target)
    assert found.kind == expected.kind
    assert found.labels == pytest.approx(expected.labels)


def test_a_single_round_is_a_curve() -> None:
    assert labels_to_reach([100], [0.5], 0.5) == Crossing(100.0, "at_start")
    assert labels_to_reach([100], [0.5], 0.6) == Crossing(100.0, "never")


@pytest.mark.parametrize(("labels", "scores"), [([], []), ([1, 2], [0.1]), ([2, 2], [0.1, 0.2])])
def test_what_is_no_curve_is_refused(labels: list[float], scores: list[float]) -> None:
    with pytest.raises(ValueError, match="curve"):
        labels_to_reach(labels, scores, 0.5)


@pytest.mark.parametrize(
    ("scores", "target"), [([0.1, math.nan], 0.5), ([0.1, math.inf], 0.5), ([0.1, 0.9], math.nan)]
)
def test_what_is_not_finite_cannot_be_crossed(scores: list[float], target: float) -> None:
    with pytest.raises(ValueError, match="finite"):
        labels_to_reach([1, 2], scores, target)


@pytest.mark.parametrize(
    ("reference", "strategy", "bound"),
    [
        ("reached", "reached", "exact"),
        ("reached", "at_start", "at_least"),  # it may need fewer still
        ("reached", "never", "at_most"),  # it needs more than it had
        ("at_start", "reached", "at_most"),  # random may need fewer
        ("at_start", "at_start", "unknown"),
        ("at_start", "never", "at_most"),
        ("never", "reached", "at_least"),  # random needs more than it had
        ("never", "at_start", "at_least"),
        ("never", "never", "unknown"),
    ],
)
def test_censoring_leaves_a_bound_on_the_right_side(
    reference: Kind, strategy: Kind, bound: Bound
) -> None:
    theirs, ours = Crossing(500.0, reference), Crossing(300.0, strategy)
    ratio, share = label_efficiency(theirs, ours), labels_saved(theirs, ours)
    assert ratio.bound == share.bound == bound
    truths = [(r, s) for r in labels_that_may_be(theirs) for s in labels_that_may_be(ours)]
    ratios, shares = [r / s for r, s in truths], [1 - s / r for r, s in truths]
    if bound == "unknown":
        assert ratio.value is share.value is None
        # No side of what the two numbers suggest is out of the question.
        assert min(ratios) < 5 / 3 < max(ratios)
        return
    assert ratio.value == pytest.approx(5 / 3)
    assert share.value == pytest.approx(0.4)
    # The bound holds whatever the truth is, and there is none that is closer.
    if bound in ("exact", "at_least"):
        assert (min(ratios), min(shares)) == pytest.approx((5 / 3, 0.4))
    if bound in ("exact", "at_most"):
        assert (max(ratios), max(shares)) == pytest.approx((5 / 3, 0.4))


def labels_that_may_be(crossing: Crossing) -> list[float]:
    """The labels that a strategy may need in truth, the known end among them."""
    factors = {"reached": [1.0], "at_start": [0.01, 0.5, 1.0], "never": [1.0, 2.0, 100.0]}
    return [factor * crossing.labels for factor in factors[crossing.kind]]


def test_a_strategy_that_needs_more_saves_a_negative_share() -> None:
    found = labels_saved(Crossing(200.0, "reached"), Crossing(500.0, "reached"))
    assert found == Bounded(-1.5, "exact")


def test_as_the_issue_has_it() -> None:
    """38 % fewer labels."""
    found = labels_saved(Crossing(5000.0, "reached"), Crossing(3100.0, "reached"))
    assert found.value == pytest.approx(0.38)


def test_a_ratio_needs_labels() -> None:
    some, none = Crossing(100.0, "reached"), Crossing(0.0, "at_start")
    for compare in (label_efficiency, labels_saved):
        for pair in ((some, none), (none, some)):
            with pytest.raises(ValueError, match="takes labels"):
                compare(*pair)
