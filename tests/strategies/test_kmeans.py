import torch

from al_lightning.strategies import KMeansCenters
from al_lightning.strategies.evidence import Evidence
from al_lightning.strategies.functional.clusters import cluster
from tests.strategies.helpers import make_evidence, seeded


def test_the_picks_are_the_nearest_to_the_centers_of_scikit_learn() -> None:
    pool = make_evidence(200)
    _, order = pool.ids.sort()
    by_id = pool.rows(order)
    clusters = cluster(by_id.embeddings, 12, seeded(3))  # type: ignore[arg-type]
    distances = torch.cdist(clusters.rows[:].double(), clusters.centers.double())
    distances[clusters.labels[:, None] != torch.arange(12)] = torch.inf
    selection = KMeansCenters().select(pool, None, 12, seeded(3))
    assert set(selection.ids.tolist()) == set(by_id.ids[distances.argmin(0)].tolist())
    sizes = clusters.sizes().sort(descending=True).values
    torch.testing.assert_close(selection.scores, sizes / 200)


def test_groups_give_one_each_and_the_largest_comes_first() -> None:
    groups = torch.tensor([[0.0, 0], [50, 0], [0, 50]]).repeat_interleave(
        torch.tensor([3, 9, 5]), 0
    )
    noise = 0.1 * torch.randn(17, 2, generator=seeded())
    pool = Evidence(torch.arange(17), embeddings=groups + noise)
    ids = KMeansCenters().select(pool, None, 3, seeded()).ids.tolist()
    assert [3 <= ids[0] < 12, ids[1] >= 12, ids[2] < 3] == [True, True, True]


def test_equal_images_leave_clusters_empty_and_the_rest_is_drawn() -> None:
    pool = Evidence(torch.arange(20), embeddings=torch.eye(2).repeat(10, 1))
    selection = KMeansCenters().select(pool, None, 6, seeded())
    assert {int(i) % 2 for i in selection.ids[:2]} == {0, 1}
    assert selection.scores.tolist() == [0.5, 0.5, 0, 0, 0, 0]


def test_an_image_counts_by_its_weight() -> None:
    rows = torch.tensor([[0.0], [1.0], [4.0], [10.0]])
    even = Evidence(torch.arange(4), embeddings=rows)
    weighed = Evidence(even.ids, embeddings=rows, weights=torch.tensor([0.0, 0.1, 0.1, 5.0]))
    assert KMeansCenters().select(even, None, 1, seeded()).ids.tolist() == [2]  # nearest to 3.75
    assert KMeansCenters().select(weighed, None, 1, seeded()).ids.tolist() == [3]  # to 9.7
