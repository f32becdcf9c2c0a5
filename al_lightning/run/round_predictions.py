"""What a round's classifier predicts of the test images, and the file that keeps it."""

import io
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor

from al_lightning.utils.errors import UsageError
from al_lightning.utils.files import require_file

_WRITTEN_AT = (1980, 1, 1, 0, 0, 0)  # the same bytes at any time: the earliest that a zip can say
_UNIX, _MODE = 3, 0o644 << 16  # likewise, on any system
_LEVEL = 6  # of compression
_TABLE = 2  # dimensions
_LARGE, _MOST_PACKED = 2**28, 50  # bytes; how many times smaller a larger file is at most
_UNREADABLE = (
    *(OSError, ValueError, LookupError, TypeError, AttributeError, EOFError, MemoryError),
    *(RuntimeError, zipfile.BadZipFile, zlib.error),
)


@dataclass(frozen=True)
class RoundPredictions:
    """What a round's classifier predicts of the test images, row for row.

    Attributes:
        ids: Of the test images, (N,) int64.
        log_probabilities: Natural logarithm of each class's probability, (N, C) float32, finite. Read
            from a file, they are as exact as float16 is: to 0.05 % of the logarithm, so that the
            probabilities of an image sum to 1 within about 0.1 %.
        predicted: The class of the highest probability, (N,) int64: as the journal's accuracy counts
            it, also where two logarithms are equal once they are rounded.
        labels: The true classes, (N,) int64, by which reports compute other metrics; None where they
            were not kept.

    Raises:
        ValueError: On shapes that do not fit each other.

    Example:
        >>> import torch
        >>> from al_lightning import RoundPredictions
        >>> found = RoundPredictions.of(torch.tensor([[0.25, 0.75], [1.0, 0.0]]))
        >>> found.predicted
        tensor([1, 0])
        >>> found.log_probabilities  # no probability is 0
        tensor([[ -1.3863,  -0.2877],
                [  0.0000, -87.3365]])
    """

    ids: Tensor
    log_probabilities: Tensor
    predicted: Tensor
    labels: Tensor | None = None

    def __post_init__(self) -> None:
        """Check the shapes."""
        shape = tuple(self.log_probabilities.shape)
        rows = (len(self.ids),)
        if len(shape) != _TABLE or {tuple(self.ids.shape), tuple(self.predicted.shape)} != {rows}:
            raise ValueError(
                f"expected ids (N,), log_probabilities (N, C) and predicted (N,), not "
                f"{tuple(self.ids.shape)}, {shape} and {tuple(self.predicted.shape)}"
            )
        if shape[0] != rows[0]:
            raise ValueError(f"{rows[0]} ids have {shape[0]} rows of log_probabilities")
        if self.labels is not None and tuple(self.labels.shape) != rows:
            raise ValueError(f"{rows[0]} ids have labels of shape {tuple(self.labels.shape)}")

    @classmethod
    def of(cls, probabilities: Tensor, labels: Tensor | None = None) -> Self:
        """Return the predictions of all test images.

        Args:
            probabilities: (N, C) float32, row i that of test image i; rows sum to 1. What is 0, as a
                softmax in float32 rounds it, counts as the smallest normal number, 1.2e-38, as in the
                journal's ``nll``.
            labels: The true classes, (N,) int64.
        """
        least = torch.finfo(torch.float32).tiny
        return cls(
            torch.arange(len(probabilities)),
            probabilities.clamp_min(least).log(),
            probabilities.argmax(1),
            labels,
        )

    def to_bytes(self) -> bytes:
        """Return the content of the file: a compressed ``.npz``, the same bytes for the same values.

        It holds ``ids`` (N,) int64, ``log_probabilities`` (N, C) float16, ``predicted`` (N,) int16, and
        ``labels``, likewise, where there are any; int64 where there are more classes than int16
        counts. float16 holds every logarithm that float32 probabilities have: they lie in [-87.4, 0],
        and it goes to -65504.
        """
        classes = self.log_probabilities.shape[1]
        whole = "<i2" if classes <= np.iinfo(np.int16).max else "<i8"
        arrays: dict[str, np.ndarray[Any, Any]] = {
            "ids": self.ids.numpy().astype("<i8"),
            "log_probabilities": self.log_probabilities.numpy().astype("<f2"),
            "predicted": self.predicted.numpy().astype(whole),
        }
        if self.labels is not None:
            arrays["labels"] = self.labels.numpy().astype(whole)
        # Not np.savez: what stands in its archive beside the values is numpy's affair.
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            for name, values in arrays.items():
                entry = zipfile.ZipInfo(f"{name}.npy", _WRITTEN_AT)
                entry.create_system, entry.external_attr = _UNIX, _MODE
                written = io.BytesIO()
                np.lib.format.write_array(written, values, version=(1, 0), allow_pickle=False)
                archive.writestr(entry, written.getvalue(), zipfile.ZIP_DEFLATED, _LEVEL)
        return buffer.getvalue()


def load_predictions(path: Path | str) -> RoundPredictions:
    """Read what a round predicts of the test images.

    >>> import tempfile, torch
    >>> from pathlib import Path
    >>> from al_lightning import RoundPredictions, load_predictions
    >>> path = Path(tempfile.mkdtemp()) / "round_00.npz"  # a run writes them into predictions/
    >>> content = RoundPredictions.of(torch.tensor([[0.25, 0.75], [0.9, 0.1]])).to_bytes()
    >>> _ = path.write_bytes(content)
    >>> load_predictions(path).predicted
    tensor([1, 0])

    Args:
        path: ``predictions/round_NN.npz`` in the folder of a run.

    Raises:
        UsageError: If there is no such file, or it holds something else; names it.
    """
    found = _read(Path(path), ("ids", "log_probabilities", "predicted"))
    labels = found.get("labels")
    try:
        read = RoundPredictions(
            found["ids"].long(),
            found["log_probabilities"].float(),
            found["predicted"].long(),
            None if labels is None else labels.long(),
        )
        _require_classes(read)
    except ValueError as error:
        raise UsageError(f"{path} holds no predictions of a round: {error}") from error
    return read


def _require_classes(read: RoundPredictions) -> None:
    classes = read.log_probabilities.shape[1]
    for each in (read.predicted, read.labels):
        if each is not None and not ((each >= 0) & (each < classes)).all():
            raise ValueError(f"a class is not from 0 to {classes - 1}")
    if not read.log_probabilities.isfinite().all():
        raise ValueError("a logarithm is not finite")


def load_correct(path: Path) -> Tensor:
    """Return which test images a round predicts right, (N,) bool; reads no probabilities.

    Args:
        path: ``predictions/round_NN.npz`` in the folder of a run.

    Raises:
        UsageError: If there is no such file, it holds something else, or no true classes; names it.
    """
    found = _read(path, ("predicted",))
    if "labels" not in found:
        raise UsageError(f"{path} holds no true classes of the test images")
    if found["labels"].shape != found["predicted"].shape:
        raise UsageError(f"{path} holds no predictions of a round: labels of another shape")
    return found["predicted"] == found["labels"]


def _read(path: Path, names: Sequence[str]) -> dict[str, Tensor]:
    """Return arrays of a file; the labels as well, where it has any."""
    try:
        require_file(path)
        with np.load(path, allow_pickle=False) as arrays:
            _require_no_bomb(arrays.zip)
            wanted = [*names, *(["labels"] if "labels" in arrays else [])]
            return {name: torch.from_numpy(arrays[name]) for name in wanted}
    except FileNotFoundError as error:
        raise UsageError(
            f"{path} is not there: a run writes predictions/round_NN.npz for each round, where there "
            "are test images, unless predictions=false"
        ) from error
    except _UNREADABLE as error:
        raise UsageError(f"{path} holds no predictions of a round: {error}") from error


def _require_no_bomb(archive: zipfile.ZipFile) -> None:
    size = sum(entry.file_size for entry in archive.infolist())
    packed = sum(entry.compress_size for entry in archive.infolist())
    if size > max(_LARGE, _MOST_PACKED * packed):
        raise ValueError(f"{size:,} bytes, compressed to {packed:,}; is it a decompression bomb?")
