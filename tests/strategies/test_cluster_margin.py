from typing import Any

import pytest
import torch
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.spatial.distance import pdist

from al_lightning.strategies import ClusterMargin
from al_lightning.strategies import cluster_margin as module
from al_lightning.strategies.cluster_margin import (
    average_linkage,
    nearest_on_average,
    pairwise_distances,
    round_robin,
)
from al_lightning.strategies.evidence import Evidence
from al_lightning.strategies.functional import uncertainty_scores as uncertainty
from al_lightning.utils.errors import UsageError
from tests.strategies.helpers import make_evidence, seeded


def test_average_linkage_by_hand() -> None:
    # Between {0, 1} and {4} the mean distance is 3.5; between {0, 1, 4} and {8} it is 19 / 3.
    rows = torch.tensor([[0.0], [1.0], [4.0], [8.0]])
    for distance, clusters in ((None, 2), (3.5, 9), (6.3, 1)):
        labels = average_linkage(rows, distance, clusters)
        assert labels[0] == labels[1] == labels[2] != labels[3]
    assert int(average_linkage(rows, 6.4, 9).max()) == 0
    assert int(average_linkage(rows, 3.4, 1).max()) == 2


def test_distances_are_those_of_scipy(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = torch.randn(30, 4, generator=seeded())
    for block, offset in ((7, 0.0), (1000, 0.0), (7, 1e4)):
        monkeypatch.setattr(module, "_BLOCK", block)
        expected = pdist((rows + offset).double().numpy())
        assert pairwise_distances(rows + offset) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("scale", [1e-15, 1e15])
def test_the_scale_decides_nothing(scale: float) -> None:
    rows = torch.randn(30, 4, generator=seeded())
    found = average_linkage(rows * scale, None, 6)
    assert torch.equal(found, average_linkage(rows, None, 6))


def test_clusters_take_turns_the_smallest_first() -> None:
    labels = torch.tensor([0, 0, 1, 0, 1, 2])
    assert round_robin(labels).tolist() == [5, 2, 0, 4, 1, 3]


@pytest.mark.parametrize(("distance", "cluster_size"), [(None, 10), (2.0, 10), (None, 3)])
def test_it_is_the_algorithm_of_the_paper(distance: float | None, cluster_size: int) -> None:
    """Clusters of the whole pool by scipy; turns as described, by sizes among the candidates."""
    pool = make_evidence(200)
    pool = pool.rows(pool.ids.argsort())
    assert pool.probabilities is not None
    assert pool.embeddings is not None
    tree = linkage(pdist(pool.embeddings.double().numpy()), method="average")
    labels = (
        fcluster(tree, distance, criterion="distance")
        if distance
        else fcluster(tree, 200 // cluster_size, criterion="maxclust")
    )
    listed = uncertainty.margin(pool.probabilities).argsort(descending=True)[:60].tolist()
    groups: dict[int, set[int]] = {}
    for position in listed:
        groups.setdefault(int(labels[position]), set()).add(int(pool.ids[position]))
    strategy = ClusterMargin(5, distance, cluster_size)
    found = strategy.select(pool, None, 12, seeded()).ids.tolist()
    sizes = sorted(len(group) for group in groups.values())
    cluster_of = {image: c for c, group in groups.items() for image in group}
    taken = [cluster_of[image] for image in found]
    # Every turn takes each cluster once, the smallest first.
    turns: list[int] = []
    for turn in range(max(sizes)):
        turns += [size for size in sizes if size > turn]
    assert [len(groups[c]) for c in taken] == turns[:12]
    counts = [taken.count(c) for c in set(taken)]
    assert max(counts) - min(counts) <= 1 or max(counts) <= 1 + min(
        count for c, count in zip(set(taken), counts, strict=True) if count < len(groups[c])
    )


def test_candidates_alone_give_the_smallest_margin_of_each_cluster() -> None:
    pool = make_evidence(200)
    assert pool.probabilities is not None
    assert pool.embeddings is not None
    listed = uncertainty.margin(pool.probabilities).argsort(descending=True)[:40]
    labels = average_linkage(pool.embeddings[listed], None, 10)
    expected = {int(pool.ids[listed[(labels == c).nonzero()[0, 0]]]) for c in range(10)}
    found = ClusterMargin(4, candidates_only=True).select(pool, None, 10, seeded())
    assert set(found.ids.tolist()) == expected


def test_a_pick_is_a_random_candidate_of_its_cluster() -> None:
    rows = torch.tensor([[0.0], [100.0]]).repeat_interleave(4, 0) + torch.arange(8)[:, None] / 8
    probabilities = torch.tensor([0.5, 0.51, 0.52, 0.53]).repeat(2)
    pool = Evidence(torch.arange(8), torch.stack([probabilities, 1 - probabilities], 1), rows)
    strategy = ClusterMargin(factor=4, distance=20.0)
    found = [strategy.select(pool, None, 2, seeded(i)).ids.sort().values for i in range(400)]
    times = torch.bincount(torch.cat(found), minlength=8)
    assert all(int(ids[0]) < 4 <= int(ids[1]) for ids in found)
    assert (times - 100).abs().max() < 44  # 5 standard deviations


def test_a_large_pool_is_clustered_in_part(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST", 60)
    groups = 50 * torch.randn(4, 3, generator=seeded())
    rows = groups.repeat_interleave(50, 0) + torch.randn(200, 3, generator=seeded(1))
    probabilities = torch.randn(200, 3, generator=seeded()).softmax(1)
    pool = Evidence(torch.arange(200), probabilities, rows)
    ids = ClusterMargin(factor=50, distance=20.0).select(pool, None, 8, seeded()).ids
    assert torch.bincount(ids // 50).tolist() == [2, 2, 2, 2]


def test_the_nearest_cluster_is_nearest_on_average(monkeypatch: pytest.MonkeyPatch) -> None:
    # From 0, cluster 0 is at 1 and 9, 5 on average; cluster 1 at 4.
    others, labels = torch.tensor([[1.0], [9.0], [-4.0]]), torch.tensor([0, 0, 1])
    for numbers in (1, 1000):
        monkeypatch.setattr(module, "_NUMBERS", numbers)
        found = nearest_on_average(torch.tensor([[0.0], [2.0]]), others, labels)
        assert found.tolist() == [1, 0]


def test_only_the_shortlist_is_looked_at() -> None:
    pool = make_evidence(100)
    assert pool.probabilities is not None
    listed = uncertainty.margin(pool.probabilities).argsort(descending=True)[:20]
    ids = ClusterMargin(factor=2).select(pool, None, 10, seeded()).ids
    assert set(ids.tolist()) <= set(pool.ids[listed].tolist())


def test_equal_images_make_one_cluster() -> None:
    probabilities = torch.randn(30, 3, generator=seeded()).softmax(1)
    pool = Evidence(torch.arange(30), probabilities, torch.ones(30, 2))
    ids = ClusterMargin(factor=2).select(pool, None, 5, seeded()).ids
    candidates = uncertainty.margin(probabilities).argsort(descending=True)[:10]
    assert set(ids.tolist()) <= set(candidates.tolist())


@pytest.mark.parametrize(
    ("options", "key"),
    [
        ({"factor": 0}, "factor"),
        ({"cluster_size": 0}, "cluster_size"),
        ({"distance": 0}, "distance"),
    ],
)
def test_arguments_out_of_range_are_refused(options: dict[str, Any], key: str) -> None:
    with pytest.raises(UsageError, match=rf"strategy\.{key} must be"):
        ClusterMargin(**options)
