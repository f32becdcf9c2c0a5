"""Image files, opened with care: nothing but images, and never too many large ones at once."""

import io
import os
import re
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import cache
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

from PIL import ExifTags, Image

from al_lightning.data.pixels.remote_file import ImageFile, RemoteFile
from al_lightning.utils.errors import DataError
from al_lightning.utils.locks import exclusive

#: How the names of image files end, in lower case.
ENDINGS = frozenset(
    [
        ".apng",
        ".avif",
        ".bmp",
        ".gif",
        ".heic",
        ".heif",
        ".jfif",
        ".jp2",
        ".jpeg",
        ".jpg",
        ".pbm",
        ".pgm",
        ".png",
        ".pnm",
        ".ppm",
        ".tga",
        ".tif",
        ".tiff",
        ".webp",
    ]
)
#: What is opened, whatever a file is called. PIL knows more, and starts Ghostscript for one of them.
FORMATS = (
    *("JPEG", "PNG", "GIF", "WEBP", "TIFF", "BMP", "PPM", "JPEG2000", "AVIF", "HEIF"),
    "TGA",  # the last: it has no mark of its own
)
#: Of this many pixels, up to 700 MB while they are decoded, there may be one image a thread or process;
#: of more, one on the machine.
LARGE = 2**25
_TURN, _LOADING = threading.Lock(), threading.Lock()
_HEIF = "pillow_heif"
_UNSIGNED, _SIGNED = 1, 2  # what a TIFF calls its numbers
_DEEP_COLORS = re.compile(r";16[BLN]")  # how a file holds colours of 16 bits


@contextmanager
def open_image(path: ImageFile, least: int) -> Iterator[Image.Image]:
    """Open an image file of one of the :data:`FORMATS`.

    A JPEG is decoded at a fraction of its size, still twice what is needed: it may be turned after
    that, so either side may become the longer one. An image that is large even so waits until no other
    large one is open on this machine, so that memory does not grow with the number of processes.

    Args:
        path: The file.
        least: The longer side that is needed, in pixels.

    Raises:
        DataError: If the file is empty, or a device, or an address without a file.
        Exception: Whatever PIL raises, here and where the image is used.
    """
    with Image.open(_with_content(path), formats=known_formats()) as opened:
        opened.draft(None, (2 * least,) * 2)
        with ExitStack() as stack:
            if opened.width * opened.height > LARGE:
                stack.enter_context(_alone())
            yield opened


def has_deep_colors(image: Image.Image) -> bool:
    """Return whether a file that was opened, and not decoded yet, holds colours of 16 bits."""
    if image.mode.startswith("I"):  # gray
        return False
    tiles = getattr(image, "tile", ())
    return any(_DEEP_COLORS.search(str(tile[3])) for tile in tiles)


def is_misread(image: Image.Image) -> bool:
    """Return whether PIL takes the numbers of a TIFF for others, wrapped around; decodes 32 bits.

    Signed bytes are read as unsigned, and unsigned integers of 32 bits as signed.
    """
    tags = getattr(image, "tag_v2", {})
    if tags.get(ExifTags.Base.SampleFormat, (_UNSIGNED,))[0] == _SIGNED:
        return image.mode == "L"
    least = image.getextrema()[0] if image.mode == "I" and tags else 0
    return isinstance(least, int | float) and least < 0


def _with_content(path: ImageFile) -> Path | io.BytesIO:
    """Return what PIL opens, which is no device, and not empty."""
    if isinstance(path, RemoteFile):
        content = path.read()
        size = len(content)
    else:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise DataError("it is a folder")
        if not stat.S_ISREG(status.st_mode):  # to open a pipe would be to wait for ever
            raise DataError("it is no file, but a device or a pipe")
        size = status.st_size
    if size == 0:
        raise DataError("it is empty, 0 bytes")
    return io.BytesIO(content) if isinstance(path, RemoteFile) else path


def known_formats() -> tuple[str, ...]:
    """Return the formats that this installation reads; some come with packages of their own."""
    with _LOADING:  # a plugin of PIL that two threads import together may be seen half-imported
        return _load_formats()


def has_heif() -> bool:
    """Return whether the package is there by which photographs of phones are read; quickly."""
    return find_spec(_HEIF) is not None


@cache
def _load_formats() -> tuple[str, ...]:
    Image.init()
    if has_heif():
        import_module(_HEIF).register_heif_opener()
    return tuple(name for name in FORMATS if name in Image.OPEN)


@contextmanager
def _alone() -> Iterator[None]:
    """Let one thread of one of a user's processes through at a time."""
    user = os.getuid() if hasattr(os, "getuid") else os.environ.get("USERNAME", "user")
    with _TURN, ExitStack() as stack:
        with suppress(OSError):  # without such a file, the threads of this process take turns
            stack.enter_context(
                exclusive(Path(tempfile.gettempdir()) / f"al_lightning-{user}.lock")
            )
        yield
