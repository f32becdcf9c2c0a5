"""The results of decoding many files."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from al_lightning.data.pixels.decode_beside import Part
from al_lightning.data.pixels.duplicates import DIGEST
from al_lightning.data.pixels.stored import Pixels, pixel_rows


@dataclass(frozen=True)
class Decoded:
    """Image files that were decoded.

    Attributes:
        pixels: (N, C, H, W) uint8; 0 where a file cannot be read.
        digests: Of each image, (N, 16) uint8; 0 where a file cannot be read.
        troubles: What is wrong with the files that cannot be read, by row.
    """

    pixels: Pixels
    digests: Tensor
    troubles: dict[int, str]

    def rows(self, order: Sequence[int]) -> "Decoded":
        """Return all of them in another order; nothing is copied that is not in memory."""
        ids = torch.tensor(order, dtype=torch.int64)
        troubles = {row: self.troubles[i] for row, i in enumerate(order) if i in self.troubles}
        return replace(
            self,
            pixels=pixel_rows(self.pixels, ids),
            digests=self.digests[ids],
            troubles=troubles,
        )


def gather(
    count: int, parts: Iterable[Part], advance: Callable[[int], None]
) -> tuple[Tensor, dict[int, str]]:
    """Collect the results of the workers for N files.

    Args:
        count: N.
        parts: As they come.
        advance: Called with the number of files of each part.

    Returns:
        The digests of all files, (N, 16) uint8, and the troubles of those that have any, by row.
    """
    digests = torch.zeros((count, DIGEST), dtype=torch.uint8)
    troubles: dict[int, str] = {}
    for part in parts:
        found = torch.frombuffer(bytearray(part.digests), dtype=torch.uint8)
        digests[torch.tensor(part.rows)] = found.view(-1, DIGEST)
        troubles |= part.troubles
        advance(len(part.rows))
    return digests, troubles
