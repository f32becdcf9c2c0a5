import itertools

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from torch import Tensor

from al_lightning.strategies import Badge
from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.utils.errors import UsageError
from tests.strategies.functional.test_gradients import materialised
from tests.strategies.helpers import make_evidence, seeded

NEEDS = (Need.PROBABILITIES, Need.EMBEDDINGS)


def pool_of(probabilities: Tensor, embeddings: Tensor) -> Evidence:
    return Evidence(
        torch.arange(len(embeddings)), probabilities=probabilities, embeddings=embeddings
    )


def plus_plus(gradients: Tensor, picks: tuple[int, ...]) -> float:
    """The probability that k-means++ begins with these picks, in this order."""
    probability = 1 / len(gradients)
    nearest = (gradients - gradients[picks[0]]).square().sum(1)
    for pick in picks[1:]:
        probability *= float(nearest[pick] / nearest.sum())
        nearest = torch.minimum(nearest, (gradients - gradients[pick]).square().sum(1))
    return probability


@pytest.mark.parametrize("block_size", [2, 64])
def test_the_first_picks_are_distributed_as_those_of_kmeans_plus_plus(block_size: int) -> None:
    pool = make_evidence(5, NEEDS, seed=4, classes=3, dimensions=2)
    _, order = pool.ids.sort()
    by_id = pool.rows(order)
    gradients = materialised(by_id.require(Need.PROBABILITIES), by_id.require(Need.EMBEDDINGS))
    triples = list(itertools.permutations(range(5), 3))
    expected = np.array([plus_plus(gradients, triple) for triple in triples])
    assert expected.sum() == pytest.approx(1)

    draws, strategy, generator = 1500, Badge(block_size), seeded(1)
    found = dict.fromkeys(triples, 0)
    for _ in range(draws):
        ids = strategy.select(pool, None, 3, generator).ids
        found[tuple(torch.searchsorted(by_id.ids, ids).tolist())] += 1
    common = expected * draws >= 5  # the test's rule of thumb; the rest is one cell
    observed = np.array(list(found.values()))
    cells = [np.append(x[common], x[~common].sum()) for x in (observed, expected * draws)]
    assert chisquare(*cells).pvalue > 0.001


def test_scores_are_the_squared_distances_to_the_nearest_earlier_pick() -> None:
    pool = make_evidence(200, NEEDS)
    selection = Badge(16).select(pool, None, 50, seeded())
    rows = torch.stack([(pool.ids == i).nonzero()[0, 0] for i in selection.ids])
    picked = pool.rows(rows)
    full = materialised(picked.require(Need.PROBABILITIES), picked.require(Need.EMBEDDINGS))
    squared = torch.cdist(full, full).square()
    nearest = [float(squared[i, :i].min()) for i in range(1, 50)]
    torch.testing.assert_close(
        selection.scores, torch.tensor([float(full[0].square().sum()), *nearest])
    )


def test_an_image_that_is_classified_for_sure_has_no_gradient_and_is_picked_last() -> None:
    pool = make_evidence(30, NEEDS)
    probabilities = pool.require(Need.PROBABILITIES).clone()
    probabilities[:20] = torch.tensor([1.0, 0, 0, 0, 0])
    sure = Evidence(pool.ids, probabilities, pool.require(Need.EMBEDDINGS))
    chosen = Badge().select(sure, None, 11, seeded()).ids
    # One of them stands for all: the gradients of the others are the same, zero.
    assert sum(i in pool.ids[:20] for i in chosen) == 1


def test_equal_images_are_picked_once_while_there_are_others() -> None:
    pool = make_evidence(10, NEEDS)
    many = pool_of(
        pool.require(Need.PROBABILITIES).repeat(6, 1), pool.require(Need.EMBEDDINGS).repeat(6, 1)
    )
    # At integers, which have no rounding, equal means equal.
    chosen = Badge(8).select(many, None, 10, seeded()).ids
    assert len({int(i) % 10 for i in chosen}) == 10


def test_where_all_are_equal_the_rest_is_drawn_uniformly() -> None:
    pool = pool_of(torch.full((12, 2), 0.5), torch.ones(12, 3))
    generator = seeded()
    counts = torch.zeros(12)
    for _ in range(600):
        counts[Badge().select(pool, None, 4, generator).ids] += 1
    assert chisquare(counts.numpy()).pvalue > 0.001


@pytest.mark.parametrize("scale", [0.0, 1e-20, 1e18])
def test_any_scale_of_embeddings(scale: float) -> None:
    pool = make_evidence(40, NEEDS)
    scaled = Evidence(
        pool.ids, pool.require(Need.PROBABILITIES), pool.require(Need.EMBEDDINGS) * scale
    )
    selection = Badge(8).select(scaled, None, 15, seeded())
    assert len(set(selection.ids.tolist())) == 15
    if scale:
        assert torch.equal(selection.ids, Badge(8).select(pool, None, 15, seeded()).ids)


def test_the_block_size_must_be_positive() -> None:
    with pytest.raises(
        UsageError, match=r"strategy\.block_size must be a whole number of at least 1"
    ):
        Badge(0)
