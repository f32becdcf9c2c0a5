import pytest
import torch

from al_lightning.strategies.functional import herding_bounds as module
from al_lightning.strategies.functional.herding import unit_float32
from al_lightning.strategies.functional.herding_bounds import Bounds, bounds_bytes, bounds_of
from tests.strategies.helpers import seeded


def gains(
    rows: torch.Tensor, points: torch.Tensor, h: float, covered: torch.Tensor, weights: torch.Tensor
) -> torch.Tensor:
    """All pairs, in float64."""
    squared = (rows.double()[:, None] - points.double()).square().sum(2)
    return ((-squared / h**2).exp() - covered).clamp(min=0) @ weights


@pytest.mark.parametrize("rank", [None, 4])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("bandwidth", [2.0, 1.0, 0.3, 0.05])
@pytest.mark.parametrize("labeled", [0, 1, 20])
def test_bounds_are_never_below_the_gain(
    rank: int | None, dtype: torch.dtype, bandwidth: float, labeled: int
) -> None:
    rows = torch.randn(300, 12, generator=seeded())
    rows[:100] = rows[100] + 0.01 * rows[:100]  # near copies
    rows = unit_float32(rows * torch.logspace(0, -2, 12))
    rows[150] = 0
    points, weights = rows[::2], torch.rand(150, generator=seeded(1)).double()
    covered = torch.zeros(150, dtype=torch.float64)
    for known in rows[1 : 2 * labeled : 2].double():
        kernel = (-(known - points.double()).square().sum(1) / bandwidth**2).exp()
        covered = torch.maximum(covered, kernel)
    bounds = Bounds(points, bandwidth**-2, rank, dtype)
    bounds.cover(covered, weights)
    exact, upper = gains(rows, points, bandwidth, covered, weights), bounds.upper(rows)
    assert bool((upper >= exact).all())
    if dtype == torch.float32 and rank is None:
        slack = 1e-4 * float(weights.sum()) * max(1.0, bandwidth**-2 / 10)
        assert upper.tolist() == pytest.approx(exact.tolist(), rel=1e-2, abs=slack)


def test_main_directions_bound_what_lies_in_them_well() -> None:
    rows = torch.randn(200, 40, generator=seeded()) * torch.logspace(0, -3, 40)
    rows = unit_float32(rows)
    covered, weights = torch.full((200,), 0.3).double(), torch.ones(200).double()
    exact = gains(rows, rows, 1.0, covered, weights)
    for rank in (20, None):
        bounds = Bounds(rows, 1.0, rank, torch.bfloat16)
        bounds.cover(covered, weights)
        assert float((bounds.upper(rows) / exact).max()) < 1.08


def test_there_are_no_more_bounds_than_are_of_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_RANK", 3)
    few, many = torch.eye(6), torch.eye(7)
    assert [b.dtype for b in bounds_of(few, 1.0, bfloat16=False)] == [torch.float32]
    kinds = [(b.dtype, b.directions is None) for b in bounds_of(many, 1.0, bfloat16=True)]
    assert kinds == [(torch.bfloat16, False), (torch.bfloat16, True), (torch.float32, True)]
    assert len(bounds_of(many, 1.0, bfloat16=False)) == 2


def test_the_bytes_hold_the_factors() -> None:
    points = unit_float32(torch.randn(500, 300, generator=seeded()))
    held = sum(b.factors.nbytes + b.halves.nbytes for b in bounds_of(points, 1.0, bfloat16=True))
    assert held < bounds_bytes(500, 4 * 300)
