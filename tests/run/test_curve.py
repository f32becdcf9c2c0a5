import math

import numpy as np
import pytest
from scipy.integrate import trapezoid

from al_lightning.run.curve import area_under_budget_curve


def test_area_of_unequal_steps_by_hand() -> None:
    # (0.2 + 0.6) / 2 * 10 + (0.6 + 0.5) / 2 * 30 + (0.5 + 0.9) / 2 * 60 = 4 + 16.5 + 42, over 100
    area = area_under_budget_curve([100, 110, 140, 200], [0.2, 0.6, 0.5, 0.9])
    assert area == pytest.approx(0.625)


def test_area_is_the_integral_over_the_width() -> None:
    generator = np.random.default_rng(0)
    labels = np.cumsum(generator.integers(1, 50, 20)).tolist()
    scores = generator.random(20).tolist()
    expected = trapezoid(scores, labels) / (labels[-1] - labels[0])
    assert area_under_budget_curve(labels, scores) == pytest.approx(expected)


def test_a_flat_curve_has_its_height() -> None:
    assert area_under_budget_curve([5, 6, 60], [0.7, 0.7, 0.7]) == pytest.approx(0.7)


def test_a_single_point_has_no_area() -> None:
    assert area_under_budget_curve([500], [0.9]) is None


@pytest.mark.parametrize(("labels", "scores"), [([1, 2], [0.5]), ([1], [0.5, 0.6]), ([], [])])
def test_labels_and_scores_must_pair_up(labels: list[float], scores: list[float]) -> None:
    with pytest.raises(ValueError, match=rf"not {len(labels)}, {len(scores)}"):
        area_under_budget_curve(labels, scores)


@pytest.mark.parametrize("labels", [[1, 1], [2, 1], [1, 3, 2], [1, math.nan]])
def test_labels_must_ascend(labels: list[float]) -> None:
    with pytest.raises(ValueError, match=r"must ascend, not \["):
        area_under_budget_curve(labels, [0.5] * len(labels))
