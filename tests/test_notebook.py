"""docs/notebook.md, run cell by cell in an empty folder."""

import re
from pathlib import Path
from typing import Any

import matplotlib
import pytest

from al_lightning import Journal

PAGE = (Path(__file__).parents[1] / "docs" / "notebook.md").read_text(encoding="utf-8")
CELLS = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)


@pytest.fixture
def cells(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    monkeypatch.chdir(tmp_path)
    matplotlib.use("Agg")
    return [compile(cell, f"cell {i}", "exec") for i, cell in enumerate(CELLS)]


def test_the_cells_run_to_the_end_of_the_budget(cells: list[Any]) -> None:
    names: dict[str, Any] = {}
    for cell in cells:
        exec(cell, names)
    assert names["counts"] == [20, 30, 40]
    assert len(names["accuracies"]) == 3
    assert len(names["labeled"]) == 40
    assert len(names["unlabeled"]) == 1297 - 40
    assert (names["classes"] == names["labels"].numpy()[names["labeled"]]).all()
    assert len(names["rows"]["id"]) == 1297
    names["plt"].close("all")


def test_a_new_kernel_goes_on_with_the_run(cells: list[Any]) -> None:
    first: dict[str, Any] = {}
    for cell in cells[:3]:
        exec(cell, first)
    first["plt"].close("all")
    labeled = first["loop"].journal.pool.labeled_ids
    second: dict[str, Any] = {}
    exec(cells[0], second)  # this step plays the first round
    assert second["loop"].journal.pool.labeled_ids.equal(labeled)
    assert len(Journal("outputs/notebook/journal.jsonl").rounds) == 1
    assert len(second["loop"].question.ids) == 10
    for cell in cells[1:]:
        exec(cell, second)
    assert second["counts"] == [20, 30, 40]
    second["plt"].close("all")
