import numpy as np
import pytest
from scipy import stats

from al_lightning.report.rules import Rules
from al_lightning.report.statistics.comparison import compare
from al_lightning.report.statistics.moderation import NOMINAL
from al_lightning.report.statistics.power import needed_seeds, required_seeds


@pytest.mark.parametrize("effect", [0.5, 0.8, 1.0])
def test_one_comparison_takes_what_a_t_test_takes(effect: float) -> None:
    """One by one, from 3 on, with the noncentral t."""
    for seeds in range(3, 100):
        limit = stats.t.ppf(1 - NOMINAL * 0.025, seeds - 1)
        shift = effect * seeds**0.5
        upper, lower = (stats.nct.sf(limit, seeds - 1, s) for s in (shift, -shift))
        if upper + lower >= 0.8:
            break
    assert required_seeds(effect, 1.0, 1, 0.05) == seeds
    assert required_seeds(effect / 100, 0.01, 1, 0.05) == seeds


def test_more_strategies_and_a_stricter_level_take_more() -> None:
    plain, more, stricter = (
        required_seeds(1.0, 1.0, *each) for each in ((2, 0.05), (20, 0.05), (2, 0.005))
    )
    assert plain is not None
    assert more is not None
    assert stricter is not None
    assert plain < min(more, stricter)
    assert required_seeds(100.0, 1.0, 2, 0.05) == 3
    assert required_seeds(0.1, 1.0, 2, 0.05) is None


def test_the_range_follows_from_the_pooled_spread() -> None:
    drawn = np.random.default_rng(0)
    scores = {n: {s: float(drawn.normal(0.8, 0.01)) for s in range(5)} for n in "rabc"}
    found = needed_seeds(compare(scores, "r", [*"abc"]), Rules(difference=2.0))
    assert found is not None
    assert found.difference == 0.02
    assert found.least is not None
    assert found.most is not None
    assert 3 <= found.least < found.most
    larger = needed_seeds(compare(scores, "r", [*"abc"]), Rules(difference=5.0))
    assert larger is not None
    assert larger.most is not None
    assert larger.most < found.most


def test_what_was_not_tested_takes_no_number() -> None:
    scores = {n: {0: 0.5, 1: 0.6} for n in "ra"}
    assert needed_seeds(compare(scores, "r", ["a"]), Rules()) is None
