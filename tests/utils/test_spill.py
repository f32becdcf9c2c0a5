import shutil
from collections import namedtuple
from pathlib import Path

import pytest
import torch

from al_lightning.utils.errors import UsageError
from al_lightning.utils.spill import Spill


def test_more_than_half_of_the_memory_goes_to_the_disk() -> None:
    spill = Spill(Path(), limit=100)
    assert [spill.takes(size) for size in (0, 50, 51)] == [False, False, True]


def test_rows_are_in_a_file_that_nobody_finds(tmp_path: Path) -> None:
    rows = Spill(tmp_path, limit=0).empty((3, 2))
    assert (rows.dtype, rows.shape) == (torch.float16, (3, 2))
    rows[1] = torch.tensor([1.5, -2.0])
    assert rows.tolist() == [[0, 0], [1.5, -2], [0, 0]]
    assert list(tmp_path.iterdir()) == []


def test_a_full_disk_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(2**30, 0, 2**28 + 11))
    assert Spill(tmp_path, limit=0).empty((5, 1)).shape == (5, 1)
    with pytest.raises(UsageError, match=r"of 6 images do not fit in memory.*pool_subset"):
        Spill(tmp_path, limit=0).empty((6, 1))
