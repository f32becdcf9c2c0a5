import pytest
import torch

from al_lightning.strategies.functional import herding as module
from al_lightning.strategies.functional.herding import Herding, least_distance
from al_lightning.strategies.functional.rows import unit_float32
from tests.strategies.helpers import seeded


@pytest.fixture(autouse=True)
def _small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that every loop runs more than once."""
    for name, size in (("_EXACT_PART", 37), ("_TILE", 23), ("_PART", 31), ("_EXACT", 4)):
        monkeypatch.setattr(module, name, size)


def plain(
    rows: torch.Tensor, weights: torch.Tensor, labeled: torch.Tensor, bandwidth: float, count: int
) -> tuple[list[int], list[float]]:
    """The greedy algorithm with all pairs at once, in float64."""
    rows, labeled, weights = rows.double(), labeled.double(), weights.double()
    kernel = torch.exp(-((torch.cdist(rows, rows) / bandwidth) ** 2))
    covered = torch.zeros(len(rows), dtype=torch.float64)
    if len(labeled):
        covered = torch.exp(-((torch.cdist(rows, labeled) / bandwidth) ** 2)).amax(1)
    picks: list[int] = []
    gains: list[float] = []
    for _ in range(count):
        gain = ((kernel - covered).clamp(min=0) * weights).sum(1)
        gain[picks] = -1
        best = int(gain.argmax())
        picks.append(best)
        gains.append(float(gain[best]))
        covered = torch.maximum(covered, kernel[best])
    return picks, gains


@pytest.mark.parametrize("known", [0, 6])
@pytest.mark.parametrize("bandwidth", [1.0, 0.3, 0.02, 1e-4])
@pytest.mark.parametrize("weighted", [False, True])
def test_the_picks_are_those_of_all_pairs(known: int, bandwidth: float, weighted: bool) -> None:
    rows = unit_float32(torch.randn(90, 5, generator=seeded()))
    pool, labeled = rows[known:], rows[:known]
    weights = torch.rand(len(pool), generator=seeded(1)) if weighted else torch.ones(len(pool))
    picks, gains = Herding(pool, None, weights, labeled, bandwidth).run(15)
    expected = plain(pool, weights, labeled, bandwidth, 15)
    assert gains.tolist() == pytest.approx(expected[1], rel=1e-6)
    if weighted or bandwidth == 1:  # else many are equal: they cover themselves alone
        assert picks.tolist() == expected[0]


def test_only_references_count_and_all_are_candidates() -> None:
    rows = unit_float32(torch.randn(60, 4, generator=seeded()))
    some = torch.arange(40, 60)
    picks, gains = Herding(rows, some, torch.ones(60), rows[:0], 0.5).run(5)
    units, covered = rows.double(), torch.zeros(20, dtype=torch.float64)
    kernel = torch.exp(-((torch.cdist(units, units[some]) / 0.5) ** 2))
    for pick, gain in zip(picks.tolist(), gains.tolist(), strict=True):
        brought = (kernel - covered).clamp(min=0).sum(1)
        assert pick == int(brought.argmax())
        assert gain == pytest.approx(float(brought.max()))
        covered = torch.maximum(covered, kernel[pick])


def test_copies_bring_nothing_more() -> None:
    rows = unit_float32(torch.randn(3, 4, generator=seeded())).repeat(9, 1)
    for bandwidth in (1.0, 1e-3):
        picks, _ = Herding(rows, None, torch.ones(27), rows[:0], bandwidth).run(10)
        assert len(picks) == 3
        assert len({i % 3 for i in picks.tolist()}) == 3


def test_images_without_weight_bring_nothing() -> None:
    rows = unit_float32(torch.randn(12, 4, generator=seeded()))
    picks, gains = Herding(rows, None, torch.zeros(12), rows[:0], 1.0).run(3)
    assert len(picks) == len(gains) == 0


def test_what_float32_does_not_tell_is_compared_in_float64() -> None:
    """The second of two far groups is the larger one by a ten millionth."""
    rows = unit_float32(torch.eye(2).repeat_interleave(5, 0))
    weights = torch.ones(10, dtype=torch.float64)
    weights[7] += 5e-7
    picks, gains = Herding(rows, None, weights, rows[:0], 0.2).run(2)
    assert picks.tolist() == [5, 0]
    assert gains.tolist() == pytest.approx([5 + 5e-7, 5], rel=1e-9)


def test_small_gains_are_as_exact_as_large_ones() -> None:
    """Five images are worth a million times what the others are."""
    rows = unit_float32(torch.randn(40, 5, generator=seeded()))
    weights = torch.full((40,), 1e-6, dtype=torch.float64)
    weights[:5] = 1
    _, gains = Herding(rows, None, weights, rows[:0], 0.5).run(25)
    assert gains.tolist() == pytest.approx(plain(rows, weights, rows[:0], 0.5, 25)[1], rel=1e-9)


def test_only_kernels_with_images_that_a_pick_covers_are_taken(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    taken = []
    brought = Herding._brought

    def counted(self: Herding, covered: torch.Tensor) -> torch.Tensor:
        taken.append(int((covered > self.covered).sum()))
        return brought(self, covered)

    monkeypatch.setattr(Herding, "_brought", counted)
    rows = unit_float32(torch.randn(2_000, 3, generator=seeded()))
    Herding(rows, None, torch.ones(2_000), rows[:0], 0.1).run(50)
    assert taken[0] == 2_000
    assert sum(taken[1:]) < 2_000 * 5  # the harmonic sum of 50 is 4.5


def test_the_least_distance_is_that_of_unequal_rows() -> None:
    rows = torch.tensor([[0.0, 0.0], [0.0, 0.0], [3.0, 4.0], [3.0, 4.5]])
    assert least_distance(rows) == pytest.approx(0.5)
    assert least_distance(rows[:2]) is None
    assert least_distance(rows[:0]) is None
