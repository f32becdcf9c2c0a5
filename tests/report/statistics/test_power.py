import math

import numpy as np
import pytest
from scipy import stats

from al_lightning.report.statistics.power import required_seeds


@pytest.mark.parametrize(("effect", "seeds"), [(0.2, 199), (0.5, 34), (0.8, 15), (1.0, 10)])
def test_known_sample_sizes(effect: float, seeds: int) -> None:
    """The sizes that G*Power gives for paired, two-sided t tests at 80 % power and 5 %."""
    assert required_seeds(effect, 1.0) == seeds
    assert required_seeds(-effect * 0.01, 0.01) == seeds


@pytest.mark.parametrize(
    ("effect", "power", "alpha"),
    [(2.5, 0.8, 0.05), (1.3, 0.9, 0.05), (0.7, 0.8, 0.05 / 6), (0.4, 0.95, 0.01), (0.3, 0.1, 0.05)],
)
def test_equals_a_count_with_the_noncentral_t(effect: float, power: float, alpha: float) -> None:
    """One by one, from 3 on, both tails by themselves."""
    for seeds in range(3, 500):
        limit, shift = stats.t.ppf(1 - alpha / 2, seeds - 1), effect * math.sqrt(seeds)
        upper = stats.nct.sf(limit, seeds - 1, shift)
        lower = stats.nct.sf(limit, seeds - 1, -shift)
        if upper + lower >= power:
            break
    assert required_seeds(effect, 1.0, power, alpha) == seeds


def test_the_power_is_what_a_simulation_shows() -> None:
    seeds = required_seeds(0.9, 1.0)
    assert seeds is not None
    random = np.random.default_rng(0)
    for count, enough in ((seeds, True), (seeds - 2, False)):
        draws = random.normal(0.9, 1.0, (20_000, count))
        power = float((stats.ttest_1samp(draws, 0.0, axis=1).pvalue < 0.05).mean())
        assert (power > 0.79) is enough


def test_more_power_and_a_stricter_level_take_more_seeds() -> None:
    plain = required_seeds(0.5, 1.0)
    more, stricter = required_seeds(0.5, 1.0, power=0.95), required_seeds(0.5, 1.0, alpha=0.01)
    assert plain is not None
    assert more is not None
    assert stricter is not None
    assert plain < min(more, stricter)


def test_the_ends() -> None:
    assert required_seeds(0.5, 0.0) == 3
    assert required_seeds(100.0, 1.0) == 3
    assert required_seeds(1.0, 2e-6) == 3
    assert required_seeds(1.0, 1e-300) == 3
    assert required_seeds(0.5, 0.0, most=2) is None
    assert required_seeds(0.0, 1.0) is None
    assert required_seeds(0.0, 0.0) is None
    assert required_seeds(1e-4, 1.0) is None
    assert required_seeds(0.5, 1.0, most=33) is None
    assert required_seeds(0.5, 1.0, most=34) == 34


@pytest.mark.parametrize(
    "wrong", [{"std": -1.0}, {"std": math.inf}, {"mean": math.nan}, {"power": 1.0}, {"alpha": 0.0}]
)
def test_what_is_out_of_range_is_refused(wrong: dict[str, float]) -> None:
    arguments = {"mean": 0.5, "std": 1.0, **wrong}
    with pytest.raises(ValueError, match="out of range"):
        required_seeds(**arguments)  # type: ignore[arg-type]
