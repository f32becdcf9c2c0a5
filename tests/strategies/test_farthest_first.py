"""Farthest-first traversal against the plain greedy algorithm on all distances, in float64."""

from collections import Counter

import numpy as np
import numpy.typing as npt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from al_lightning.strategies import (
    Cosine,
    Euclidean,
    FarthestFirst,
    Metric,
    Selection,
    SymmetricKL,
    farthest_first,
)
from al_lightning.strategies.evidence import Evidence, Need
from al_lightning.utils.errors import UsageError
from tests.strategies.helpers import make_evidence, seeded

METRICS = [Euclidean(), Cosine(), SymmetricKL()]
Array = npt.NDArray[np.float64]


def euclidean(x: Array, y: Array) -> Array:
    scale = max(np.abs(x).max(), np.abs(y).max(initial=0), 1e-300)  # as hypot does it
    found: Array = np.linalg.norm(x[:, None] / scale - y / scale, axis=2) * scale
    return found


def cosine(x: Array, y: Array) -> Array:
    found: Array = 1 - (x @ y.T) / np.linalg.norm(x, axis=1)[:, None] / np.linalg.norm(y, axis=1)
    return found


def symmetric_kl(x: Array, y: Array) -> Array:
    p, q = np.maximum(x, 1e-6)[:, None], np.maximum(y, 1e-6)[None]
    found: Array = ((p - q) * (np.log(p) - np.log(q))).sum(2) / 2
    return found


BRUTE_FORCE = {Euclidean: euclidean, Cosine: cosine, SymmetricKL: symmetric_kl}


def all_distances(metric: Metric, pool: Tensor, centers: Tensor) -> Array:
    return BRUTE_FORCE[type(metric)](pool.double().numpy(), centers.double().numpy())


def greedy(metric: Metric, pool: Tensor, labeled: Tensor, count: int) -> tuple[list[int], Array]:
    """The plain algorithm; needs a labeled set and no ties."""
    nearest = all_distances(metric, pool, labeled).min(1)
    between = all_distances(metric, pool, pool)
    picks, scores = [], []
    for _ in range(count):
        pick = int(nearest.argmax())
        picks.append(pick)
        scores.append(nearest[pick])
        nearest = np.minimum(nearest, between[pick])
        nearest[pick] = -np.inf
    return picks, np.array(scores)


def evidence(metric: Metric, values: Tensor, first_id: int = 0) -> Evidence:
    ids = first_id + 3 * torch.arange(len(values))
    return Evidence(ids, **{metric.need.value: values})


def select(
    metric: Metric, pool: Tensor, labeled: Tensor | None, count: int, block_size: int = 5
) -> Selection:
    strategy = FarthestFirst(metric, block_size=block_size)
    known = None if labeled is None else evidence(metric, labeled)
    return strategy.select(evidence(metric, pool, first_id=50), known, count, seeded())


def positions(selection: Selection) -> list[int]:
    return ((selection.ids - 50) // 3).tolist()


def check_greedy(
    metric: Metric, pool: Tensor, labeled: Tensor, selection: Selection, tolerance: float
) -> None:
    """Replay a selection and check each pick; ties may have been decided either way."""
    nearest = np.full(len(pool), np.inf)
    if len(labeled):
        nearest = all_distances(metric, pool, labeled).min(1)
    between = all_distances(metric, pool, pool)
    left = np.ones(len(pool), dtype=bool)
    for pick, score in zip(positions(selection), selection.scores.tolist(), strict=True):
        assert left[pick]
        assert nearest[pick] >= nearest[left].max() - tolerance
        if np.isfinite(nearest[pick]):
            assert score == pytest.approx(nearest[pick], abs=tolerance, rel=1e-6)
        left[pick] = False
        nearest = np.minimum(nearest, between[pick])


def values_for(metric: Metric, count: int, seed: int) -> Tensor:
    return make_evidence(count, seed=seed, classes=6).require(metric.need)


@pytest.mark.parametrize("metric", METRICS)
def test_needs_come_from_the_metric(metric: Metric) -> None:
    strategy = FarthestFirst(metric)
    assert strategy.needs == strategy.labeled_needs == {metric.need}


@pytest.mark.parametrize("block_size", [16, 100, 1024])
@pytest.mark.parametrize("metric", METRICS)
def test_equals_plain_greedy(metric: Metric, block_size: int) -> None:
    # More labeled images than one block of centers, whatever the block size.
    pool, labeled = values_for(metric, 200, 0), values_for(metric, 300, 1)
    picks, scores = greedy(metric, pool, labeled, 60)
    found = select(metric, pool, labeled, 60, block_size)
    assert positions(found) == picks
    np.testing.assert_allclose(found.scores, scores, rtol=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_equals_plain_greedy_to_the_last_image(metric: Metric) -> None:
    pool, labeled = values_for(metric, 80, 2), values_for(metric, 1, 3)
    assert positions(select(metric, pool, labeled, 80)) == greedy(metric, pool, labeled, 80)[0]


@pytest.mark.parametrize("metric", METRICS)
def test_without_labeled_set_starts_anywhere(metric: Metric) -> None:
    pool = values_for(metric, 60, 4)
    found = select(metric, pool, None, 20)
    first = positions(found)[0]
    assert positions(found)[1:] == greedy(metric, pool, pool[first : first + 1], 19)[0]
    assert (
        found.scores[0]
        == found.scores[1]
        == pytest.approx(all_distances(metric, pool, pool[first : first + 1]).max(), rel=1e-6)
    )


def test_first_pick_without_labeled_set_is_drawn_uniformly() -> None:
    pool, generator = evidence(Euclidean(), torch.eye(4)), seeded()
    strategy = FarthestFirst(Euclidean())
    draws = [strategy.select(pool, None, 1, generator) for _ in range(800)]
    counts = Counter(int(draw.ids) for draw in draws)
    assert counts.keys() == set(pool.ids.tolist())
    assert all(abs(times - 200) < 62 for times in counts.values())  # 5 standard deviations
    assert draws[0].scores.tolist() == [0]


def test_agrees_with_scikit_activeml() -> None:
    core_set = pytest.importorskip("skactiveml.pool").CoreSet
    pool, labeled = values_for(Euclidean(), 150, 5), values_for(Euclidean(), 40, 6)
    labels = np.r_[np.zeros(40), np.full(150, np.nan)]
    reference = core_set(random_state=0).query(
        torch.cat([labeled, pool]).double().numpy(), labels, batch_size=30
    )
    found = select(Euclidean(), pool, labeled, 30)
    assert positions(found) == [int(index) - 40 for index in reference]


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("labeled_count", [0, 3])
def test_duplicates_are_picked_once_each_and_last(metric: Metric, labeled_count: int) -> None:
    distinct = values_for(metric, 4, 7)
    pool = distinct.repeat(10, 1)
    labeled = distinct[:labeled_count]
    found = select(metric, pool, labeled if labeled_count else None, 40)
    assert sorted(positions(found)) == list(range(40))
    kinds = [position % 4 for position in positions(found)][: 4 - labeled_count]
    assert sorted(kinds) == list(range(labeled_count, 4))
    assert found.scores[4 - labeled_count :].max() < 1e-6


def test_zero_vectors_in_cosine() -> None:
    pool = torch.tensor([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0], [-1.0, 0.0], [1.0, 0.1]])
    found = select(Cosine(), pool, torch.tensor([[2.0, 0.0]]), 5, block_size=2)
    assert positions(found)[0] == 3  # opposite
    assert positions(found)[1] in {0, 2}  # orthogonal by definition
    assert positions(found)[2] == 4
    torch.testing.assert_close(found.scores[[0, 1]], torch.tensor([2.0, 1.0]))
    torch.testing.assert_close(found.scores[3:], torch.zeros(2))


@pytest.mark.parametrize("metric", [Euclidean(), Cosine()])
@pytest.mark.parametrize("scale", [1e-38, 1e-20, 1e20, 1e37])
def test_huge_and_tiny_norms(metric: Metric, scale: float) -> None:
    pool, labeled = values_for(metric, 40, 8), values_for(metric, 9, 9)
    found = select(metric, pool * scale, labeled * scale, 40)
    assert positions(found) == greedy(metric, pool * scale, labeled * scale, 40)[0]
    assert found.scores.isfinite().all()


def test_distance_beyond_float32_is_its_largest_number() -> None:
    largest = torch.finfo(torch.float32).max
    found = select(Euclidean(), torch.tensor([[largest]]), torch.tensor([[-largest]]), 1)
    assert found.scores.tolist() == [largest]


def test_small_distances_far_from_the_origin() -> None:
    # |x|^2 is 1e8 times the squared distances, far beyond float32.
    pool, labeled = values_for(Euclidean(), 60, 10), values_for(Euclidean(), 20, 11)
    pool, labeled = 1e4 + pool, 1e4 + labeled
    picks, scores = greedy(Euclidean(), pool, labeled, 60)
    found = select(Euclidean(), pool, labeled, 60)
    np.testing.assert_allclose(found.scores, scores, rtol=1e-6)
    assert positions(found) == picks


def test_tight_clusters_far_apart() -> None:
    centers = 1e4 * values_for(Euclidean(), 5, 12)
    pool = centers.repeat(12, 1) + 0.1 * values_for(Euclidean(), 60, 13)
    labeled = centers[:2]
    found = select(Euclidean(), pool, labeled, 60, block_size=8)
    check_greedy(Euclidean(), pool, labeled, found, tolerance=1e-4)


def test_many_points_that_every_pick_brings_nearer() -> None:
    """No block of highest bounds holds the farthest point: all are stale alike."""
    corners = torch.eye(6).repeat(40, 1)
    pool = corners + 0.01 * values_for(Euclidean(), 240, 16)
    labeled = pool[:1] / 2
    picks, scores = greedy(Euclidean(), pool, labeled, 60)
    found = select(Euclidean(), pool, labeled, 60, block_size=2)
    assert positions(found) == picks
    np.testing.assert_allclose(found.scores, scores, rtol=1e-6)


@pytest.fixture(
    params=[(), (torch.bfloat16,), (torch.float32,), (torch.bfloat16, torch.float32)],
    ids=["none", "bfloat16", "float32", "both"],
)
def _bounds(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """First bounds in these dtypes, whatever the processor computes fast."""
    monkeypatch.setattr(farthest_first, "bound_types", lambda: [*request.param])


@pytest.mark.usefixtures("_bounds")
@pytest.mark.parametrize("block_size", [4, 512])
@pytest.mark.parametrize("metric", METRICS)
def test_bounds_of_any_dtype_change_nothing(metric: Metric, block_size: int) -> None:
    pool, labeled = values_for(metric, 200, 17), values_for(metric, 50, 18)
    picks, scores = greedy(metric, pool, labeled, 40)
    found = select(metric, pool, labeled, 40, block_size)
    assert positions(found) == picks
    np.testing.assert_allclose(found.scores, scores, rtol=1e-6)


@pytest.mark.usefixtures("_bounds")
def test_more_centers_than_the_first_bounds_see() -> None:
    pool, labeled = values_for(Euclidean(), 400, 19), values_for(Euclidean(), 700, 20)
    picks, _ = greedy(Euclidean(), pool, labeled, 30)
    assert positions(select(Euclidean(), pool, labeled, 30, block_size=16)) == picks


@pytest.mark.parametrize("metric", METRICS)
def test_block_size_changes_nothing(metric: Metric) -> None:
    pool, labeled = values_for(metric, 100, 14), values_for(metric, 30, 15)
    one, other = (select(metric, pool, labeled, 50, size) for size in (3, 1000))
    assert torch.equal(one.ids, other.ids)
    torch.testing.assert_close(one.scores, other.scores)


def test_block_size_below_one_is_an_error() -> None:
    with pytest.raises(UsageError, match=r"strategy\.block_size must be .* of at least 1, not 0"):
        FarthestFirst(Euclidean(), block_size=0)


@settings(max_examples=80)
@given(
    pool=st.lists(st.tuples(*[st.integers(0, 4)] * 3), min_size=1, max_size=40),
    labeled=st.lists(st.tuples(*[st.integers(0, 4)] * 3), max_size=20),
    share=st.floats(0, 1),
    block_size=st.integers(1, 9),
    scale=st.sampled_from([1e-30, 1.0, 1e30]),
)
def test_any_lattice_points(
    pool: list[tuple[int, int, int]],
    labeled: list[tuple[int, int, int]],
    share: float,
    block_size: int,
    scale: float,
) -> None:
    """A lattice is full of ties and duplicates."""
    count = max(1, round(share * len(pool)))
    points = torch.tensor(pool).float() * scale
    known = torch.tensor(labeled).float().reshape(-1, 3) * scale
    found = select(Euclidean(), points, known if len(known) else None, count, block_size)
    assert len(set(positions(found))) == count
    check_greedy(Euclidean(), points, known, found, tolerance=1e-5 * scale)


def test_reads_only_what_the_metric_needs() -> None:
    pool = make_evidence(10, [Need.PROBABILITIES])
    with pytest.raises(ValueError, match="no embeddings"):
        FarthestFirst(Cosine()).select(pool, None, 2, seeded())
    assert len(FarthestFirst(SymmetricKL()).select(pool, None, 2, seeded()).ids) == 2
