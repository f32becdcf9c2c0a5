import pytest
import torch

from al_lightning.strategies.functional import coverage as module
from al_lightning.strategies.functional.clusters import unit_rows
from al_lightning.strategies.functional.coverage import Cap, Coverage, count_within, low_rank_bounds
from tests.strategies.helpers import seeded


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_inner_products_of_low_rank_rows_are_bounds(decay: float) -> None:
    spectrum = torch.exp(-decay * torch.arange(100))
    rows = unit_rows(torch.randn(300, 100, generator=seeded()) * spectrum)
    short = low_rank_bounds(rows, 20)
    assert short.shape == (300, 21)
    slack = short @ short.T - rows @ rows.T
    assert slack.min() > -module._SAFE / 2
    assert slack.max() < (1 if decay else 2)  # and where few directions matter, they are close
    assert (slack.diagonal().abs() < module._SAFE).all()


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_counts_are_those_of_all_pairs(dtype: torch.dtype, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = torch.randn(50, 3, generator=seeded()).to(dtype)
    expected = (torch.cdist(rows, rows[:30]).square() / 2 <= 0.5).sum(1)
    for tile in (7, 1000):
        monkeypatch.setattr(module, "_TILE", tile)
        assert torch.equal(count_within(rows, rows[:30], 0.5), expected)
    assert count_within(rows, rows[:0], 0.5).tolist() == [0] * 50


def test_short_rows_stay_as_they_are() -> None:
    rows = torch.randn(5, 40, generator=seeded())
    assert low_rank_bounds(rows, 20) is rows


@pytest.mark.parametrize("offset", [0.0, 1e4])
def test_a_cap_is_the_unit_ball_around_its_middle(
    offset: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = torch.randn(50, 4, generator=seeded()) + offset
    expected = rows.double() / rows.double().norm(dim=1, keepdim=True)
    for part in (7, 1000):
        monkeypatch.setattr(module, "_PART", part)
        cap = Cap(rows)
        placed = cap.place(rows)
        assert float(placed.norm(dim=1).max()) == pytest.approx(1)
        torch.testing.assert_close(placed.double() * cap.scale + cap.mean, expected)
        distances = torch.cdist(placed.double(), placed.double()) * cap.scale
        exact = (expected[:, None] - expected).norm(dim=2)
        torch.testing.assert_close(distances, exact, rtol=1e-5, atol=1e-6 * cap.scale)


def test_equal_directions_are_one_point() -> None:
    cap = Cap(torch.tensor([[1.0, 2.0], [2.0, 4.0], [0.1, 0.2]]))
    assert float(cap.place(torch.tensor([[3.0, 6.0]])).abs().max()) < 1e-6
    picks, gains = Coverage(cap.place(torch.ones(3, 2)), torch.zeros(0, 2), 0.0).run(2)
    assert len(picks) == 1
    assert gains.tolist() == [3]


def test_the_opposite_point_is_within_twice_the_radius_of_the_sphere() -> None:
    cap = Cap(torch.tensor([[1.0, 0.3], [-1.0, -0.3]]))
    points = cap.place(torch.tensor([[1.0, 0.3], [-1.0, -0.3]]))
    assert Coverage(points, points[:0], 2 / cap.scale).run(2)[1].tolist() == [2]
