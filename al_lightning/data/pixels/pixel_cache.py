"""The cache of decoded images on disk, shared by all runs."""

import logging
from collections.abc import Sequence
from pathlib import Path

from al_lightning.data.pixels.cache_entry import CacheEntry
from al_lightning.data.pixels.decode import ValueRange
from al_lightning.data.pixels.decoded import Decoded
from al_lightning.data.pixels.remote_file import ImageFile
from al_lightning.data.pixels.stopped import DecodingStoppedError
from al_lightning.utils.errors import UsageError
from al_lightning.utils.locks import exclusive

_logger = logging.getLogger(__name__)


class PixelCache:
    """Caches decoded images by their files.

    The key is the path of the folder, and the name, size and modification times of each file, so
    checking for changes reads no file. If the cache file itself was modified, it is compared with the
    digests of the decoded images. A process waits for another one that decodes the same images, and
    continues from the images that a killed process has decoded. The images of one folder at one size
    are stored once: where files have come or gone, what is decoded already is copied, and the rest of
    it removed.

    Args:
        folder: Folder of the cache; may be removed at any time.
        workers: Number of decoding processes.
    """

    def __init__(self, folder: Path, workers: int) -> None:
        self._folder = folder
        self._workers = workers

    def decoded(
        self,
        root: ImageFile,
        paths: Sequence[ImageFile],
        image_shape: tuple[int, int, int],
        value_range: ValueRange | None = None,
    ) -> Decoded:
        """Return images that were decoded before, or decode them now.

        Args:
            root: The folder or the table that names the files.
            paths: N files.
            image_shape: Channels (1 for gray, 3 for RGB), height, width.
            value_range: Black and white of images of more than 8 bits a pixel.

        Raises:
            DecodingStoppedError: If a file cannot be decoded now, and is not to blame.
            OSError: If they cannot be kept: no space, no permission, no locks.
        """
        order = sorted(range(len(paths)), key=lambda i: paths[i].as_posix())
        entry = CacheEntry.of(
            self._folder, root, [paths[i] for i in order], image_shape, value_range
        )
        found = entry.read()
        if found is None:
            with exclusive(self._folder / f"{entry.family}.lock", self._log_waiting):
                found = entry.read(warn=True) or self._make(entry)
                entry.remove_earlier()
        back = [0] * len(order)
        for place, i in enumerate(order):
            back[i] = place
        return found.rows(back)

    def _make(self, entry: CacheEntry) -> Decoded:
        """Decode the images that are missing."""
        try:
            return entry.make(self._workers)
        except DecodingStoppedError:  # what is done is taken up by the next run
            raise
        except UsageError as error:  # of a file that is written as a whole
            entry.remove()
            raise OSError(str(error)) from error
        except OSError:
            entry.remove()
            raise

    def _log_waiting(self) -> None:
        _logger.info("Another process decodes these images into %s; waiting for it", self._folder)
