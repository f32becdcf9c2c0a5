import numpy as np
import pytest
from scipy import stats

from al_lightning.report.statistics.many import best, dunnett


@pytest.mark.parametrize("df", [2.5, 8, 1e6])
def test_one_comparison_is_student_s(df: float) -> None:
    assert dunnett(1, df, 0.05) == pytest.approx(stats.t.ppf(0.975, df), rel=1e-4)
    assert best(1, 2, df, 0.05) == pytest.approx(stats.t.ppf(0.95, df), rel=1e-4)


@pytest.mark.parametrize(("k", "df", "value"), [(2, 10, 2.57), (6, 12, 2.98), (9, 20, 2.95)])
def test_dunnett_s_table(k: int, df: int, value: float) -> None:
    """Two-sided, 5 %, Dunnett 1964, table II."""
    assert round(dunnett(k, df, 0.05), 2) == pytest.approx(value, abs=0.011)


def test_all_candidates_are_the_studentized_range() -> None:
    wanted = stats.studentized_range.ppf(0.95, 7, 12) / np.sqrt(2)
    assert best(7, 7, 12, 0.05) == pytest.approx(wanted, rel=1e-3)


def test_one_candidate_is_the_one_sided_dunnett() -> None:
    """5 %, Dunnett 1955, table 1a: 4 treatments and a control, 15 degrees of freedom."""
    assert best(1, 5, 15, 0.05) == pytest.approx(2.36, abs=0.011)


def test_some_candidates_by_drawing() -> None:
    z = np.random.default_rng(0).standard_normal((200_000, 5))
    largest = (z.max(1) - z[:, :3].min(1)) / np.sqrt(2)
    assert best(3, 5, 1e6, 0.05) == pytest.approx(np.quantile(largest, 0.95), abs=0.02)
