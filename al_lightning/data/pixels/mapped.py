"""Decoded pixels in a file that is mapped into memory."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from al_lightning.data.pixels.duplicates import image_digests
from al_lightning.data.pixels.stored import PixelStore
from al_lightning.utils.errors import DataError

FACTS = "facts.json"  #: beside the pixels; without it, they are decoded again


class MappedPixels(PixelStore):
    """Pixels in a file that is mapped into memory; the system drops pages when it needs room.

    Every image is compared with its digest when it is read for the first time, since neither a disk nor
    a time stamp can be trusted to say that it is what was decoded.

    Args:
        path: N images, one after the other.
        shape: (N, C, H, W), of uint8.
        digests: Of each image, (N, 16) uint8; 0 where nothing was decoded. None compares nothing.
    """

    dtype = torch.uint8

    def __init__(self, path: Path, shape: torch.Size, digests: Tensor | None = None) -> None:
        self.shape = shape
        self._path, self._digests = path, digests
        count = shape.numel()
        self._all = torch.from_file(str(path), shared=False, size=count, dtype=torch.uint8)
        self._all = self._all.view(shape)
        # Nothing is expected of files that could not be read.
        self._unseen = torch.zeros(len(self), dtype=torch.bool)
        if digests is not None:
            self._unseen = (digests != 0).any(1)

    def __reduce__(self) -> tuple[Any, ...]:
        """Map the file again in another process, instead of copying its content."""
        return MappedPixels, (self._path, self.shape, self._digests)

    def read(self, ids: Tensor) -> Tensor:
        """Copy some images.

        Raises:
            DataError: If one is not what was decoded. The next run then decodes all images again.
        """
        found = self._all.index_select(0, ids)
        new = self._unseen[ids]
        if self._digests is not None and bool(new.any()):
            wrong = ~(image_digests(found[new]) == self._digests[ids[new]]).all(1)
            if bool(wrong.any()):
                with suppress(OSError):
                    (self._path.parent / FACTS).unlink()
                raise DataError(
                    f"{self._path} was changed or damaged: {int(wrong.sum())} of {int(new.sum())} "
                    "images are not what was decoded. Run the same command to decode them again"
                )
            self._unseen[ids[new]] = False
        return found
