import numpy as np
import pytest
import torch

from al_lightning.strategies import ProbCover
from al_lightning.strategies import probcover as module
from al_lightning.strategies.evidence import Evidence
from al_lightning.strategies.functional import balls as balls_module
from al_lightning.strategies.functional import coverage
from al_lightning.strategies.functional.balls import Balls
from al_lightning.strategies.functional.cap import Cap
from al_lightning.strategies.functional.clusters import cluster
from al_lightning.strategies.functional.rows import unit_rows
from al_lightning.strategies.probcover import nearest_center, pure_radius
from al_lightning.utils.errors import UsageError
from tests.strategies.helpers import seeded


@pytest.mark.parametrize("known", [0, 7])
@pytest.mark.parametrize(("delta", "rank"), [(0.2, 9), (0.5, 9), (0.2, 1), (0.5, 1)])
def test_it_is_greedy_maximum_coverage(
    known: int, delta: float, rank: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverage, "_BLOCK", 5)  # so that bounds are stale
    monkeypatch.setattr(balls_module, "_RANK", rank)  # of 1: and not close to begin with
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

    assert ours[0] == int(theirs[0])
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
    radius = ProbCover(clusters=4)._radius(rows)
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


def test_other_images_belong_to_the_nearest_center() -> None:
    some = torch.tensor([[0.0, 0.0], [0.0, 2.0], [9.0, 1.0]])
    rows = torch.tensor([[1.0, 1.0], [8.0, 1.0], [4.4, 1.0], [4.6, 1.0]])
    # Cluster 1 has no rows: its number is passed over.
    found = nearest_center(rows, some, torch.tensor([0, 0, 2]))
    assert found.tolist() == [0, 1, 0, 1]


def test_the_radius_and_the_balls_are_kept_as_long_as_the_embeddings_are_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rows = torch.randn(200, 3, generator=seeded())
    made = []

    class Counted(Balls):
        def __init__(self, rows: torch.Tensor, radius: float) -> None:
            made.append(radius)
            super().__init__(rows, radius)

    monkeypatch.setattr(module, "Balls", Counted)
    strategy = ProbCover()
    for known in (0, 10, 60):  # one round after the other, and each by a process of its own
        pool = Evidence(torch.arange(known, 200), embeddings=rows[known:])
        labeled = Evidence(torch.arange(known), embeddings=rows[:known])
        found = strategy.select(pool, labeled, 20, seeded(known))
        alone = ProbCover().select(pool, labeled, 20, seeded(known))
        assert torch.equal(found.ids, alone.ids)
    assert len(made) == 4
    assert len(set(made)) == 1
    strategy.select(Evidence(torch.arange(200), embeddings=rows + 1), None, 5, seeded())
    assert len(made) == 5


@pytest.mark.parametrize("delta", [0.3, 1.5, 2.0, None])
def test_images_without_direction_are_in_no_ball(delta: float | None) -> None:
    rows = torch.randn(12, 3, generator=seeded())
    rows[3:6] = 0
    pool = Evidence(torch.arange(12), embeddings=rows)
    found = ProbCover(delta).select(pool, None, 12, seeded())
    assert sorted(found.ids.tolist()) == list(range(12))
    covering = found.ids[found.scores > 0].tolist()
    assert not {3, 4, 5} & set(covering)
    assert float(found.scores.sum()) == pytest.approx(9 / 12)  # and nobody covers them


def test_a_labeled_image_without_direction_covers_nothing() -> None:
    rows = torch.randn(30, 3, generator=seeded())
    pool = Evidence(torch.arange(30), embeddings=rows)
    labeled = Evidence(torch.tensor([99]), embeddings=torch.zeros(1, 3))
    alone, beside = (ProbCover(1.5).select(pool, k, 5, seeded()) for k in (None, labeled))
    assert torch.equal(alone.ids, beside.ids)
    assert torch.equal(alone.scores, beside.scores)


def test_images_without_direction_alone_are_drawn() -> None:
    pool = Evidence(torch.arange(9), embeddings=torch.zeros(9, 3))
    assert ProbCover().select(pool, None, 4, seeded()).scores.tolist() == [0, 0, 0, 0]


def test_units_that_are_always_zero_change_nothing() -> None:
    """The float32 eigendecomposition of so many equal eigenvalues ends in an error."""
    rows = torch.randn(400, 160, generator=seeded()).relu()
    padded = torch.zeros(400, 640)
    padded[:, torch.randperm(640, generator=seeded())[:160]] = rows
    plain, dead = (
        ProbCover(1.0).select(Evidence(torch.arange(400), embeddings=r), None, 20, seeded())
        for r in (rows, padded)
    )
    assert torch.equal(plain.scores, dead.scores)


@pytest.mark.parametrize("offset", [0.0, 300.0, 3000.0, 30_000.0])
def test_a_small_cap_of_the_sphere_is_covered_as_exactly_as_all_of_it(offset: float) -> None:
    rows = torch.randn(400, 5, generator=seeded()) + offset
    units = rows.double() / rows.double().norm(dim=1, keepdim=True)
    distances = (units[:, None] - units).norm(dim=2)
    delta = float(distances.flatten().kthvalue(400 * 20).values) * (1 + 1e-3)
    evidence = Evidence(torch.arange(400), embeddings=rows)
    found = ProbCover(delta).select(evidence, None, 10, seeded())
    within, covered = distances <= delta, torch.zeros(400, dtype=torch.bool)
    for pick, score in zip(found.ids.tolist(), found.scores.tolist(), strict=True):
        news = (within & ~covered).sum(1)
        assert int(news[pick]) == int(news.max()) == round(score * 400)
        covered |= within[pick]


@pytest.mark.parametrize("offset", [300.0, 1000.0, 3000.0])
def test_an_estimated_radius_is_as_pure_as_it_should_be_at_any_offset(offset: float) -> None:
    groups = torch.randn(10, 8, generator=seeded()).repeat_interleave(60, 0)
    rows = groups + 0.2 * torch.randn(600, 8, generator=seeded(1)) + offset
    cap = Cap(rows)
    points = cap.place(rows)
    radius = ProbCover()._radius(points)
    order = torch.randperm(600, generator=seeded())
    labels = cluster(points[order], 10, seeded_after(order)).labels[order.argsort()]
    within = torch.cdist(points.double(), points.double()) <= radius
    pure = ~(within & (labels[:, None] != labels)).any(1)
    assert float(pure.double().mean()) >= 0.95
    assert radius > 0


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


def test_equal_balls_are_taken_in_a_random_order() -> None:
    """Folders list their images class by class: the first of equals would be of one class."""
    pool = Evidence(torch.arange(200), embeddings=torch.randn(200, 8, generator=seeded()))
    chosen = [ProbCover(1e-3).select(pool, None, 20, seeded(i)).ids for i in (0, 0, 1)]
    assert chosen[0].equal(chosen[1])
    assert not chosen[0].equal(chosen[2])
    assert all(bool((ids >= 100).any()) for ids in chosen)  # by chance one in a million
