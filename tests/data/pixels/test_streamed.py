from pathlib import Path

import pytest
import torch

from al_lightning.data.pixels.streamed import StreamedPixels
from al_lightning.utils.errors import DataError
from tests.data.folders import save


def test_files_are_decoded_when_they_are_looked_at(tmp_path: Path) -> None:
    paths = [tmp_path / f"{i}.png" for i in range(4)]
    store = StreamedPixels(paths, (1, 4, 4), workers=2)
    assert (store.shape, store.workers) == ((4, 1, 4, 4), 2)
    for i, path in enumerate(paths):
        save(path, shade=i)
    assert store[torch.tensor([3, 0])][:, 0, 0, 0].tolist() == [3, 0]


def test_a_file_that_has_gone_since_is_named(tmp_path: Path) -> None:
    paths = [save(tmp_path / "there.png"), tmp_path / "gone.png"]
    with pytest.raises(
        DataError, match=r"1 of the images can no longer .*\n.*gone\.png: it no longer exists"
    ):
        StreamedPixels(paths, (1, 4, 4), workers=1)[:]
