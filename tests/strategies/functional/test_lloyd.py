from typing import Any

import numpy as np
import pytest
import torch
from sklearn.cluster import KMeans, kmeans_plusplus

from al_lightning.strategies.functional import lloyd as module
from al_lightning.strategies.functional.lloyd import kmeans, lloyd, seeds
from tests.strategies.helpers import seeded


def squares_within(points: torch.Tensor, labels: torch.Tensor, weights: torch.Tensor) -> float:
    total = 0.0
    for label in set(labels.tolist()):
        of = labels == label
        mean = (points[of] * weights[of, None]).sum(0) / weights[of].sum()
        total += float(((points[of] - mean).square().sum(1) * weights[of]).sum())
    return total


@pytest.mark.parametrize("weighted", [False, True])
def test_steps_are_those_of_scikit_learn(weighted: bool) -> None:
    points = torch.randn(5_000, 6, generator=seeded())
    weights = torch.rand(5_000, generator=seeded(1)) + 0.1 if weighted else torch.ones(5_000)
    start = points[:9]
    labels, centers = lloyd(points, start, weights, 3)
    theirs = KMeans(9, init=start.numpy(), n_init=1, max_iter=2, tol=0, algorithm="lloyd")
    theirs.fit(points.numpy(), sample_weight=weights.numpy())
    assert np.array_equal(labels.numpy(), theirs.predict(points.numpy()))
    expected = torch.stack(
        [
            (points[labels == k] * weights[labels == k, None]).sum(0) / weights[labels == k].sum()
            for k in range(9)
        ]
    )
    torch.testing.assert_close(centers, expected)


def test_steps_end_where_nothing_is_gained() -> None:
    points = torch.tensor([[0.0], [1.0], [8.0], [9.0]])
    few, many = (lloyd(points, torch.tensor([[0.0], [1.0]]), torch.ones(4), n) for n in (9, 99))
    assert few[0].tolist() == [0, 0, 1, 1]
    assert few[1].tolist() == many[1].tolist() == [[0.5], [8.5]]


def test_steps_end_where_every_point_is_a_center(monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[int] = []
    product: Any = torch.addmm

    def counted(*given: Any, **options: Any) -> Any:
        taken.append(1)
        return product(*given, **options)

    monkeypatch.setattr(torch, "addmm", counted)
    points = torch.tensor([[0.0], [1.0]])
    assert lloyd(points, points, torch.ones(2), 99)[0].tolist() == [0, 1]
    assert len(taken) == 2


def test_a_center_without_points_stays() -> None:
    points = torch.tensor([[0.0], [1.0]])
    labels, centers = lloyd(points, torch.tensor([[0.5], [100.0]]), torch.ones(2), 9)
    assert labels.tolist() == [0, 0]
    assert centers.tolist() == [[0.5], [100.0]]


def test_seeds_are_points_that_are_far_from_each_other() -> None:
    groups = torch.randn(8, 5, generator=seeded()) * 100
    points = groups.repeat(30, 1) + torch.randn(240, 5, generator=seeded(1))
    found = seeds(points, 8, seeded(2), torch.ones(240))
    assert len(set(torch.cdist(found, groups).argmin(1).tolist())) == 8
    assert (torch.cdist(found, points).amin(1) == 0).all()


def test_weights_draw_seeds() -> None:
    points = torch.tensor([[0.0], [1.0], [50.0]])
    for seed in range(5):
        found = seeds(points, 2, seeded(seed), torch.tensor([1.0, 1.0, 1e-9]))
        assert sorted(found.flatten().tolist()) == [0, 1]


def test_there_may_be_more_seeds_than_distinct_points() -> None:
    points = torch.ones(6, 2)
    assert torch.equal(seeds(points, 6, seeded(), torch.ones(6)), points)


@pytest.mark.parametrize(("count", "least"), [(8, 0), (70, 0), (70, 1_000)])
def test_clusters_are_as_close_as_those_of_scikit_learn(
    count: int, least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    if least:  # with fewer images than there are, and so a second fit on all
        monkeypatch.setattr(module, "_SAMPLE", least)
    points = torch.randn(3_000, 8, generator=seeded()) * torch.logspace(0, -1, 8)
    points = points + 5 * torch.randn(40, 8, generator=seeded(1)).repeat(75, 1)
    weights = torch.ones(len(points))
    ours = squares_within(points, kmeans(points, count, seeded(), weights), weights)
    start, _ = kmeans_plusplus(points.numpy(), count, random_state=0)
    theirs = KMeans(count, init=start, n_init=1).fit(points.numpy()).inertia_
    assert ours < 1.1 * theirs


def test_as_many_clusters_as_points() -> None:
    points = torch.randn(20, 3, generator=seeded())
    assert len(set(kmeans(points, 20, seeded(), torch.ones(20)).tolist())) == 20
