from typing import Any

import pytest
import torch

from al_lightning.strategies import (
    Entropy,
    LeastConfidence,
    Margin,
    Ratio,
    ScoreStrategy,
    UncertaintyStrategy,
)
from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.utils.errors import UsageError
from tests.strategies.helpers import make_evidence, seeded

# The three disagree about which of these is queried first.
POOL = Evidence(
    torch.tensor([30, 10, 20]),
    probabilities=torch.tensor(
        [[0.50, 0.49, 0.01, 0.00], [0.52, 0.16, 0.16, 0.16], [0.45, 0.35, 0.20, 0.00]]
    ),
)


@pytest.mark.parametrize(
    ("strategy", "ids", "scores"),
    [
        (LeastConfidence(), [20, 30, 10], [0.55, 0.50, 0.48]),
        (Margin(), [30, 20, 10], [-0.01, -0.10, -0.36]),
        (Ratio(), [30, 20, 10], [0.98, 0.7778, 0.3077]),
        (Entropy(), [10, 20, 30], [1.2197, 1.0487, 0.7422]),
    ],
)
def test_order_and_scores(strategy: ScoreStrategy, ids: list[int], scores: list[float]) -> None:
    assert strategy.needs == {Need.PROBABILITIES}
    assert strategy.labeled_needs == frozenset()
    selection = strategy.select(POOL, None, 3, seeded())
    assert selection.ids.tolist() == ids
    torch.testing.assert_close(selection.scores, torch.tensor(scores), atol=1e-4, rtol=0)


STRATEGIES = [LeastConfidence, Margin, Ratio, Entropy]


@pytest.mark.parametrize("kind", STRATEGIES, ids=lambda kind: kind.__name__)
def test_dropout_samples_count_by_their_mean(kind: type[UncertaintyStrategy]) -> None:
    pool = make_evidence(30, [Need.MC_PROBABILITIES])
    sampling = kind(mc_samples=4, pool_subset=20)
    assert sampling.needs == {Need.MC_PROBABILITIES}
    assert (sampling.mc_samples, sampling.pool_subset) == (4, 20)
    mean = Evidence(pool.ids, probabilities=pool.require(Need.MC_PROBABILITIES).mean(1))
    assert sampling.score(pool).tolist() == kind().score(mean).tolist()
    assert kind().needs == kind.needs == {Need.PROBABILITIES}


@pytest.mark.parametrize("samples", [0, 1.5, "4"])
def test_a_number_of_samples_that_is_none_is_an_error(samples: Any) -> None:
    with pytest.raises(UsageError, match=rf"strategy\.mc_samples must be .* not {samples!r}"):
        Entropy(samples)
