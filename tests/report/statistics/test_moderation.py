import numpy as np
import pytest
from scipy.special import polygamma

from al_lightning.report.statistics.moderation import around_one, moderate, step_down


def test_equal_variances_share_up_to_the_limit() -> None:
    found = moderate(np.array([4.0, 4.0]), np.array([5, 5]), around_one(2))
    assert found.variance == pytest.approx([4.0, 4.0])
    # 8 degrees of freedom, of which 1.25 carry one; a share of 3 / 8 of the mean.
    assert found.pooled_df == pytest.approx([6.4])
    rest = 5 / 8
    assert found.df == pytest.approx([1 / ((1 - rest**2) / 6.4 + rest**2 / 4)] * 2)


def test_variances_that_lie_apart_share_less() -> None:
    variances = np.array([1.0, 1.0, 25.0])
    found = moderate(variances, np.array([5, 5, 5]), around_one(3))
    excess = np.log(variances).var(ddof=1) / polygamma(1, 2) - 1
    share = 1 / (8 / 3 + excess)
    assert found.variance == pytest.approx(share * 9 + (1 - share) * variances)
    assert found.variance[0] < moderate(variances / 9, np.array([5, 5, 5]), 1).variance[2] * 9


def test_no_spread_takes_the_mean_and_no_degrees_from_it() -> None:
    found = moderate(np.array([0.0, 2.0, 2.0]), np.array([4, 4, 4]), 1.0)
    assert found.variance == pytest.approx([2.0, 2.0, 2.0])
    assert found.df[0] == 3


def test_one_comparison_is_left_as_it_is() -> None:
    found = moderate(np.array([2.0]), np.array([4]), around_one(1))
    assert (found.variance[0], found.df[0]) == pytest.approx((2.0, 3.0))


def test_each_step_eases_the_next() -> None:
    critical = np.array([9.0, 1.0, 2.0, 3.0])[:, None] * np.ones(3)
    assert step_down(np.array([3.5, 2.5, 1.5]), critical).tolist() == [True, True, True]
    assert step_down(np.array([2.9, 2.5, 1.5]), critical).tolist() == [False] * 3
    assert step_down(np.array([0.5, 2.5, 3.5]), critical).tolist() == [False, True, True]
