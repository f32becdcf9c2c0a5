import pytest
from scipy import stats

from al_lightning.report.statistics.two_factors import two_factors

CELLS = {
    (0, 0): {0: 0.50, 1: 0.52, 2: 0.51},
    (1, 0): {0: 0.70, 1: 0.75, 2: 0.71},
    (0, 1): {0: 0.60, 1: 0.60, 2: 0.61, 9: 0.1},
    (1, 1): {0: 0.74, 1: 0.77, 2: 0.75},
}


def test_effects_by_hand() -> None:
    found = two_factors(CELLS, 0.9)
    # By seed: ((b + d) - (a + c)) / 2, ((c + d) - (a + b)) / 2, (d - b) - (c - a), b - c.
    by_hand = {
        "first": (0.17, 0.20, 0.17),
        "second": (0.07, 0.05, 0.07),
        "interaction": (-0.06, -0.06, -0.06),
        "lead": (0.10, 0.15, 0.10),
    }
    for name, differences in by_hand.items():
        effect = getattr(found, name)
        assert effect.seeds == (0, 1, 2)
        assert effect.mean == pytest.approx(sum(differences) / 3)
        assert effect.confidence == 0.9
    low, high = stats.t.interval(0.9, 2, 0.35 / 3, stats.sem(by_hand["lead"]))
    assert found.lead.low == pytest.approx(low)
    assert found.lead.high == pytest.approx(high)
    assert found.lead.mean == pytest.approx(found.first.mean - found.second.mean)


def test_the_interaction_does_not_vary_by_rounding() -> None:
    assert two_factors(CELLS).interaction.std == 0.0


def test_without_a_common_seed_there_is_nothing() -> None:
    with pytest.raises(ValueError, match="No common seed"):
        two_factors({**CELLS, (1, 1): {7: 0.5}})
