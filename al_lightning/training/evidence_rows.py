"""Where the evidence of a pass is written, row by row."""

import math
from collections.abc import Mapping

import torch
from torch import Tensor

from al_lightning.strategies.evidence import Need
from al_lightning.utils.spill import Spill

_NAMED = 10  # rows an error names
_FLOAT32 = 4  # bytes


class EvidenceRows:
    """Tensors of all rows of a pass, written batch by batch: nothing is put together at the end.

    Args:
        count: N, the number of rows.
        spill: Where embeddings go that do not fit in memory, in float16; None keeps them in memory.
    """

    def __init__(self, count: int, spill: Spill | None = None) -> None:
        self._count = count
        self._spill = spill
        self._tensors: dict[Need, Tensor] = {}
        self._written: dict[Need, Tensor] = {}  # how often, (N,) uint8

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
                    self._written[need] = torch.zeros(self._count, dtype=torch.uint8)
            rows = slice(first, first + len(values))
            mine = self._tensors[need]
            # Only pinned memory is waited for when the rows are collected.
            mine[rows].copy_(values, non_blocking=mine.is_pinned())
            self._written[need][rows] += 1

    def collect(self) -> dict[Need, Tensor]:
        """Return all rows, (N, ...) float32 of each need, on the CPU; float16 of what is on the disk.

        Raises:
            RuntimeError: If a row was not written, or written twice; names the rows.
        """
        if self._count and not self._written:
            raise RuntimeError(f"None of {self._count} rows of a pass was written")
        for need, written in self._written.items():
            if self._tensors[need].is_pinned():
                torch.cuda.synchronize()  # the copies are still on their way
            if len(wrong := (written != 1).nonzero().flatten()):
                raise RuntimeError(
                    f"{len(wrong)} of {self._count} rows of a pass were not written exactly once: "
                    f"{wrong[:_NAMED].tolist()}"
                )
        return dict(self._tensors)

    def _make(self, need: Need, values: Tensor) -> Tensor:
        shape = (self._count, *values.shape[1:])
        size = _FLOAT32 * math.prod(shape)
        if need == Need.EMBEDDINGS and self._spill is not None and self._spill.takes(size):
            return self._spill.empty(shape)
        return torch.empty(shape, dtype=torch.float32, pin_memory=values.device.type == "cuda")
