"""Where the evidence of a pass is written, row by row."""

from collections.abc import Mapping

import torch
from torch import Tensor

from al_lightning.strategies.evidence import Need

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
                    self._tensors[need] = self._make(values)
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

    def _make(self, values: Tensor) -> Tensor:
        shape = (self._count, *values.shape[1:])
        return torch.empty(shape, dtype=torch.float32, pin_memory=values.device.type == "cuda")
