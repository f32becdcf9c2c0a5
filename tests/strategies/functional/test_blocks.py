from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from al_lightning.strategies.functional import blocks, disagreement
from al_lightning.strategies.functional.blocks import by_blocks, over_blocks
from tests.strategies.helpers import seeded


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


@pytest.mark.parametrize(
    "formula", [disagreement.mutual_information, disagreement.vote_entropy, disagreement.mean_std]
)
def test_blocks_change_nothing(
    formula: Callable[[Tensor], Tensor], monkeypatch: pytest.MonkeyPatch
) -> None:
    samples = torch.randn(300, 7, 4, generator=seeded()).softmax(2)
    monkeypatch.setattr(blocks, "BLOCK_NUMBERS", 7 * 4 * 11)
    found = by_blocks(formula, samples)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found, formula(samples.double()))
