"""Many image files, decoded beside each other into one tensor."""

import warnings
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import torch
from torch import Tensor
from torch.utils.data import get_worker_info

from al_lightning.data.pixels.decode import ValueRange, read_image
from al_lightning.data.pixels.remote_file import ImageFile, RemoteFile
from al_lightning.utils.errors import DataError


def decode_files(
    paths: Sequence[ImageFile],
    image_shape: tuple[int, int, int],
    value_range: ValueRange | None = None,
    workers: int | None = None,
    advance: Callable[[int], None] = lambda _: None,
) -> tuple[Tensor, list[str]]:
    """Decode image files to one shape, as :func:`al_lightning.data.pixels.decode.read_image` does.

    What PIL can read without being sure, it reads without a warning: an image of up to 178,956,970
    pixels, or damaged metadata.

    Args:
        paths: N files.
        image_shape: Channels (1 for gray, 3 for RGB), height, width.
        value_range: Black and white of images of more than 8 bits a pixel.
        workers: How many threads decode; None for a few more than there are cores.
        advance: Called with the number of files that were decoded since.

    Returns:
        The pixels, (N, channels, height, width) uint8, 0 where a file cannot be read; and what is wrong
        with each file, "" if nothing.

    Raises:
        DecodingStoppedError: If a file cannot be decoded now, and is not to blame; names it.
    """
    pixels = torch.zeros((len(paths), *image_shape), dtype=torch.uint8)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module=r"PIL\.")
        decode = partial(_decode_into, image_shape=image_shape, value_range=value_range)
        waits = any(isinstance(path, RemoteFile) for path in paths)  # for answers of a network
        if get_worker_info() is not None and not waits:  # other processes decode beside this one
            return pixels, list(map(decode, pixels, paths))
        troubles = []
        with ThreadPoolExecutor(workers) as threads:  # PIL releases the interpreter's lock
            for trouble in threads.map(decode, pixels, paths):
                troubles.append(trouble)
                advance(1)
        return pixels, troubles


def _decode_into(
    row: Tensor, path: ImageFile, image_shape: tuple[int, int, int], value_range: ValueRange | None
) -> str:
    """Decode a file into a row of the pixels; return why it cannot be decoded, "" if it can."""
    try:
        row.copy_(read_image(path, image_shape, value_range))
    except DataError as error:
        return str(error)
    return ""
