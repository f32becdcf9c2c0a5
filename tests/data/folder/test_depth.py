from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from al_lightning.data.folder.depth import check_value_range, refuse_unknown_range
from al_lightning.utils.errors import UsageError


def deep(path: Path, values: list[float], kind: type) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.array([values], dtype=kind)).save(path)
    return path


@pytest.mark.parametrize(
    ("values", "kind", "said"),
    [
        ([[0, 4032], [5, 100]], np.uint16, "from 0 to 4032. Give .*value_range=[0,4095]'"),
        ([[9, 50000]], np.uint16, "from 9 to 50000. Give .*value_range=[0,65535]'"),
        ([[0, 255], [1, 256]], np.int32, "from 0 to 256. Give .*value_range=[0,1023]'"),
        ([[0, 1], [0, 1.1]], np.float32, "from 0 to 1.1. Give .*value_range=[0,255]'"),
        ([[0, 0.5], [0, 0.75]], np.float32, "from 0 to 0.75. Give .*value_range=[0,1]'"),
        ([[-1024, 3071]], np.int32, "from -1024 to 3071. Give .*value_range=[-1024,3071]'"),
        ([[0, 100_000]], np.int32, "from 0 to 100000. Give .*value_range=[0,100000]'"),
        ([[0, np.nan, 0.5, -np.inf]], np.float32, "from 0 to 0.5. Give .*value_range=[0,1]'"),
        ([[np.nan]], np.float32, "from 0 to 65535. Give .*value_range=[0,65535]'"),
    ],
)
def test_the_values_of_the_folder_are_named(
    tmp_path: Path, values: list[list[float]], kind: type, said: str
) -> None:
    paths = [deep(tmp_path / f"{i}.tif", row, kind) for i, row in enumerate(values)]
    message = str(refuse_unknown_range(paths, "0.tif", "images below photos", 9))
    assert f"{len(paths)} of the 9 images below photos have" in message
    assert "such as 0.tif" in message
    first, last = said.split(".*")
    assert first in message
    assert message.endswith(last)


@pytest.mark.parametrize(
    "given",
    [[1], [1, 2, 3], "01", [1, 0], [1, 1], [0, float("nan")], ["0", "1"], [True, 2], 5, True],
)
def test_what_is_no_range_is_refused(given: Any) -> None:
    with pytest.raises(UsageError, match=r"dataset\.value_range=.* is not valid"):
        check_value_range(given)


def test_ranges() -> None:
    assert check_value_range(None) is None
    assert check_value_range([0, 4095]) == (0, 4095)
    assert check_value_range([-0.5, 0.5]) == (-0.5, 0.5)
