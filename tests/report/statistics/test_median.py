import math

import pytest
from scipy.stats import binom

from al_lightning.report.statistics.median import median_interval


def test_few_values_have_their_range() -> None:
    assert median_interval([3.0, 1.0, 2.0]) == (2.0, 1.0, 3.0, False)
    assert median_interval([]) == (None, None, None, False)


@pytest.mark.parametrize(("count", "rank"), [(6, 1), (8, 1), (9, 2), (12, 3), (20, 6)])
def test_order_statistics(count: int, rank: int) -> None:
    """The ranks of Conover's table A3."""
    _, low, high, confident = median_interval(list(range(1, count + 1)))
    assert (low, high, confident) == (rank, count + 1 - rank, True)
    assert 2 * binom.cdf(rank - 1, count, 0.5) <= 0.05 < 2 * binom.cdf(rank, count, 0.5)


def test_what_is_below_all_is_the_smallest() -> None:
    assert median_interval([-math.inf, 1.0, 2.0]) == (1.0, -math.inf, 2.0, False)
    assert median_interval([-math.inf, 1.0])[0] == -math.inf
