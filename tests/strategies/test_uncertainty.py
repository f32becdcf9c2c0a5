import pytest
import torch

from al_lightning.evidence import Evidence, Need
from al_lightning.strategies import Entropy, LeastConfidence, Margin, ScoreStrategy
from tests.strategies.helpers import seeded

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
        (Entropy(), [10, 20, 30], [1.2197, 1.0487, 0.7422]),
    ],
)
def test_order_and_scores(strategy: ScoreStrategy, ids: list[int], scores: list[float]) -> None:
    assert strategy.needs == {Need.PROBABILITIES}
    assert strategy.labeled_needs == frozenset()
    selection = strategy.select(POOL, None, 3, seeded())
    assert selection.ids.tolist() == ids
    torch.testing.assert_close(selection.scores, torch.tensor(scores), atol=1e-4, rtol=0)
