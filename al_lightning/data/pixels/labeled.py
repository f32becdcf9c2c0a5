"""The pixels of labeled images, kept in memory where they are slow to read."""

import torch
from torch import Tensor

from al_lightning.data.pixels.stored import Pixels, PixelStore, pixel_bytes, pixel_rows
from al_lightning.utils.memory import available_bytes

_SHARE = 0.25  # of the memory that is free


class LabeledPixels:
    """Keeps the labeled images of a round, which are read again and again.

    Attributes:
        kept: (L, C, H, W), in the order of the labeled ids; None where none are kept.
    """

    def __init__(self) -> None:
        self.kept: Tensor | None = None
        self._ids: Tensor | None = None

    def keep(self, pixels: Pixels, ids: Tensor) -> None:
        """Keep the pixels of these images, (L,) int64, if they are slow to read, and fit."""
        if not isinstance(pixels, PixelStore) or not pixels.workers:
            return
        if self._ids is not None and torch.equal(self._ids, ids):
            return
        self.kept = self._ids = None
        if pixel_bytes(pixels) // len(pixels) * len(ids) <= _SHARE * (available_bytes() or 0):
            self.kept, self._ids = pixels[ids], ids

    def of(self, pixels: Pixels, ids: Tensor) -> Pixels:
        """Return the pixels of these images, from memory where they are kept."""
        return pixel_rows(pixels, ids) if self.kept is None else self.kept
