import io
import os
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from al_lightning import RoundPredictions, UsageError, load_predictions
from al_lightning.run.round_predictions import load_correct


def drawn(count: int = 50, classes: int = 4, scale: float = 3.0) -> Tensor:
    """Class probabilities, (N, C)."""
    generator = torch.Generator().manual_seed(0)
    return (scale * torch.randn(count, classes, generator=generator)).softmax(1)


def written(folder: Path, made: RoundPredictions) -> RoundPredictions:
    path = folder / "round_00.npz"
    path.write_bytes(made.to_bytes())
    return load_predictions(path)


def test_what_is_read_is_what_was_written_as_exactly_as_float16_is(tmp_path: Path) -> None:
    probabilities = drawn()
    read = written(tmp_path, RoundPredictions.of(probabilities))
    assert read.ids.tolist() == list(range(50))
    assert read.predicted.equal(probabilities.argmax(1))
    assert (read.ids.dtype, read.predicted.dtype) == (torch.int64, torch.int64)
    assert read.log_probabilities.dtype == torch.float32
    torch.testing.assert_close(read.log_probabilities, probabilities.log(), rtol=2**-11, atol=1e-7)
    assert (read.log_probabilities.exp().sum(1) - 1).abs().max() < 2e-3


@pytest.mark.parametrize("least", [0.0, 1e-45, 1e-38, 1e-30])
def test_no_probability_becomes_0(tmp_path: Path, least: float) -> None:
    sure = torch.tensor([[1.0, least]])
    read = written(tmp_path, RoundPredictions.of(sure)).log_probabilities
    assert read.isfinite().all()
    assert float(read[0, 0]) == 0.0
    smallest = torch.finfo(torch.float32).tiny
    assert float(read[0, 1].exp()) >= smallest  # not even where such numbers are flushed to 0
    assert float(read[0, 1]) == pytest.approx(float(torch.tensor(max(least, smallest)).log()), 4e-4)


def test_a_class_that_wins_by_less_than_float16_tells_is_still_predicted(tmp_path: Path) -> None:
    close = torch.tensor([[0.1, 0.449999, 0.450001], [0.450001, 0.449999, 0.1]])
    read = written(tmp_path, RoundPredictions.of(close))
    assert float(read.log_probabilities[0, 1]) == float(read.log_probabilities[0, 2])
    assert read.predicted.tolist() == [2, 0]


def test_equal_predictions_are_equal_bytes_at_any_time() -> None:
    first, second = (RoundPredictions.of(drawn()).to_bytes() for _ in range(2))
    assert first == second
    with zipfile.ZipFile(io.BytesIO(first)) as archive:
        for entry in archive.infolist():
            assert entry.date_time == (1980, 1, 1, 0, 0, 0)
            assert entry.create_system == 3


def test_the_file_is_an_archive_that_numpy_alone_reads() -> None:
    with np.load(io.BytesIO(RoundPredictions.of(drawn()).to_bytes()), allow_pickle=False) as arrays:
        found = {name: (arrays[name].dtype.str, arrays[name].shape) for name in arrays.files}
    assert found == {
        "ids": ("<i8", (50,)),
        "log_probabilities": ("<f2", (50, 4)),
        "predicted": ("<i2", (50,)),
    }


def test_ten_thousand_images_of_ten_classes_take_about_200_kb() -> None:
    for scale in (1.0, 3.0, 10.0):
        assert 180_000 < len(RoundPredictions.of(drawn(10_000, 10, scale)).to_bytes()) < 205_000


def test_more_classes_than_int16_counts(tmp_path: Path) -> None:
    many = torch.zeros(2, 40_000)
    many[0, 39_999] = many[1, 32_768] = 1.0
    assert written(tmp_path, RoundPredictions.of(many)).predicted.tolist() == [39_999, 32_768]


@pytest.mark.parametrize(
    ("ids", "rows", "predicted"), [(3, (2, 4), 3), (2, (2, 4), 3), (2, (2,), 2), (3, (2, 4), 2)]
)
def test_shapes_must_fit(ids: int, rows: tuple[int, ...], predicted: int) -> None:
    with pytest.raises(ValueError, match=r"expected ids|ids have 2 rows"):
        RoundPredictions(torch.arange(ids), torch.zeros(rows), torch.arange(predicted))


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(
        UsageError, match=r"round_07\.npz is not there: .* unless predictions=false"
    ):
        load_predictions(tmp_path / "round_07.npz")


def archive(**arrays: Any) -> bytes:
    buffer = io.BytesIO()
    np.savez(buffer, **arrays)
    return buffer.getvalue()


def locked(content: bytes) -> bytes:
    """An archive whose list says that its entries need a password."""
    parts = content.split(b"PK\x01\x02")
    return b"PK\x01\x02".join([parts[0], *(part[:4] + b"\x01" + part[5:] for part in parts[1:])])


WHOLE = RoundPredictions.of(drawn()).to_bytes()
IDS, ROWS = np.arange(2), np.zeros((2, 3), "float16")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no archive",
        WHOLE[:-40],
        WHOLE[:100] + b"!" + WHOLE[101:],
        archive(ids=IDS),
        archive(ids=IDS, log_probabilities=ROWS, predicted=IDS, labels=np.array([0, 3])),
        archive(ids=IDS, log_probabilities=ROWS, predicted=np.array([0, -1])),
        archive(ids=IDS, log_probabilities=ROWS, predicted=np.array([0, np.nan])),
        archive(ids=IDS, log_probabilities=ROWS * np.nan, predicted=IDS),
        locked(archive(ids=IDS, log_probabilities=ROWS, predicted=IDS)),
        archive(ids=IDS, log_probabilities=ROWS, predicted=np.arange(3)),
        archive(ids=IDS, log_probabilities=ROWS, predicted=np.array(["a", "b"])),
        archive(ids=IDS, log_probabilities=ROWS, predicted=np.array([{}, {}], dtype=object)),
    ],
    ids=[
        *("empty", "text", "cut", "damaged", "part", "no label", "no class", "no number", "nan"),
        *("locked", "rows", "words", "objects"),
    ],
)
def test_a_file_of_something_else_is_named(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "round_00.npz"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=r"round_00\.npz holds no predictions of a round"):
        load_predictions(path)


def test_what_would_never_end_or_fill_the_memory_is_named(tmp_path: Path) -> None:
    path = tmp_path / "round_00.npz"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("predicted.npy", bytes(2**28 + 1))
    with pytest.raises(UsageError, match=r"268,435,457 bytes, .* is it a decompression bomb\?"):
        load_correct(path)
    path.unlink()
    os.mkfifo(path)
    with pytest.raises(UsageError, match="it is no file, but a device or a pipe"):
        load_predictions(path)


def test_true_classes_are_kept_and_read_without_probabilities(tmp_path: Path) -> None:
    probabilities, labels = torch.tensor([[0.2, 0.8], [0.9, 0.1]]), torch.tensor([1, 1])
    found = RoundPredictions.of(probabilities, labels)
    read = written(tmp_path, found)
    assert read.labels is not None
    assert read.labels.tolist() == [1, 1]
    (path,) = tmp_path.iterdir()
    assert load_correct(path).tolist() == [True, False]
    path.write_bytes(RoundPredictions.of(probabilities).to_bytes())
    assert load_predictions(path).labels is None
    with pytest.raises(UsageError, match="holds no true classes"):
        load_correct(path)
    with pytest.raises(ValueError, match="labels of shape"):
        RoundPredictions.of(probabilities, labels[:1])
