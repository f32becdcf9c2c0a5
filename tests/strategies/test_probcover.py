import numpy as np
import pytest
import torch

from al_lightning.errors import UsageError
from al_lightning.evidence import Evidence
from al_lightning.strategies import ProbCover
from al_lightning.strategies import probcover as module
from al_lightning.strategies.clusters import cluster, unit_rows
from al_lightning.strategies.probcover import (
    count_reached,
    nearest_center,
    pure_radius,
    shadows,
)
from tests.strategies.helpers import seeded


@pytest.mark.parametrize("known", [0, 7])
@pytest.mark.parametrize(("delta", "rank"), [(0.2, 9), (0.5, 9), (0.2, 1), (0.5, 1)])
def test_it_is_greedy_maximum_coverage(
    known: int, delta: float, rank: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BLOCK", 5)  # so that bounds are stale
    monkeypatch.setattr(module, "_RANK", rank)  # of 1: and not close to begin with
    rows = torch.randn(300, 3, generator=seeded())
    pool, labeled = rows[known:], rows[:known]
    evidence = Evidence(torch.arange(len(pool)), embeddings=pool)
    given = Evidence(1000 + torch.arange(known), embeddings=labeled)
    selection = ProbCover(delta).select(evidence, given, 15, seeded())
    units = unit_rows(pool).double()
    graph = torch.cdist(units, units) <= delta  # the whole of it
    covered = torch.zeros(len(pool), dtype=torch.bool)
    if known:
        covered |= (torch.cdist(units, unit_rows(labeled).double()) <= delta).any(1)
    for pick, score in zip(selection.ids.tolist(), selection.scores.tolist(), strict=True):
        news = (graph & ~covered).sum(1)
        assert int(news[pick]) == int(news.max()) == round(score * len(pool))
        covered |= graph[pick]


@pytest.mark.filterwarnings("ignore:The maximum purity")  # of one radius, which it does not measure
def test_agrees_with_scikit_activeml() -> None:
    prob_cover = pytest.importorskip("skactiveml.pool").ProbCover
    rows = unit_rows(torch.randn(400, 3, generator=seeded(3)))
    labels = np.r_[np.zeros(5), np.full(395, np.nan)]
    reference = prob_cover(random_state=0, n_classes=2, deltas=[0.4], alpha=0.95)
    theirs = reference.query(rows.double().numpy(), labels, batch_size=12)
    pool = Evidence(torch.arange(5, 400), embeddings=rows[5:])
    labeled = Evidence(torch.arange(5), embeddings=rows[:5])
    ours = ProbCover(0.4).select(pool, labeled, 12, seeded()).ids.tolist()
    # Equal counts are decided otherwise; as long as there are none, the picks are the same.
    graph = torch.cdist(rows.double(), rows.double()) <= 0.4

    def covered(picks: list[int]) -> list[int]:
        return [int(graph[[*range(5), *picks[:n]]].any(0).sum()) for n in range(1, 13)]

    assert ours[:3] == [int(i) for i in theirs[:3]]
    assert covered(ours) == pytest.approx(covered([int(i) for i in theirs]), rel=0.02)


def test_what_is_covered_at_once_leaves_the_rest_to_chance() -> None:
    pool = Evidence(torch.arange(30), embeddings=torch.randn(30, 3, generator=seeded()))
    selection = ProbCover(2.0).select(pool, None, 5, seeded())
    assert selection.scores.tolist() == [1, 0, 0, 0, 0]


def test_the_radius_is_the_largest_with_enough_pure_balls() -> None:
    rows = torch.randn(40, 2, generator=seeded())
    labels = (rows[:, 0] > 0).long()
    radius = pure_radius(rows, labels, 0.9, torch.arange(40))
    distances = torch.cdist(rows.double(), rows.double())
    differs = labels[:, None] != labels

    def pure(r: float) -> float:
        return float((~((distances <= r) & differs).any(1)).double().mean())

    assert pure(radius) >= 0.9
    assert pure(radius * (1 + 1e-5)) < 0.9


def test_one_cluster_is_covered_by_one_ball() -> None:
    rows = torch.randn(20, 2, generator=seeded())
    labels = torch.zeros(20, dtype=torch.int64)
    for balls in (torch.arange(20), torch.tensor([7])):
        assert pure_radius(rows, labels, 0.95, balls) >= float(torch.cdist(rows, rows).max())


def test_the_balls_of_some_images_hold_all_images(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = torch.randn(500, 2, generator=seeded())
    labels = (rows[:, 0] > 0).long()
    some = torch.randperm(500, generator=seeded())[:100]
    nearest = torch.cdist(rows, rows).masked_fill(labels[:, None] == labels, torch.inf).amin(1)
    expected = float(nearest[some].sort().values[10])
    for distances in (1, 700, 10**6):  # blocks of a row, of some rows, of all
        monkeypatch.setattr(module, "_DISTANCES", distances)
        assert pure_radius(rows, labels, 0.9, some) == pytest.approx(expected, rel=1e-4)


def test_the_estimated_radius_keeps_balls_pure_in_the_whole_pool(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where few images are clustered, and few balls looked at, they are still balls of the pool."""
    monkeypatch.setattr(module, "_SAMPLE", 400)
    monkeypatch.setattr(module, "_CLUSTERED", 300)
    rows = unit_rows(torch.randn(3000, 3, generator=seeded()))
    radius = ProbCover(clusters=4)._radius(rows, seeded())
    order = torch.randperm(3000, generator=seeded())
    some = rows[order[:300]]
    labels = nearest_center(rows, some, cluster(some, 4, seeded_after(order)).labels)
    distances = torch.cdist(rows, rows).masked_fill(labels[:, None] == labels, torch.inf)
    assert float((distances.amin(1) >= radius).double().mean()) == pytest.approx(0.95, abs=0.04)


def seeded_after(order: torch.Tensor) -> torch.Generator:
    """The generator as it is after drawing an order."""
    generator = seeded()
    torch.randperm(len(order), generator=generator)
    return generator


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_inner_products_of_shadows_are_bounds(decay: float) -> None:
    spectrum = torch.exp(-decay * torch.arange(100))
    rows = unit_rows(torch.randn(300, 100, generator=seeded()) * spectrum)
    short = shadows(rows, 20)
    assert short.shape == (300, 21)
    slack = short @ short.T - rows @ rows.T
    assert slack.min() > -module._SAFE / 2
    assert slack.max() < (1 if decay else 2)  # and where few directions matter, they are close
    assert (slack.diagonal().abs() < module._SAFE).all()


def test_counts_are_those_of_all_pairs(monkeypatch: pytest.MonkeyPatch) -> None:
    rows = torch.randn(50, 3, generator=seeded())
    expected = (rows @ rows[:30].T >= 0.5).sum(1)
    for tile in (7, 1000):
        monkeypatch.setattr(module, "_TILE", tile)
        assert torch.equal(count_reached(rows, rows[:30], 0.5), expected)
    assert count_reached(rows, rows[:0], 0.5).tolist() == [0] * 50


def test_short_rows_are_their_own_shadows() -> None:
    rows = torch.randn(5, 40, generator=seeded())
    assert shadows(rows, 20) is rows


def test_other_images_belong_to_the_nearest_center() -> None:
    some = torch.tensor([[0.0, 0.0], [0.0, 2.0], [9.0, 1.0]])
    rows = torch.tensor([[1.0, 1.0], [8.0, 1.0], [4.4, 1.0], [4.6, 1.0]])
    # Cluster 1 has no rows: its number is passed over.
    found = nearest_center(rows, some, torch.tensor([0, 0, 2]))
    assert found.tolist() == [0, 1, 0, 1]


def test_images_without_direction_are_picked_last() -> None:
    rows = torch.randn(12, 3, generator=seeded())
    rows[3:6] = 0
    pool = Evidence(torch.arange(12), embeddings=rows)
    ids = ProbCover(0.3).select(pool, None, 12, seeded()).ids.tolist()
    assert sorted(ids) == list(range(12))
    assert set(ids[-3:]) <= {3, 4, 5, *ids[-6:]}
    assert not {3, 4, 5} & set(ids[:2])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"delta": 0.0}, r"strategy\.delta must be in \(0, 2\]"),
        ({"clusters": 1}, r"strategy\.clusters must be a whole number of at least 2"),
        ({"purity": 1.5}, r"strategy\.purity must be in \(0, 1\]"),
    ],
)
def test_arguments_out_of_range_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        ProbCover(**options)  # type: ignore[arg-type]
