"""Embeddings that an earlier version of a data set has, for those images that are still the same."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from al_lightning.data.source import Images

_BLOCK = 4096  # rows copied at a time


@dataclass(frozen=True)
class KnownEmbeddings:
    """The rows of an earlier matrix that a new one takes over.

    The matrix stays on the disk, since it may be of gigabytes, and this is sent from rank to rank.

    >>> import numpy as np
    >>> import torch
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "earlier.npy")
    ...     np.save(path, np.float32([[1.0], [2.0]]))
    ...     known = KnownEmbeddings(path, torch.tensor([1, -1, 0]))
    ...     torch.cat([*known.blocks(torch.tensor([[9.0]]))]).flatten()
    tensor([2., 9., 1.])

    Attributes:
        path: The earlier one, (M, D) float32, as NumPy saves it.
        rows: Which of its rows is each row of the new one, (N,) int64; -1 for none.
    """

    path: Path
    rows: Tensor

    def blocks(self, new: Tensor) -> Iterator[Tensor]:
        """Yield all rows in order, (B, D) float32 at a time.

        Args:
            new: Those that the earlier matrix has not, in order, (K, D) float32.
        """
        matrix, taken = opened(self.path), 0
        for old in torch.split(self.rows, _BLOCK):
            missing = old < 0
            block = matrix[old.clamp(min=0)].clone()
            count = int(missing.sum())
            block[missing] = new[taken : taken + count]
            taken += count
            yield block


def opened(path: Path) -> Tensor:
    """Map a matrix that NumPy has saved into memory; what is written to it stays there."""
    return torch.from_numpy(np.load(path, mmap_mode="c", allow_pickle=False))


def digests_of(parts: Sequence[Images]) -> Tensor | None:
    """Return a digest of each image of a data set, (N, B) uint8; None where its source has none."""
    found = [images.digests for images in parts if images.digests is not None]
    return torch.cat(found) if len(found) == len(parts) else None


def rows_known(digests: Tensor, earlier: Tensor) -> Tensor:
    """Return where each image is in an earlier version of a data set, (N,) int64; -1 for new ones.

    Args:
        digests: Of the images, (N, B) uint8.
        earlier: Of the earlier ones, (M, B) uint8.
    """
    row_of = {row.tobytes(): i for i, row in reversed([*enumerate(earlier.numpy())])}
    return torch.tensor([row_of.get(row.tobytes(), -1) for row in digests.numpy()])
