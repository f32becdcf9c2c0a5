import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from al_lightning.report.statistics.multiplicity import holm


def test_by_hand() -> None:
    adjusted = holm({"a": 0.01, "b": 0.04, "c": 0.03, "d": 0.005})
    # 4 x .005, 3 x .01, 2 x .03, and .04 is lifted to the one before it.
    assert adjusted == pytest.approx({"a": 0.03, "b": 0.06, "c": 0.06, "d": 0.02})
    assert list(adjusted) == ["a", "b", "c", "d"]


def test_what_was_not_tested_does_not_count() -> None:
    assert holm({"a": 0.02, "b": None, "c": 0.5}) == {"a": 0.04, "b": None, "c": 0.5}
    assert holm({}) == {}
    assert holm({"a": 0.2}) == {"a": 0.2}


def test_nothing_exceeds_one() -> None:
    assert holm({"a": 0.9, "b": 0.8}) == {"a": 1.0, "b": 1.0}


@given(st.lists(st.floats(0.0, 1.0), max_size=8))
def test_rejects_what_the_textbook_rejects(p_values: list[float]) -> None:
    """Holm's rule in its first form: go on from the smallest while p <= level / (m - rank)."""
    level, m = 0.05, len(p_values)
    order = sorted(range(m), key=lambda i: p_values[i])
    rejected: set[int] = set()
    for rank, i in enumerate(order):
        if (m - rank) * p_values[i] > level:
            break
        rejected.add(i)
    adjusted = holm(dict(enumerate(p_values)))
    assert {i for i, p in adjusted.items() if p is not None and p <= level} == rejected
    assert all(p is not None and p >= p_values[i] for i, p in adjusted.items())


@pytest.mark.parametrize("wrong", [1.5, -0.1, math.nan])
def test_what_is_no_p_value_is_named(wrong: float) -> None:
    with pytest.raises(ValueError, match=f"'margin' is {wrong}"):
        holm({"entropy": 0.5, "margin": wrong})
