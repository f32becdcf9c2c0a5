from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from al_lightning.strategies import (
    BALD,
    MeanStd,
    MonteCarloStrategy,
    VariationRatios,
    VoteEntropy,
)
from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.functional import disagreement
from al_lightning.utils.errors import UsageError
from tests.strategies.helpers import make_evidence, seeded

STRATEGIES: dict[Callable[..., MonteCarloStrategy], Callable[[Tensor], Tensor]] = {
    BALD: disagreement.mutual_information,
    VariationRatios: disagreement.variation_ratios,
    VoteEntropy: disagreement.vote_entropy,
    MeanStd: disagreement.mean_std,
}


@pytest.mark.parametrize("kind", STRATEGIES, ids=lambda kind: kind.__name__)
def test_scores_are_the_formulas_in_float32(kind: Callable[..., MonteCarloStrategy]) -> None:
    pool = make_evidence(40, [Need.MC_PROBABILITIES], samples=9)
    expected = STRATEGIES[kind](pool.require(Need.MC_PROBABILITIES).double()).float()
    scores = kind().score(pool)
    torch.testing.assert_close(scores, expected, rtol=0, atol=0)
    selection = kind().select(pool, None, 5, seeded())
    assert selection.scores.tolist() == expected.sort(descending=True).values[:5].tolist()


def test_disagreement_comes_before_doubt() -> None:
    samples = torch.tensor([[[0.5, 0.5], [0.5, 0.5]], [[0.9, 0.1], [0.1, 0.9]]])
    pool = Evidence(torch.tensor([3, 4]), mc_probabilities=samples)
    for kind in STRATEGIES:
        assert kind().select(pool, None, 1, seeded()).ids.tolist() == [4]


def test_ties_are_broken_by_chance() -> None:
    samples = torch.tensor([[0.9, 0.1], [0.1, 0.9]]).repeat(30, 1, 1)
    pool = Evidence(torch.arange(30), mc_probabilities=samples)
    first, second = (VariationRatios().select(pool, None, 5, seeded(seed)).ids for seed in (0, 1))
    assert set(first.tolist()) != set(second.tolist())


@pytest.mark.parametrize("samples", [0, -1, 2.0, "20", None, True])
def test_a_number_of_samples_that_is_none_is_an_error(samples: object) -> None:
    with pytest.raises(UsageError, match=rf"strategy\.mc_samples must be .* not {samples!r}"):
        BALD(samples)  # type: ignore[arg-type]


def test_what_is_needed_and_how_many() -> None:
    strategy = BALD(7, pool_subset=50)
    assert (strategy.mc_samples, strategy.pool_subset) == (7, 50)
    assert strategy.needs == {Need.MC_PROBABILITIES}
