"""Pixels of many images, wherever they are."""

from abc import ABC, abstractmethod
from typing import Any

import torch
from torch import Tensor


class PixelStore(ABC):
    """Pixels that are read on access; indexed by images, like a tensor.

    Attributes:
        shape: (N, C, H, W).
        dtype: uint8, 0 to 255; or float32 in [0, 1].
        workers: How many processes shall read, where batches are read beside the computation; 0 where
            reading is too quick to be worth any.
    """

    shape: torch.Size
    dtype: torch.dtype
    workers: int = 0

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, index: Any) -> Tensor:
        """Return the pixels of an image, (C, H, W), or of several, (M, C, H, W).

        Args:
            index: What a tensor's first dimension takes: a number, a slice, ids (M,) int64, a mask.
        """
        ids = torch.arange(len(self))[index]
        return self.read(ids) if ids.ndim else self.read(ids[None])[0]

    @abstractmethod
    def read(self, ids: Tensor) -> Tensor:
        """Read some images, (M,) int64, in this order; return (M, C, H, W) that is the caller's own."""


class StoredRows(PixelStore):
    """Some images of a store, in an order; pixels are read on access.

    Args:
        store: All of them.
        ids: Which, (M,) int64.
    """

    def __init__(self, store: PixelStore, ids: Tensor) -> None:
        self.shape = torch.Size((len(ids), *store.shape[1:]))
        self.dtype = store.dtype
        self.workers = store.workers
        self._store, self._ids = store, ids

    def read(self, ids: Tensor) -> Tensor:
        """Read them from where they are."""
        return self._store.read(self._ids[ids])


#: Pixels, (N, C, H, W): in memory, or read on access.
Pixels = Tensor | PixelStore


def pixel_rows(pixels: Pixels, ids: Tensor) -> Pixels:
    """Return the pixels of some images, (M,) int64: a copy in memory, or where they are."""
    return StoredRows(pixels, ids) if isinstance(pixels, PixelStore) else pixels[ids]


def pixel_bytes(pixels: Pixels) -> int:
    """Return how much memory the pixels take once they are read."""
    return pixels.shape.numel() * pixels.dtype.itemsize
