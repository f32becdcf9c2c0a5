"""Pixels that stay on the device that computes with them."""

import weakref

import torch
from torch import Tensor

from al_lightning.data.pixels.stored import Pixels, PixelStore, pixel_bytes

_SHARE = 0.5  # of the memory that is free: the rest is for activations
_BLOCK = 4096  # images that are moved at a time


class Resident:
    """Puts pixels onto a device once, so that no batch has to travel.

    A device without memory of its own, such as the CPU, and pixels that are too many, or slow to read,
    leave them where they are. Copies go where their pixels go.
    """

    def __init__(self) -> None:
        self._there: dict[int, tuple[torch.device, Tensor]] = {}  # by the identity of the pixels

    def on(self, device: torch.device, pixels: Pixels) -> Pixels:
        """Return the pixels on a device if they fit there, and as they are otherwise.

        Args:
            device: Where batches are computed with.
            pixels: (N, C, H, W). The same object is moved once; it must not change.
        """
        known = self._there.get(id(pixels))
        if known is not None and known[0] == device:
            return known[1]
        slow = isinstance(pixels, PixelStore) and pixels.workers > 0
        if device.type == "cpu" or slow or pixel_bytes(pixels) > _SHARE * _free_on(device):
            return pixels
        moved = torch.empty(pixels.shape, dtype=pixels.dtype, device=device)
        for first in range(0, len(pixels), _BLOCK):
            block = slice(first, first + _BLOCK)
            moved[block].copy_(pixels[block])
        self._there[id(pixels)] = device, moved
        weakref.finalize(pixels, self._there.pop, id(pixels), None)
        return moved

    def __getstate__(self) -> dict[str, object]:
        """Drop the copies on a device: they belong to one process."""
        return {"_there": {}}


def _free_on(device: torch.device) -> int:
    """Return how many bytes are free in the own memory of a device; 0 where that is unknown."""
    return torch.cuda.mem_get_info(device)[0] if device.type == "cuda" else 0
