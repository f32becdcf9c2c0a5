import pickle
from typing import Any

import pytest
import torch
from torch import Tensor

from al_lightning.data.pixels.stored import PixelStore, StoredRows, pixel_bytes, pixel_rows

PIXELS = torch.arange(5 * 2 * 3 * 3, dtype=torch.uint8).view(5, 2, 3, 3)


class Counted(PixelStore):
    """A store that says what it was asked for."""

    dtype = torch.uint8
    workers = 3

    def __init__(self) -> None:
        self.shape = PIXELS.shape
        self.asked: list[list[int]] = []

    def read(self, ids: Tensor) -> Tensor:
        self.asked.append(ids.tolist())
        return PIXELS[ids]


@pytest.mark.parametrize(
    "index",
    [
        2,
        -1,
        slice(1, 4),
        slice(None),
        torch.tensor([4, 0, 0]),
        torch.tensor([], dtype=torch.int64),
        torch.tensor([True, False, True, False, False]),
    ],
    ids=str,
)
def test_a_store_is_indexed_as_a_tensor_is(index: Any) -> None:
    store = Counted()
    assert torch.equal(store[index], PIXELS[index])
    assert len(store) == 5
    assert pixel_bytes(store) == pixel_bytes(PIXELS) == 90


def test_rows_of_a_store_are_read_when_they_are_looked_at() -> None:
    store = Counted()
    rows = pixel_rows(pixel_rows(store, torch.tensor([4, 2, 0, 1])), torch.tensor([3, 0, 1]))
    assert isinstance(rows, StoredRows)
    assert (rows.shape, rows.dtype, rows.workers) == ((3, 2, 3, 3), torch.uint8, 3)
    assert store.asked == []
    assert torch.equal(rows[torch.tensor([2, 0])], PIXELS[[2, 1]])
    assert store.asked == [[2, 1]]


def test_rows_of_a_tensor_are_a_tensor() -> None:
    rows = pixel_rows(PIXELS, torch.tensor([3, 1]))
    assert isinstance(rows, Tensor)
    assert torch.equal(rows, PIXELS[[3, 1]])


def test_rows_travel_to_other_processes() -> None:
    rows = pickle.loads(pickle.dumps(pixel_rows(Counted(), torch.tensor([1, 0]))))
    assert torch.equal(rows[:], PIXELS[[1, 0]])
