import pytest
import torch
from sklearn.neighbors import NearestNeighbors

from al_lightning.errors import UsageError
from al_lightning.evidence import Evidence
from al_lightning.strategies import TypiClust
from al_lightning.strategies.clusters import cluster, unit_rows
from al_lightning.strategies.typiclust import typicality
from tests.strategies.helpers import make_evidence, seeded


def test_typicality_is_that_of_scikit_learns_neighbors() -> None:
    rows = torch.randn(50, 4, generator=seeded())
    distances, _ = NearestNeighbors(n_neighbors=8).fit(rows.numpy()).kneighbors()  # without itself
    torch.testing.assert_close(
        typicality(rows, 8), torch.from_numpy(1 / distances.mean(1)).double(), rtol=1e-5, atol=0
    )


def test_typicality_by_hand() -> None:
    rows = torch.tensor([[0.0], [1.0], [3.0]])
    assert typicality(rows, 1).tolist() == [1.0, 1.0, 0.5]
    assert typicality(rows, 9).tolist() == pytest.approx([0.5, 1 / 1.5, 0.4])


def test_typicality_is_finite_where_images_are_equal_or_alone() -> None:
    assert typicality(torch.ones(3, 2), 2).float().isfinite().all()
    assert typicality(torch.ones(1, 2), 2).float().isfinite().all()


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


def test_a_reference_that_follows_the_paper_line_by_line() -> None:
    pool, labeled = make_evidence(120), make_evidence(15, seed=1)
    pool = pool.rows(pool.ids.argsort())
    count, generator = 10, seeded(5)
    known = Evidence(labeled.ids + 10**6, embeddings=labeled.embeddings)
    known = known.rows(known.ids.argsort())
    assert known.embeddings is not None
    assert pool.embeddings is not None
    rows = unit_rows(torch.cat([known.embeddings, pool.embeddings]))
    clusters = cluster(rows, 25, seeded(5))
    taken = list(range(15))
    expected = []
    for _ in range(count):
        sizes = clusters.sizes()
        has = torch.bincount(clusters.labels[taken], minlength=25)
        candidates = [
            (bool(sizes[c] < 5), int(has[c]), -int(sizes[c]), c)
            for c in range(25)
            if sizes[c] > has[c]
        ]
        members = (clusters.labels == min(candidates)[-1]).nonzero().squeeze(1)
        values = typicality(clusters.rows[members], 20)
        order = values.argsort(descending=True).tolist()
        best = next(int(members[i]) for i in order if int(members[i]) not in taken)
        taken.append(best)
        expected.append(int(pool.ids[best - 15]))
    found = TypiClust().select(pool, known, count, generator).ids.tolist()
    assert found == expected


@pytest.mark.parametrize("name", ["neighbors", "max_clusters", "min_size"])
def test_counts_must_be_positive(name: str) -> None:
    with pytest.raises(UsageError, match=rf"strategy\.{name} must be a whole number"):
        TypiClust(**{name: 0})
