from pathlib import Path

import pytest
import torch
from hydra import compose, initialize_config_dir
from hydra.utils import instantiate
from sklearn.cluster import KMeans

from al_lightning.strategies import (
    BALD,
    BatchBALD,
    DropQuery,
    Entropy,
    Euclidean,
    FarthestFirst,
    KMeansCenters,
    Margin,
    Mix,
    Random,
    ScoreStrategy,
    Selection,
    Shortlist,
    Strategy,
)
from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.strategies.functional.lloyd import seeds
from al_lightning.utils.errors import UsageError
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


def test_with_k_means_it_is_that_of_zhdanov() -> None:
    """Weighted k-means of the shortlist by scikit-learn from our seeds, and the image nearest to each
    center."""
    pool = make_evidence(300)
    pool = pool.rows(pool.ids.argsort())
    assert pool.probabilities is not None
    assert pool.embeddings is not None
    top = pool.probabilities.sort(1, descending=True).values
    informativeness = 1 - (top[:, 0] - top[:, 1])
    listed = informativeness.argsort(descending=True)[:40].sort().values
    rows = pool.embeddings[listed].double()
    rows -= rows.mean(0)
    seed = seeded(3)
    torch.randperm(40, generator=seed)  # breaks the ties of scores
    scaled, weights = (rows / rows.abs().max()).float(), informativeness[listed]
    start = seeds(scaled, 8, seed, weights / weights.max())
    method = KMeans(8, init=start.numpy(), n_init=1)
    labels = method.fit_predict(scaled.numpy(), sample_weight=weights.numpy())
    expected = set()
    for i in range(8):
        members = listed[labels == i]
        weights = informativeness[members, None]
        center = (pool.embeddings[members] * weights).sum(0) / weights.sum()
        nearest = (pool.embeddings[members] - center).norm(dim=1).argmin()
        expected.add(int(pool.ids[members[nearest]]))
    found = Shortlist(Margin(), KMeansCenters(), factor=5).select(pool, None, 8, seeded(3))
    assert set(found.ids.tolist()) == expected


class Handed(Strategy):
    """Remembers the weights that it is handed, and takes the first images."""

    def choose(
        self, pool: Evidence, labeled: Evidence, count: int, generator: torch.Generator
    ) -> Selection:
        self.weights = pool.weights
        return Selection(pool.ids[:count], torch.zeros(count))


class Column(ScoreStrategy):
    """Scores by the first embedding."""

    needs = frozenset({Need.EMBEDDINGS})

    def __init__(self, may_be_negative: bool) -> None:
        self.may_be_negative = may_be_negative

    def score(self, pool: Evidence) -> torch.Tensor:
        return pool.require(Need.EMBEDDINGS)[:, 0]


def test_weights_are_informativeness_of_at_least_zero() -> None:
    """By id; scores that may be below 0 count from the lowest of the shortlist."""
    pool = Evidence(torch.arange(4), embeddings=torch.tensor([[-3.0], [5.0], [-1.0], [2.0]]))
    for may_be_negative, expected in ((True, [6.0, 0.0, 3.0]), (False, [5.0, 0.0, 2.0])):
        handed = Handed()
        Shortlist(Column(may_be_negative), handed, factor=3).select(pool, None, 1, seeded())
        assert handed.weights is not None
        assert handed.weights.tolist() == expected
    assert Margin().weigh(torch.tensor([-1.0, -0.25])).tolist() == [0, 0.75]


def test_it_needs_what_both_need() -> None:
    strategy = Shortlist(BALD(mc_samples=7), FarthestFirst(Euclidean()))
    assert strategy.needs == {Need.MC_PROBABILITIES, Need.EMBEDDINGS}
    assert strategy.labeled_needs == {Need.EMBEDDINGS}
    assert strategy.mc_samples == 7
    assert Shortlist(Margin(), DropQuery(passes=3)).mc_samples == 3
    with pytest.raises(UsageError, match="take 7 of uncertainty, 9 of diversity"):
        Shortlist(BALD(mc_samples=7), BatchBALD(mc_samples=9))


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


def test_no_part_of_a_shortlist_is_a_uniform_sample_of_the_pool() -> None:
    pool = make_evidence(40)
    mix = Mix({"random": Random(), "margin": Margin()}, {"random": 1, "margin": 1})
    assert mix.select(pool, None, 6, seeded()).uniform == ("random",)
    found = Shortlist(Margin(), mix, factor=3).select(pool, None, 6, seeded())
    assert found.uniform == ()
    assert found.parts.count("random") == 3
