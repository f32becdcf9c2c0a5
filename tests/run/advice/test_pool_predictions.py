import io
import os
from pathlib import Path

import numpy as np
import pytest
import torch

from al_lightning.run.advice.pool_predictions import (
    PoolPredictions,
    draw_pool_sample,
    load_pool_predictions,
    predictions_file,
)
from al_lightning.utils.errors import UsageError


def test_a_file_holds_what_was_written(tmp_path: Path) -> None:
    predictions = PoolPredictions(torch.tensor([2, 5, 70_000]), torch.tensor([1, 0, 40_000]))
    path = predictions_file(tmp_path, 3)
    path.parent.mkdir()
    path.write_bytes(predictions.to_bytes())
    assert path.relative_to(tmp_path).as_posix() == "agreement/round_03.npy"
    read = load_pool_predictions(path)
    assert torch.equal(read.ids, predictions.ids)
    assert torch.equal(read.predicted, predictions.predicted)
    assert read.of(torch.tensor([5, 2])).tolist() == [0, 1]
    assert predictions.to_bytes() == read.to_bytes()


def test_the_sample_is_part_of_the_pool_and_always_the_same() -> None:
    sample = draw_pool_sample(100, 30)
    assert len(set(sample.tolist())) == 30
    assert torch.equal(sample, sample.sort().values)
    assert torch.equal(sample, draw_pool_sample(100, 30))
    assert draw_pool_sample(5, 30).tolist() == [0, 1, 2, 3, 4]
    assert len(draw_pool_sample(100, 0)) == 0


def test_the_sample_is_drawn_from_all_of_the_pool() -> None:
    assert 400 < float(draw_pool_sample(1000, 500).double().mean()) < 600


def header(count: int) -> bytes:
    """The beginning of a file that says it holds so many images."""
    buffer = io.BytesIO()
    described = {"descr": "<i4", "fortran_order": False, "shape": (2, count)}
    np.lib.format.write_array_header_1_0(buffer, described)
    return buffer.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"text",
        np.zeros(3),
        np.array([[2, 1], [0, 0]]),
        header(10**13),
        None,
    ],
    ids=["empty", "text", "row", "order", "huge", "pipe"],
)
def test_what_holds_something_else_is_refused(tmp_path: Path, content: object) -> None:
    path = tmp_path / "round_00.npy"
    if content is None:
        os.mkfifo(path)
    elif isinstance(content, bytes):
        path.write_bytes(content)
    else:
        np.save(path, content)  # type: ignore[arg-type]
    with pytest.raises(UsageError, match=r"round_00\.npy holds no predictions of the pool"):
        load_pool_predictions(path)
