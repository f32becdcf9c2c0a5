import pytest
import torch

from al_lightning.strategies.clusters import cluster, squared_distances, unit_rows
from tests.strategies.helpers import seeded


def three_groups() -> torch.Tensor:
    centers = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    return centers.repeat_interleave(8, 0) + 0.1 * torch.randn(24, 2, generator=seeded())


@pytest.mark.parametrize("scale", [1.0, 1e-20, 1e30])
def test_groups_are_found_at_any_scale(scale: float) -> None:
    clusters = cluster(three_groups() * scale, 3, seeded())
    assert clusters.sizes().tolist() == [8, 8, 8]
    assert all(len(set(clusters.labels[i : i + 8].tolist())) == 1 for i in (0, 8, 16))
    nearest = squared_distances(clusters.rows, clusters.centers).argmin(1)
    assert torch.equal(nearest, clusters.labels)


def test_many_clusters_are_found_in_batches() -> None:
    clusters = cluster(torch.randn(300, 4, generator=seeded()), 60, seeded())
    assert len(clusters) == 60
    assert int(clusters.sizes().sum()) == 300


def test_the_generator_decides() -> None:
    rows = torch.randn(100, 3, generator=seeded())
    one, again, other = (cluster(rows, 9, seeded(s)).labels for s in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_equal_rows_warn_of_nothing(recwarn: pytest.WarningsRecorder) -> None:
    cluster(torch.ones(30, 2), 4, seeded())
    cluster(torch.zeros(90, 2), 60, seeded())
    assert not list(recwarn)


def test_unit_rows_have_length_one_whatever_they_had() -> None:
    rows = torch.tensor([[3.0, 4.0], [3e-30, 4e-30], [3e30, -4e30], [0.0, 0.0]])
    expected = torch.tensor([[0.6, 0.8], [0.6, 0.8], [0.6, -0.8], [0.0, 0.0]])
    torch.testing.assert_close(unit_rows(rows), expected)


def test_squared_distances() -> None:
    one, other = (torch.randn(n, 5, generator=seeded(n)) for n in (4, 6))
    expected = torch.cdist(one.double(), other.double()).square()
    torch.testing.assert_close(squared_distances(one, other), expected)
