from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate

from al_lightning.errors import UsageError
from al_lightning.evidence import Need
from al_lightning.strategies import (
    BALD,
    Entropy,
    Euclidean,
    FarthestFirst,
    Margin,
    Random,
    Shortlist,
)
from tests.strategies.helpers import make_evidence, seeded

CONF = Path(__file__).parents[2] / "conf"


def test_the_second_chooses_among_the_highest_scores_of_the_first() -> None:
    pool, labeled = make_evidence(100), make_evidence(8, seed=1)
    assert pool.probabilities is not None
    listed = torch.special.entr(pool.probabilities).sum(1).argsort(descending=True)[:30]
    farthest = FarthestFirst(Euclidean())
    found = Shortlist(Entropy(), farthest, factor=3).select(pool, labeled, 10, seeded())
    expected = farthest.select(pool.rows(listed), labeled, 10, seeded())
    assert torch.equal(found.ids, expected.ids)
    assert torch.equal(found.scores, expected.scores)


def test_it_needs_what_both_need() -> None:
    strategy = Shortlist(BALD(mc_samples=7), FarthestFirst(Euclidean()))
    assert strategy.needs == {Need.MC_PROBABILITIES, Need.EMBEDDINGS}
    assert strategy.labeled_needs == {Need.EMBEDDINGS}
    assert strategy.mc_samples == 7


def test_chance_among_all_is_chance() -> None:
    pool = make_evidence(12)
    ids = Shortlist(Margin(), Random(), factor=100).select(pool, None, 12, seeded()).ids
    assert set(ids.tolist()) == set(pool.ids.tolist())


def test_the_two_are_chosen_on_the_command_line() -> None:
    overrides = [
        *("strategy=shortlist", "strategy@strategy.uncertainty=entropy"),
        *("strategy@strategy.diversity=l2", "strategy.factor=5"),
    ]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        strategy = instantiate(compose("config", overrides).strategy, _convert_="all")
    assert isinstance(strategy.uncertainty, Entropy)
    assert isinstance(strategy.diversity, FarthestFirst)
    assert strategy.factor == 5


def test_the_factor_must_be_positive() -> None:
    with pytest.raises(UsageError, match=r"strategy\.factor must be"):
        Shortlist(Margin(), Random(), factor=0)
