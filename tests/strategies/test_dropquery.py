import pytest
import torch
from torch.nn.functional import normalize, one_hot

from al_lightning.strategies import DropQuery
from al_lightning.strategies.evidence import Evidence
from al_lightning.strategies.functional.clusters import cluster
from al_lightning.utils.errors import UsageError
from tests.strategies.helpers import seeded


def pool_of(flips: list[int], passes: int = 4, rows: torch.Tensor | None = None) -> Evidence:
    """Images of class 0, so many of whose passes are of another class."""
    votes = torch.tensor(
        [[1 + k % 2] * flip + [0] * (passes - flip) for k, flip in enumerate(flips)]
    )
    embeddings = torch.randn(len(flips), 3, generator=seeded()) if rows is None else rows
    sure = one_hot(torch.zeros(len(flips), dtype=torch.int64), 3).float()
    dropped = one_hot(votes, 3).float()
    return Evidence(torch.arange(len(flips)) + 50, sure, embeddings, dropped_features=dropped)


def test_candidates_flip_in_more_than_half_of_the_passes() -> None:
    pool = pool_of([4, 3, 2, 1, 0, 3])
    found = DropQuery(4, factor=1).select(pool, None, 3, seeded())
    assert sorted(found.ids.tolist()) == [50, 51, 55]
    assert found.scores.tolist() == [1, 0.75, 0.75]


def test_the_threshold_is_lowered_until_there_are_enough() -> None:
    strategy = DropQuery(4, factor=2)
    flips = torch.tensor([4, 3, 2, 1, 0, 3])
    assert strategy._candidates(flips, 4, 1).tolist() == [0, 1, 5]  # three flip more than twice
    assert strategy._candidates(flips, 4, 2).tolist() == [0, 1, 2, 5]  # four more than once
    assert strategy._candidates(flips, 4, 9).tolist() == [0, 1, 2, 3, 5]  # never one that does not


def test_candidates_are_clustered_by_direction_and_the_nearest_chosen() -> None:
    rows = torch.randn(40, 3, generator=seeded()) * torch.linspace(1, 50, 40)[:, None]
    pool = pool_of([4] * 30 + [0] * 10, rows=rows)
    found = DropQuery(4).select(pool, None, 5, seeded(3))
    clusters = cluster(normalize(rows[:30]), 5, seeded(3))
    distances = torch.cdist(clusters.rows[:].double(), clusters.centers.double())
    distances[clusters.labels[:, None] != torch.arange(5)] = torch.inf
    assert set((found.ids - 50).tolist()) == set(distances.argmin(0).tolist())


def test_a_shortage_is_drawn() -> None:
    pool = pool_of([0, 0, 1, 0, 4, 0])
    found = DropQuery(4).select(pool, None, 4, seeded())
    assert found.ids[:2].tolist() == [54, 52]
    assert found.scores.tolist() == [1, 0.25, 0, 0]


@pytest.mark.parametrize("key", ["passes", "factor"])
def test_counts_below_one_are_refused(key: str) -> None:
    with pytest.raises(UsageError, match=rf"strategy\.{key}"):
        DropQuery(**{key: 0})
