import torch

from al_lightning.strategies.functional.rows import squared_distances, unit_float32, unit_rows
from tests.strategies.helpers import seeded


def test_unit_rows_have_length_one_whatever_they_had() -> None:
    rows = torch.tensor([[3.0, 4.0], [3e-30, 4e-30], [3e30, -4e30], [0.0, 0.0]])
    expected = torch.tensor([[0.6, 0.8], [0.6, 0.8], [0.6, -0.8], [0.0, 0.0]])
    torch.testing.assert_close(unit_rows(rows), expected)


def test_squared_distances() -> None:
    one, other = (torch.randn(n, 5, generator=seeded(n)) for n in (4, 6))
    expected = torch.cdist(one.double(), other.double()).square()
    torch.testing.assert_close(squared_distances(one, other), expected)


def test_unit_rows_of_float32_are_as_exact_as_it_is_and_zeros_stay() -> None:
    rows = torch.randn(30, 4, generator=seeded()) * 1e20
    rows[3] = 0
    lengths = unit_float32(rows).double().norm(dim=1)
    assert lengths[3] == 0
    assert lengths[torch.arange(30) != 3].sub(1).abs().max() < 1e-6
