"""What a round's classifier predicts of a fixed part of the pool, and the file that keeps it."""

import io
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from al_lightning.utils.errors import UsageError
from al_lightning.utils.files import require_file
from al_lightning.utils.randomness import derive_generator

FOLDER = "agreement"
_ROWS = 2  # of the array in a file
_LARGEST = 2**28  # bytes of a file that is read: 33 million images


@dataclass(frozen=True)
class PoolPredictions:
    """What a classifier predicts of some training images.

    >>> import torch
    >>> PoolPredictions(torch.tensor([3, 8]), torch.tensor([1, 0])).of(torch.tensor([8]))
    tensor([0])

    Attributes:
        ids: Of the images, ascending, (N,) int64.
        predicted: A class each, (N,) int64.
    """

    ids: Tensor
    predicted: Tensor

    def of(self, ids: Tensor) -> Tensor:
        """Return the classes of some of the images, (M,) int64."""
        return self.predicted[torch.searchsorted(self.ids, ids)]

    def to_bytes(self) -> bytes:
        """Return the content of the file: a ``.npy`` of (2, N) int32, ids above classes."""
        buffer = io.BytesIO()
        rows = torch.stack([self.ids, self.predicted]).numpy().astype("<i4")
        np.lib.format.write_array(buffer, rows, version=(1, 0), allow_pickle=False)
        return buffer.getvalue()


def draw_pool_sample(size: int, count: int) -> Tensor:
    """Draw images of the whole pool, whose predictions are compared from round to round.

    They are the same in all runs on as many images, whatever the seed, so that runs can be compared.

    Args:
        size: Number of training images.
        count: How many to draw; all where there are no more.

    Returns:
        Their ids, ascending, (min(size, count),) int64.
    """
    generator = derive_generator(0, "agreement")
    return torch.randperm(size, generator=generator)[:count].sort().values


def predictions_file(folder: Path, index: int) -> Path:
    """Return where the folder of a run has what a round predicts of the pool."""
    return folder / FOLDER / f"round_{index:02d}.npy"


def load_pool_predictions(path: Path) -> PoolPredictions:
    """Read what a round predicts of the pool.

    Raises:
        UsageError: If there is no such file, or it holds something else; names it.
    """
    try:
        require_file(path, _LARGEST)
        rows = np.load(path, allow_pickle=False)
    except (OSError, ValueError, EOFError, MemoryError) as error:
        raise UsageError(f"{path} holds no predictions of the pool: {error}") from error
    if rows.ndim != _ROWS or len(rows) != _ROWS or rows.dtype.kind != "i":
        raise UsageError(f"{path} holds no predictions of the pool: {rows.dtype} {rows.shape}")
    if (np.diff(rows[0]) <= 0).any():
        raise UsageError(f"{path} holds no predictions of the pool: its ids do not ascend")
    ids, predicted = torch.from_numpy(rows.astype(np.int64))
    return PoolPredictions(ids, predicted)
