"""Where decoded images are while a run needs them: in memory, on disk, or nowhere."""

import logging
from collections.abc import Sequence
from enum import StrEnum
from math import prod
from pathlib import Path

from al_lightning.data.pixels.decode import ValueRange
from al_lightning.data.pixels.decode_beside import decode_beside
from al_lightning.data.pixels.decode_files import decode_files
from al_lightning.data.pixels.decoded import Decoded, gather
from al_lightning.data.pixels.duplicates import image_digests
from al_lightning.data.pixels.pixel_cache import PixelCache
from al_lightning.data.pixels.progress import shown_progress
from al_lightning.data.pixels.remote_file import ImageFile, RemoteFile
from al_lightning.data.pixels.streamed import StreamedPixels
from al_lightning.utils.errors import UsageError
from al_lightning.utils.memory import available_bytes
from al_lightning.utils.process import usable_cores

_SHARE = 0.25  # of the memory that is free: a run needs some as well, and so do others
_MANY_FILES = 10_000  # from here on, decoding them again for every run takes longer than a disk

_logger = logging.getLogger(__name__)


class Storage(StrEnum):
    """Where decoded images are kept."""

    AUTO = "auto"
    MEMORY = "memory"
    DISK = "disk"
    STREAM = "stream"


class ImageStorage:
    """Decodes image files, and chooses the storage of the pixels. No result depends on it.

    Args:
        storage: "memory" decodes into memory, at every start. "disk" decodes once into a memory-mapped
            file in ``cache_dir``. "stream" stores nothing, and processes decode images at every
            access. "auto" uses memory for fewer than 10,000 files that fit, else disk; always disk if
            some are behind addresses, so that each is read once. If a disk is full or cannot be
            written, images that do not fit into memory are streamed.
        cache_dir: Folder for "disk"; None for no cache.
        workers: Number of decoding processes; None for one per core.

    Raises:
        UsageError: If a value is not valid; names the configuration's key.
    """

    def __init__(self, storage: str, cache_dir: str | None, workers: int | None) -> None:
        if storage not in list(Storage):
            raise UsageError(f"dataset.storage={storage} is unknown; use {', '.join(Storage)}")
        if storage == Storage.DISK and cache_dir is None:
            raise UsageError("dataset.storage=disk needs a dataset.cache_dir to keep images in")
        if workers is not None and workers < 1:
            raise UsageError(f"dataset.workers={workers} is not valid; use at least 1 process")
        self.storage = Storage(storage)
        self.cache_dir = None if cache_dir is None else Path(cache_dir).expanduser()
        self.workers = workers or usable_cores()
        self._threads = workers

    def decode(
        self,
        root: ImageFile,
        paths: Sequence[ImageFile],
        image_shape: tuple[int, int, int],
        value_range: ValueRange | None = None,
    ) -> Decoded:
        """Decode image files of one folder or table, which are to stay as they are.

        Args:
            root: The folder or the table.
            paths: N files.
            image_shape: Channels (1 for gray, 3 for RGB), height, width.
            value_range: Black and white of images of more than 8 bits a pixel.

        Raises:
            DecodingStoppedError: If a file cannot be decoded now, and is not to blame.
        """
        fits = len(paths) * prod(image_shape) <= _SHARE * (available_bytes() or 0)
        in_memory = self.storage == Storage.MEMORY or (
            self.storage == Storage.AUTO and fits and _are_soon_decoded(paths)
        )
        if in_memory or self.storage == Storage.STREAM or self.cache_dir is None:
            in_memory |= self.storage == Storage.AUTO and fits
            return self._decode(root, paths, image_shape, value_range, in_memory)
        try:
            cache = PixelCache(self.cache_dir, self.workers)
            return cache.decoded(root, paths, image_shape, value_range)
        except OSError as error:
            _logger.warning(
                "The decoded images cannot be kept in %s (%s): they are %s. Free space, or set "
                "dataset.cache_dir to another disk",
                self.cache_dir,
                error,
                "decoded into memory" if fits else "decoded whenever they are read",
            )
            return self._decode(root, paths, image_shape, value_range, fits)

    def _decode(
        self,
        root: ImageFile,
        paths: Sequence[ImageFile],
        image_shape: tuple[int, int, int],
        value_range: ValueRange | None,
        in_memory: bool,
    ) -> Decoded:
        if in_memory:
            return self._into_memory(root, paths, image_shape, value_range)
        with shown_progress(f"Checking {root.name}", len(paths)) as advance:
            parts = decode_beside(
                paths, range(len(paths)), image_shape, self.workers, None, value_range
            )
            digests, troubles = gather(len(paths), parts, advance)
        pixels = StreamedPixels(paths, image_shape, self.workers, value_range)
        return Decoded(pixels, digests, troubles)

    def _into_memory(
        self,
        root: ImageFile,
        paths: Sequence[ImageFile],
        image_shape: tuple[int, int, int],
        value_range: ValueRange | None,
    ) -> Decoded:
        with shown_progress(f"Decoding {root.name}", len(paths)) as advance:
            pixels, troubles = decode_files(paths, image_shape, value_range, self._threads, advance)
        named = {row: trouble for row, trouble in enumerate(troubles) if trouble}
        digests = image_digests(pixels)
        digests[list(named)] = 0
        return Decoded(pixels, digests, named)


def _are_soon_decoded(paths: Sequence[ImageFile]) -> bool:
    """Return whether files are few, and on this machine."""
    return len(paths) < _MANY_FILES and not any(isinstance(path, RemoteFile) for path in paths)
