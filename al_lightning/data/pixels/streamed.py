"""Images that are decoded whenever they are read."""

from collections.abc import Sequence

import torch
from torch import Tensor

from al_lightning.data.pixels.decode import ValueRange
from al_lightning.data.pixels.decode_files import decode_files
from al_lightning.data.pixels.remote_file import ImageFile, shown_name
from al_lightning.data.pixels.stored import PixelStore
from al_lightning.utils.errors import DataError

_NAMED = 10  # how many files an error names


class StreamedPixels(PixelStore):
    """Files that are decoded at every read: no memory, no disk, and much work.

    Args:
        paths: N image files.
        image_shape: Channels (1 for gray, 3 for RGB), height, width.
        workers: Number of processes that decode during the computation.
        value_range: Black and white of images of more than 8 bits a pixel.
    """

    dtype = torch.uint8

    def __init__(
        self,
        paths: Sequence[ImageFile],
        image_shape: tuple[int, int, int],
        workers: int,
        value_range: ValueRange | None = None,
    ) -> None:
        self.shape = torch.Size((len(paths), *image_shape))
        self.workers = workers
        self._paths, self._image_shape, self._value_range = paths, image_shape, value_range

    def read(self, ids: Tensor) -> Tensor:
        """Decode some files.

        Raises:
            DataError: If one cannot be read any more; names it.
        """
        paths = [self._paths[i] for i in ids.tolist()]
        pixels, troubles = decode_files(paths, self._image_shape, self._value_range)
        bad = [
            f"  - {shown_name(path)}: {why}"
            for path, why in zip(paths, troubles, strict=True)
            if why
        ]
        if bad:
            raise DataError(
                "\n".join(
                    [
                        f"{len(bad)} of the images can no longer be read:",
                        *bad[:_NAMED],
                        "Do not change the files until the run is finished",
                    ]
                )
            )
        return pixels
