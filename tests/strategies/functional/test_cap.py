import pytest
import torch

from al_lightning.strategies.functional import cap as module
from al_lightning.strategies.functional.balls import Balls
from al_lightning.strategies.functional.cap import Cap
from tests.strategies.helpers import seeded


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
    balls = Balls(cap.place(torch.ones(3, 2)), 0.0)
    assert [ball.tolist() for ball in balls.of([0, 2])] == [[0, 1, 2], [0, 1, 2]]


def test_the_opposite_point_is_within_twice_the_radius_of_the_sphere() -> None:
    rows = torch.tensor([[1.0, 0.3], [-1.0, -0.3]])
    cap = Cap(rows)
    assert Balls(cap.place(rows), 2 / cap.scale).of([0])[0].tolist() == [0, 1]
