import statistics

import pytest
import torch
from sklearn.cluster import KMeans

from al_lightning.strategies.functional import clusters as module
from al_lightning.strategies.functional.clusters import (
    Centered,
    Clusters,
    cluster,
    fill_empty,
)
from al_lightning.strategies.functional.rows import squared_distances
from tests.strategies.helpers import seeded


class AsTheyAre(Centered):
    """Rows that are neither centered nor scaled."""

    def __getitem__(self, at: slice | torch.Tensor | int) -> torch.Tensor:
        return self._rows[at].clone()


def three_groups() -> torch.Tensor:
    centers = torch.tensor([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    return centers.repeat_interleave(8, 0) + 0.1 * torch.randn(24, 2, generator=seeded())


@pytest.mark.parametrize("scale", [1.0, 1e-20, 1e30])
def test_groups_are_found_at_any_scale(scale: float) -> None:
    clusters = cluster(three_groups() * scale, 3, seeded())
    assert clusters.sizes().tolist() == [8, 8, 8]
    assert all(len(set(clusters.labels[i : i + 8].tolist())) == 1 for i in (0, 8, 16))
    nearest = squared_distances(clusters.rows[:], clusters.centers).argmin(1)
    assert torch.equal(nearest, clusters.labels)


def test_many_clusters_are_found_in_batches() -> None:
    clusters = cluster(torch.randn(300, 4, generator=seeded()), 60, seeded())
    assert len(clusters) == 60
    assert int(clusters.sizes().sum()) == 300


@pytest.mark.parametrize(("images", "count"), [(300, 150), (300, 290), (100, 100), (400, 51)])
def test_no_cluster_is_empty_while_there_are_images(images: int, count: int) -> None:
    rows = torch.randn(images, 8, generator=seeded()).relu()
    clusters = cluster(rows, count, seeded())
    assert int(clusters.sizes().min()) >= 1
    assert int(clusters.sizes().sum()) == images


def test_equal_images_leave_only_so_many_clusters_empty_as_they_must() -> None:
    rows = torch.randn(70, 3, generator=seeded()).repeat(2, 1)
    assert int((cluster(rows, 90, seeded()).sizes() == 0).sum()) == 90 - 70


def test_empty_clusters_take_the_farthest_images() -> None:
    # Of cluster 0 at 0, image 9 is the farthest, and takes 8 along; 0 and 1 stay, then -4 is farthest.
    rows = torch.tensor([[0.0], [1.0], [8.0], [9.0], [-4.0]])
    centers = torch.tensor([[0.0], [50.0], [60.0]])
    filled = fill_empty(Clusters(torch.zeros(5, dtype=torch.int64), centers, AsTheyAre(rows)))
    assert filled.centers.squeeze(1).tolist() == [0, -4, 9]
    assert filled.labels.tolist() == [0, 0, 2, 2, 1]


def test_a_cluster_that_loses_all_its_images_is_filled_again() -> None:
    # Image 5 leaves its far center 20 for the new one at 6, and its cluster takes the image at -3.
    rows = torch.tensor([[0.0], [5.0], [6.0], [-3.0]])
    centers = torch.tensor([[0.0], [9.0], [70.0]])
    filled = fill_empty(Clusters(torch.tensor([0, 1, 0, 0]), centers, AsTheyAre(rows)))
    assert filled.labels.tolist() == [0, 2, 2, 1]
    assert int(filled.sizes().min()) == 1


@pytest.mark.parametrize("count", [6, 60])
def test_the_offset_decides_nothing(count: int) -> None:
    rows = torch.randint(-50, 50, (200, 4), generator=seeded()).float()  # so that sums are exact
    near, far = (cluster(rows + offset, count, seeded()) for offset in (0.0, 2.0**16))
    assert torch.equal(near.labels, far.labels)
    assert torch.equal(near.rows[:], far.rows[:])


def test_rows_are_centered_and_scaled() -> None:
    rows = torch.tensor([[1e30, 5.0], [3e30, 5.0]])
    found = Centered(rows)
    torch.testing.assert_close(found[:], torch.tensor([[-1.0, 0.0], [1.0, 0.0]]))
    assert torch.equal(found[torch.tensor([1])][0], found[1])
    assert Centered(torch.ones(3, 2))[:].tolist() == [[0, 0]] * 3
    assert Centered(rows[:0])[:].shape == (0, 2)


def test_rows_of_float16_are_centered_in_float32() -> None:
    rows = torch.randn(50, 3, generator=seeded()).half()
    assert torch.equal(Centered(rows)[:], Centered(rows.float())[:])


def test_rows_are_centered_block_by_block(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SUMMED", 7)
    rows = torch.randn(50, 3, generator=seeded()) + 100
    found = Centered(rows)
    assert [at.stop - at.start for at in found.blocks(20)] == [20, 20, 20]
    shifted = rows.double() - rows.double().mean(0)
    torch.testing.assert_close(found[:].double(), shifted / shifted.abs().max(), rtol=0, atol=1e-5)
    centers, labels = torch.randn(4, 3, generator=seeded()), torch.arange(50) % 4
    expected = (found[:] - centers[labels]).double().square().sum(1)
    torch.testing.assert_close(found.squares_to(centers, labels), expected, rtol=1e-5, atol=1e-7)


def test_a_center_is_the_weighted_mean() -> None:
    rows, weights = torch.randn(40, 3, generator=seeded()), torch.rand(40, generator=seeded(1))
    clusters = cluster(rows, 1, seeded(), weights)
    expected = (clusters.rows[:] * weights[:, None]).sum(0) / weights.sum()
    torch.testing.assert_close(clusters.centers[0], expected, rtol=1e-4, atol=1e-6)
    assert clusters.shares(weights).tolist() == [1.0]


def test_shares_are_those_of_weights() -> None:
    clusters = Clusters(torch.tensor([0, 2, 2]), torch.zeros(3, 1), AsTheyAre(torch.zeros(3, 1)))
    assert clusters.shares().tolist() == pytest.approx([1 / 3, 0, 2 / 3])
    assert clusters.shares(torch.tensor([6.0, 1.0, 1.0])).tolist() == pytest.approx([0.75, 0, 0.25])


@pytest.mark.parametrize("count", [5, 60])
def test_weights_of_zero_are_no_weights(count: int) -> None:
    rows = torch.randn(90, 3, generator=seeded())
    even, none = (cluster(rows, count, seeded(), w) for w in (torch.zeros(90), None))
    assert torch.equal(even.labels, none.labels)


@pytest.mark.parametrize("count", [5, 60])
def test_few_images_may_have_all_the_weight(count: int) -> None:
    weights = torch.zeros(90)
    weights[7] = 1e30
    clusters = cluster(torch.randn(90, 3, generator=seeded()), count, seeded(), weights)
    assert clusters.centers.isfinite().all()
    assert int(clusters.sizes().min()) >= 1


def test_the_generator_decides() -> None:
    rows = torch.randn(100, 3, generator=seeded())
    one, again, other = (cluster(rows, 9, seeded(s)).labels for s in (0, 0, 1))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)


def test_equal_rows_warn_of_nothing(recwarn: pytest.WarningsRecorder) -> None:
    cluster(torch.ones(30, 2), 4, seeded())
    cluster(torch.zeros(90, 2), 60, seeded())
    assert not list(recwarn)


def _wide(images: int) -> torch.Tensor:
    """Return images of 200 dimensions whose variance falls from axis to axis."""
    coordinates = torch.randn(images, 200, generator=seeded()) * torch.logspace(0, -2, 200)
    turned: torch.Tensor = torch.linalg.qr(torch.randn(200, 200, generator=seeded(1))).Q
    return coordinates @ turned + 3


def _within(clusters: Clusters) -> float:
    return float(clusters.squares_to_own_center().sum())


@pytest.mark.parametrize("weighted", [False, True])
def test_of_many_dimensions_the_main_ones_decide_and_all_make_the_centers(weighted: bool) -> None:
    rows = _wide(300)
    weights = torch.rand(300, generator=seeded(2)) if weighted else None
    clusters = cluster(rows, 10, seeded(), weights)
    torch.testing.assert_close(clusters.rows[:], Centered(rows)[:])
    parts = torch.ones(300) if weights is None else weights
    for label in range(10):
        members = clusters.labels == label
        expected = (rows * parts[:, None])[members].sum(0) / parts[members].sum()
        found = clusters.centers[label] * float((rows - rows.mean(0)).abs().max()) + rows.mean(0)
        torch.testing.assert_close(found, expected, atol=1e-4, rtol=1e-4)


def test_principal_axes_lose_next_to_nothing() -> None:
    rows = _wide(600)
    found = statistics.median(_within(cluster(rows, 12, seeded(s))) for s in range(3))
    exact = statistics.median(
        float(KMeans(12, n_init=1, random_state=s).fit(Centered(rows)[:].numpy()).inertia_)
        for s in range(3)
    )
    assert found == pytest.approx(exact, rel=0.02)
