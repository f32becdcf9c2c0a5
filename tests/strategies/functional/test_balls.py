import pytest
import torch

from al_lightning.strategies.functional import balls as module
from al_lightning.strategies.functional.balls import (
    Balls,
    count_among,
    count_within,
    low_rank_bounds,
)
from al_lightning.strategies.functional.cap import Cap
from al_lightning.strategies.functional.rows import unit_rows
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
        assert torch.equal(count_among(rows[:30], 0.5), expected[:30])
    assert count_within(rows, rows[:0], 0.5).tolist() == [0] * 50
    assert count_among(rows[:0], 0.5).tolist() == []


def test_short_rows_stay_as_they_are() -> None:
    rows = torch.randn(5, 40, generator=seeded())
    assert low_rank_bounds(rows, 20) is rows


@pytest.fixture(params=["few directions", "all directions", "short rows"])
def points(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> torch.Tensor:
    """Points in the unit ball whose short vectors are as good, not as good, and no shorter."""
    monkeypatch.setattr(module, "_RANK", 2)
    spread = {"few directions": (1.0, 0.01), "all directions": (1.0, 1.0)}.get(request.param)
    scales = torch.ones(4) if spread is None else torch.tensor([spread[0]] * 2 + [spread[1]] * 6)
    rows = torch.randn(150, len(scales), generator=seeded()) * scales
    return Cap(rows).place(rows)


@pytest.mark.parametrize("radius", [0.0, 0.2, 0.6, 3.0])
def test_balls_hold_what_is_near(points: torch.Tensor, radius: float) -> None:
    balls = Balls(points, radius)
    within = (points[:, None] - points).double().norm(dim=2) <= radius + 1e-9
    found = balls.of(range(150))
    assert [ball.tolist() for ball in found] == [row.nonzero()[:, 0].tolist() for row in within]
    assert (balls.upper >= within.sum(1)).all()
    assert balls.upper.sum() <= 2.5 * within.sum()


def test_what_float32_does_not_tell_is_told_by_float64() -> None:
    """The points lie as far from the first as the radius, to the seventh digit."""
    radius, count = 0.5, 200
    angles = torch.linspace(0, 6, count).double()
    lengths = radius * (1 + 5e-7 + 4e-7 * torch.linspace(-1, 1, count).double())
    around = torch.stack([angles.cos(), angles.sin()], 1) * lengths[:, None]
    rows = torch.cat([torch.zeros(1, 2).double(), around]).float()
    exact = rows[1:].double().square().sum(1) / 2 <= radius**2 / 2 * (1 + 1e-6) + 1e-13
    assert 0 < int(exact.sum()) < count
    (ball,) = Balls(rows, radius).of([0])
    assert (ball[1:] - 1).tolist() == exact.nonzero()[:, 0].tolist()


def test_a_ball_is_looked_up_once_unless_too_much_is_known(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    looked_up = []
    within = Balls._within

    def counting(self: Balls, centers: torch.Tensor) -> torch.Tensor:
        looked_up.append(len(centers))
        return within(self, centers)

    monkeypatch.setattr(Balls, "_within", counting)
    monkeypatch.setattr(module, "_BLOCK", 4)
    balls = Balls(torch.randn(40, 3, generator=seeded()) / 4, 0.2)
    first = balls.of(range(10))
    assert looked_up == [4, 4, 2]
    assert all(map(torch.equal, balls.of([3, 9, 3]), [first[3], first[9], first[3]]))
    assert looked_up == [4, 4, 2]
    monkeypatch.setattr(module, "_KEPT", 5)
    assert torch.equal(balls.of([3])[0], first[3])
    assert looked_up == [4, 4, 2, 1]
