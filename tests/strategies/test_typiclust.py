import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from al_lightning.strategies import TypiClust
from al_lightning.strategies.evidence import Evidence
from al_lightning.strategies.functional.clusters import cluster
from al_lightning.strategies.functional.rows import unit_rows
from al_lightning.strategies.typiclust import cluster_turns, typicality
from al_lightning.utils.errors import UsageError
from tests.strategies.helpers import make_evidence, seeded


def test_typicality_is_that_of_scikit_learns_neighbors() -> None:
    rows = torch.randn(50, 4, generator=seeded())
    distances, _ = NearestNeighbors(n_neighbors=8).fit(rows.numpy()).kneighbors()  # without itself
    expected = 1 / (torch.from_numpy(distances).double().square().mean(1) + 1e-5)
    torch.testing.assert_close(typicality(rows, 8), expected, rtol=1e-5, atol=0)


def test_typicality_by_hand() -> None:
    """Of squared distances; of half of the images where there are fewer than twice the neighbors."""
    rows = torch.tensor([[0.0], [1.0], [3.0], [4.0], [9.0]])
    nearest_two = [(1 + 9) / 2, (1 + 4) / 2, (1 + 4) / 2, (1 + 9) / 2, (25 + 36) / 2]
    for neighbors in (2, 20):
        found = typicality(rows, neighbors).tolist()
        assert found == pytest.approx([1 / (mean + 1e-5) for mean in nearest_two])


def test_typicality_is_finite_where_images_are_equal_or_alone() -> None:
    assert typicality(torch.ones(3, 2), 2).tolist() == pytest.approx([1e5] * 3)
    assert typicality(torch.ones(1, 2), 2).tolist() == pytest.approx([1e5])


def groups(sizes: list[int]) -> torch.Tensor:
    """Groups in orthogonal directions; the first image of each is its middle."""
    parts = []
    for i, size in enumerate(sizes):
        noise = 0.2 * torch.randn(size, len(sizes), generator=seeded(i))
        noise[0] = noise.mean(0) if size > 1 else 0
        parts.append(torch.eye(len(sizes))[i] + noise)
    return torch.cat(parts)


def test_the_largest_clusters_without_labels_come_first() -> None:
    rows = groups([20, 40, 30])
    labeled = Evidence(torch.tensor([1000]), embeddings=torch.tensor([[0.0, 1.0, 0.0]]))
    pool = Evidence(torch.arange(90), embeddings=rows)
    ids = TypiClust().select(pool, labeled, 2, seeded()).ids.tolist()  # three clusters in all
    assert 60 <= ids[0] < 90  # the second group, the largest, has a label
    assert 0 <= ids[1] < 20


@pytest.mark.parametrize(("count", "max_clusters"), [(10, 500), (40, 12)])
def test_a_reference_that_follows_the_authors_program_line_by_line(
    count: int, max_clusters: int
) -> None:
    pool, labeled = make_evidence(150), make_evidence(15, seed=1)
    pool = pool.rows(pool.ids.argsort())
    known = Evidence(labeled.ids + 10**6, embeddings=labeled.embeddings)
    known = known.rows(known.ids.argsort())
    assert known.embeddings is not None
    assert pool.embeddings is not None
    rows = unit_rows(torch.cat([known.embeddings, pool.embeddings]))
    k = min(15 + count, max_clusters)
    labels = cluster(rows, k, seeded(5)).labels.clone()
    sizes = torch.bincount(labels, minlength=k).tolist()
    has = torch.bincount(labels[:15], minlength=k).tolist()
    order = sorted((c for c in range(k) if sizes[c] > 5), key=lambda c: (has[c], -sizes[c], c))
    labels[:15] = -1
    expected = []
    for turn in range(count):
        members = (labels == order[turn % len(order)]).nonzero().squeeze(1)
        squares = torch.cdist(rows[members].double(), rows[members].double()).square()
        nearest = squares.sort(1).values[:, 1 : 1 + min(20, len(members) // 2)]  # 0 is itself
        best = members[(1 / (nearest.mean(1) + 1e-5)).argmax()]
        expected.append(int(pool.ids[best - 15]))
        labels[best] = -1
    strategy = TypiClust(max_clusters=max_clusters)
    assert strategy.select(pool, known, count, seeded(5)).ids.tolist() == expected


def test_clusters_come_by_labels_then_size_and_small_ones_last() -> None:
    sizes, labeled = torch.tensor([9, 7, 2, 8, 3]), torch.tensor([1, 0, 0, 0, 3])
    # 3 and 1 have no labels, 0 has one; when they are used up, 2; 4 has nothing left.
    turns = cluster_turns(sizes, labeled, min_size=4).tolist()
    assert turns[:6] == [3, 1, 0, 3, 1, 0]
    assert turns[-3:] == [0, 2, 2] or turns[-3:] == [3, 2, 2]
    assert [turns.count(c) for c in range(5)] == [8, 7, 2, 8, 0]


@pytest.mark.parametrize("name", ["neighbors", "max_clusters", "min_size"])
def test_counts_must_be_positive(name: str) -> None:
    with pytest.raises(UsageError, match=rf"strategy\.{name} must be a whole number"):
        TypiClust(**{name: 0})
