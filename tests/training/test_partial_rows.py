from pathlib import Path

import pytest
import torch

from al_lightning.training.partial_rows import PartialRows

ROWS = torch.arange(24.0).reshape(8, 3)


def written(path: Path) -> PartialRows:
    rows = PartialRows(path, 3)
    for block in torch.split(ROWS, 3):
        rows.append(block)
    return rows


def test_rows_are_there_for_the_next_process(tmp_path: Path) -> None:
    assert PartialRows(tmp_path / "new" / "rows.part", 3).read().shape == (0, 3)
    assert torch.equal(written(tmp_path / "rows.part").read(), ROWS)
    again = PartialRows(tmp_path / "rows.part", 3)
    assert again.count == 8
    again.append(ROWS[:1])
    assert torch.equal(PartialRows(tmp_path / "rows.part", 3).read(), torch.cat([ROWS, ROWS[:1]]))


@pytest.mark.parametrize("damage", ["torn rows", "torn sum", "no sum", "zeros", "nonsense"])
def test_blocks_that_are_not_whole_are_dropped(damage: str, tmp_path: Path) -> None:
    written(tmp_path / "rows.part")
    path, sums = tmp_path / "rows.part", tmp_path / "rows.sums"
    content, checks = path.read_bytes(), sums.read_bytes()
    if damage == "torn rows":
        path.write_bytes(content[:-5])
    elif damage == "torn sum":
        sums.write_bytes(checks[:-2])
    elif damage == "no sum":
        sums.write_bytes(checks[: len(checks) // 3 * 2])
    elif damage == "zeros":
        path.write_bytes(content[:-24] + bytes(24))
    else:
        sums.write_bytes(checks[: len(checks) // 3 * 2] + b"\xff" * 12)
    again = PartialRows(path, 3)
    assert torch.equal(again.read(), ROWS[:6])
    again.append(ROWS[6:])
    assert torch.equal(PartialRows(path, 3).read(), ROWS)


def test_what_is_not_needed_any_more_is_removed(tmp_path: Path) -> None:
    written(tmp_path / "rows.part").remove()
    assert list(tmp_path.iterdir()) == []
