"""Where the evidence of a pass is written, row by row."""

import os
import tempfile
from collections.abc import Mapping
from math import prod
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from al_lightning.strategies.evidence import Need
from al_lightning.utils.files import reserve

_WRITTEN = "written"
_NAMED = 10  # rows an error names


class EvidenceRows:
    """Tensors of all rows of a pass, written batch by batch: nothing is put together at the end.

    Args:
        count: N, the number of rows.
    """

    def __init__(self, count: int) -> None:
        self._count = count
        self._tensors: dict[Need, Tensor] = {}
        self._written = torch.zeros(count, dtype=torch.uint8)

    def write(self, first: int, found: Mapping[Need, Tensor]) -> None:
        """Write the rows of a batch; a GPU is not waited for.

        Args:
            first: The first row.
            found: (B, ...) float32 of each need, anywhere.
        """
        for need, values in found.items():
            if need not in self._tensors:
                with torch.inference_mode(False):  # else nobody could write into them later
                    self._tensors[need] = self._make(need, values)
            rows = slice(first, first + len(values))
            self._tensors[need][rows].copy_(values, non_blocking=True)
        self._written[first : first + max(map(len, found.values()))] += 1

    def collect(self) -> dict[Need, Tensor]:
        """Return all rows, (N, ...) float32 of each need, on the CPU.

        Raises:
            RuntimeError: If a row was not written, or written twice; names the rows.
        """
        for need in self._tensors:
            if self._tensors[need].is_pinned():
                torch.cuda.synchronize()  # the copies are still on their way
        if len(wrong := (self._written != 1).nonzero().flatten()):
            raise RuntimeError(
                f"{len(wrong)} of {self._count} rows of a pass were not written exactly once: "
                f"{wrong[:_NAMED].tolist()}"
            )
        return dict(self._tensors)

    def _make(self, need: Need, values: Tensor) -> Tensor:  # noqa: ARG002
        shape = (self._count, *values.shape[1:])
        return torch.empty(shape, dtype=torch.float32, pin_memory=values.device.type == "cuda")


class SharedEvidenceRows(EvidenceRows):
    """Rows that several processes write, each its own, into files that all of them map into memory.

    It travels to other processes as the name of a folder. Not by shared memory, of which containers
    often have next to nothing.

    Args:
        count: N, the number of rows.
        folder: Takes the files; None makes one, which goes with :meth:`collect`.
    """

    def __init__(self, count: int, folder: Path | None = None) -> None:
        super().__init__(count)
        self._own = None
        if folder is None:
            self._own = tempfile.TemporaryDirectory(
                prefix="al_lightning-", ignore_cleanup_errors=True
            )
            folder = Path(self._own.name)
            reserve(folder / _WRITTEN, count)
        self._folder = folder
        self._written = _map(folder / _WRITTEN, (count,), torch.uint8)

    def __reduce__(self) -> tuple[Any, ...]:
        """Map the same files in another process."""
        return SharedEvidenceRows, (self._count, self._folder)

    def collect(self) -> dict[Need, Tensor]:
        """Return all rows, whoever has written them, and remove the files' names."""
        for path in self._folder.glob("*.rows"):
            name, *shape = path.stem.split("-")
            self._tensors[Need(name)] = _map(path, (self._count, *map(int, shape)), torch.float32)
        try:
            return super().collect()
        finally:
            if self._own is not None:
                self._own.cleanup()

    def _make(self, need: Need, values: Tensor) -> Tensor:
        shape = values.shape[1:]
        path = self._folder / f"{'-'.join([need.value, *map(str, shape)])}.rows"
        # Every process does so: the first one makes the file, and for the others it is there.
        reserve(path, self._count * prod(shape) * torch.float32.itemsize)
        return _map(path, (self._count, *shape), torch.float32)


def _map(path: Path, shape: tuple[int, ...], dtype: torch.dtype) -> Tensor:
    mapped = torch.from_file(os.fspath(path), shared=True, size=prod(shape), dtype=dtype)
    return mapped.view(shape)
