"""Many image files, decoded by processes beside each other; none of them is kept in memory."""

import errno
import hashlib
import math
import os
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import DataLoader, Dataset

from al_lightning.data.pixels.decode import ValueRange
from al_lightning.data.pixels.decode_files import decode_files
from al_lightning.data.pixels.duplicates import DIGEST
from al_lightning.data.pixels.remote_file import ImageFile
from al_lightning.data.pixels.stopped import DecodingStoppedError

_PART = 64  # files a process decodes between two reports


@dataclass(frozen=True)
class Part:
    """The result of a worker for some files.

    Attributes:
        rows: Which files, of those that were given.
        digests: Of each, 16 bytes one after the other; all 0 where it cannot be read.
        troubles: What is wrong with those that cannot be read, by row.
        failure: Why the pixels could not be decoded now, or not be written.
    """

    rows: Sequence[int]
    digests: bytes
    troubles: dict[int, str]
    failure: OSError | DecodingStoppedError | None = None


def decode_beside(
    paths: Sequence[ImageFile],
    rows: Sequence[int],
    image_shape: tuple[int, int, int],
    workers: int,
    keep: Path | None = None,
    value_range: ValueRange | None = None,
) -> Iterator[Part]:
    """Decode image files as :func:`al_lightning.data.pixels.decode_files.decode_files` does.

    Args:
        paths: N files.
        rows: Which of them to decode.
        image_shape: Channels (1 for gray, 3 for RGB), height, width.
        workers: The number of processes. For a few files none is started.
        keep: A file that takes the pixels: (channels, height, width) uint8 of each file in its place
            among all N. None keeps digests alone.
        value_range: Black and white of images of more than 8 bits a pixel.

    Yields:
        What became of them, in parts, as they are done.

    Raises:
        OSError: If the pixels cannot be written.
        DecodingStoppedError: If a file cannot be decoded now, and is not to blame.
    """
    parts = math.ceil(len(rows) / _PART)
    loader = DataLoader(
        _Parts(paths, rows, image_shape, keep, value_range),
        batch_size=None,
        num_workers=workers if parts > workers > 1 else 0,
        collate_fn=_as_it_is,
        worker_init_fn=leave_signals,
        generator=torch.Generator(),  # else it would draw from torch's global one
    )
    for part in loader:
        if part.failure is not None:
            raise part.failure
        yield part


def leave_signals(worker: int) -> None:  # noqa: ARG001 - what a DataLoader calls in its workers
    """Let a worker ignore Ctrl-C, which its parent handles, and die of other signals."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


class _Parts(Dataset[Part]):
    def __init__(
        self,
        paths: Sequence[ImageFile],
        rows: Sequence[int],
        image_shape: tuple[int, int, int],
        keep: Path | None,
        value_range: ValueRange | None,
    ) -> None:
        self._paths, self._rows, self._keep = paths, rows, keep
        self._image_shape, self._value_range = image_shape, value_range

    def __len__(self) -> int:
        return math.ceil(len(self._rows) / _PART)

    def __getitem__(self, part: int) -> Part:
        rows = self._rows[part * _PART : (part + 1) * _PART]
        try:  # as a value: what a worker raises comes out without its number
            pixels, troubles = decode_files(
                [self._paths[row] for row in rows], self._image_shape, self._value_range
            )
            if self._keep is not None:
                write_images(self._keep, rows, pixels)
        except (OSError, DecodingStoppedError) as error:
            return Part(rows, bytes(DIGEST * len(rows)), {}, error)
        digests = b"".join(
            bytes(DIGEST) if trouble else hashlib.sha256(row.numpy().data).digest()[:DIGEST]
            for row, trouble in zip(pixels, troubles, strict=True)
        )
        named = {row: trouble for row, trouble in zip(rows, troubles, strict=True) if trouble}
        return Part(rows, digests, named)


def write_images(path: Path, rows: Sequence[int], pixels: Tensor) -> None:
    """Write images, (M, C, H, W) uint8, in their places in a file of all of them."""
    with path.open("r+b", buffering=0) as file:
        for row, image in zip(rows, pixels.numpy(), strict=True):
            file.seek(row * image.nbytes)
            if file.write(image.data) != image.nbytes:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _as_it_is(part: Any) -> Any:
    return part
