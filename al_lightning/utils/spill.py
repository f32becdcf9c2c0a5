"""Numbers that do not fit in memory: they are on the disk, in a file without a name."""

import math
import shutil
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from al_lightning.utils.errors import UsageError

_SHARE = 2  # of the memory: more than one half of it is on the disk
_LEFT_FREE = 2**28  # bytes of the disk
_BYTES = 2  # of a number in float16


def is_spilled(size: int, limit: int) -> bool:
    """Return whether so many bytes go to the disk, where memory has ``limit`` bytes."""
    return size > limit // _SHARE


@dataclass(frozen=True)
class Spill:
    """A folder for what takes more than half of the memory.

    >>> import tempfile
    >>> from pathlib import Path
    >>> from al_lightning.utils.spill import Spill
    >>> spill = Spill(Path(tempfile.gettempdir()), limit=1000)
    >>> spill.takes(501), spill.empty((3, 2)).dtype
    (True, torch.float16)

    Attributes:
        folder: On a disk.
        limit: Bytes of memory.
    """

    folder: Path
    limit: int

    def takes(self, size: int) -> bool:
        """Return whether so many bytes go to the disk."""
        return is_spilled(size, self.limit)

    def empty(self, shape: Sequence[int]) -> Tensor:
        """Return a float16 tensor in a mapped file, which is gone when the tensor or the process is.

        Raises:
            UsageError: If the disk has no room for it; says how much is needed.
        """
        size, free = _BYTES * math.prod(shape), shutil.disk_usage(self.folder).free
        if size + _LEFT_FREE > free:
            raise UsageError(
                f"The embeddings of {shape[0]:,} images do not fit in memory. They take "
                f"{size / 1e9:.1f} GB on the disk of {self.folder}, and {free / 1e9:.1f} GB are free: "
                "make room, or use fewer images (strategy.pool_subset)"
            )
        with tempfile.TemporaryFile(dir=self.folder) as file:
            rows = np.memmap(file, np.float16, mode="w+", shape=tuple(shape))
        return torch.from_numpy(rows)
