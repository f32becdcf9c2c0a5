import pytest
import torch

from al_lightning.strategies.functional.blocks import over_blocks


@pytest.mark.parametrize("size", [1, 3, 7, 100])
def test_every_row_is_computed_once(size: int) -> None:
    rows = torch.arange(14.0).view(7, 2)
    seen: list[int] = []

    def compute(at: slice) -> torch.Tensor:
        seen.append(len(rows[at]))
        return rows[at].sum(1)

    found = over_blocks(7, size, compute)
    assert found.dtype == torch.float64
    assert found.tolist() == [1, 5, 9, 13, 17, 21, 25]
    assert max(seen) <= size
    assert sum(seen) == 7


def test_no_rows_have_no_values() -> None:
    assert over_blocks(0, 5, lambda at: torch.ones(5)[at]).tolist() == []
