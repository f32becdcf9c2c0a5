import pytest
import torch

from al_lightning.errors import UsageError
from al_lightning.evidence import Evidence
from al_lightning.strategies import ProbCover
from al_lightning.strategies import probcover as module
from al_lightning.strategies.clusters import unit_rows
from al_lightning.strategies.probcover import pure_radius
from tests.strategies.helpers import seeded


@pytest.mark.parametrize("known", [0, 7])
@pytest.mark.parametrize("delta", [0.2, 0.5])
def test_it_is_greedy_maximum_coverage(
    known: int, delta: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_BLOCK", 5)  # so that bounds are stale
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


def test_what_is_covered_at_once_leaves_the_rest_to_chance() -> None:
    pool = Evidence(torch.arange(30), embeddings=torch.randn(30, 3, generator=seeded()))
    selection = ProbCover(2.0).select(pool, None, 5, seeded())
    assert selection.scores.tolist() == [1, 0, 0, 0, 0]


def test_the_radius_is_the_largest_with_enough_pure_balls() -> None:
    rows = torch.randn(40, 2, generator=seeded())
    labels = (rows[:, 0] > 0).long()
    radius = pure_radius(rows, labels, 0.9)
    distances = torch.cdist(rows.double(), rows.double())
    differs = labels[:, None] != labels

    def pure(r: float) -> float:
        return float((~((distances <= r) & differs).any(1)).double().mean())

    assert pure(radius) >= 0.9
    assert pure(radius * (1 + 1e-5)) < 0.9


def test_one_cluster_is_covered_by_one_ball() -> None:
    rows = torch.randn(20, 2, generator=seeded())
    radius = pure_radius(rows, torch.zeros(20, dtype=torch.int64), 0.95)
    assert radius == pytest.approx(float(torch.cdist(rows, rows).max()), rel=1e-5)


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
