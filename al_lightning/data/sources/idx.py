"""Reading IDX files, the format in which MNIST is published."""

import gzip
import hashlib
import math
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from al_lightning.utils.errors import DataError

_UNSIGNED_BYTE = 0x08  # the format's code for the type of its elements


@dataclass(frozen=True)
class IdxFile:
    """What is expected of an IDX file of unsigned bytes.

    Attributes:
        shape: Its dimensions, e.g. (60000, 28, 28).
        md5: The MD5 sum of its content, uncompressed, in hexadecimal.
    """

    shape: tuple[int, ...]
    md5: str

    @property
    def header(self) -> bytes:
        """The magic number (0, 0, type, number of dimensions) and the dimensions, big-endian."""
        magic = bytes((0, 0, _UNSIGNED_BYTE, len(self.shape)))
        return magic + b"".join(size.to_bytes(4, "big") for size in self.shape)

    @property
    def length(self) -> int:
        """The number of bytes of the whole file, uncompressed."""
        return len(self.header) + math.prod(self.shape)


def read_idx(path: Path, expected: IdxFile) -> Tensor:
    """Read an IDX file, plain or compressed with gzip (then its name ends in .gz), and check it.

    Format: http://yann.lecun.com/exdb/mnist (LeCun et al. 1998).

    Args:
        path: The file.
        expected: Its dimensions and checksum.

    Returns:
        uint8, of the expected shape.

    Raises:
        DataError: If the file is unreadable, damaged, or another than expected; names the file,
            what was expected, what came, and what to do.
    """
    content = _content(path, expected)
    trouble = _compare(content, expected)
    if trouble:
        raise _damaged(path, trouble)
    header = len(expected.header)
    array = np.frombuffer(content, dtype=np.uint8, offset=header).reshape(expected.shape)
    return torch.from_numpy(array.copy())


def _content(path: Path, expected: IdxFile) -> bytes:
    """Return the uncompressed content, and no more than it takes to see that it is too long."""
    try:
        if path.stat().st_size == 0:
            raise _damaged(path, f"expected an IDX file of {expected.length} bytes, found 0 bytes")
        with gzip.open(path) if path.suffix == ".gz" else path.open("rb") as file:
            return file.read(expected.length + 1)
    except gzip.BadGzipFile as error:
        raise _damaged(path, f"expected an intact gzip file, found: {error}") from error
    except (EOFError, zlib.error) as error:
        trouble = f"expected an intact gzip file, found a truncated or damaged one: {error}"
        raise _damaged(path, trouble) from error
    except OSError as error:
        raise DataError(f"{path} cannot be read: {error}. Check its permissions") from error


def _compare(content: bytes, expected: IdxFile) -> str:
    """Return how the content differs from the expected one, "" if it does not."""
    header, came = expected.header, content[: len(expected.header)]
    if came[:4] != header[:4]:
        return (
            f"expected an IDX file of bytes in {len(expected.shape)} dimensions, which begins with "
            f"{header[:4].hex(' ')}, found {came[:4].hex(' ')}"
        )
    if came != header:
        sizes = (came[i : i + 4] for i in range(4, len(came), 4))
        dimensions = " x ".join(str(int.from_bytes(size, "big")) for size in sizes)
        return f"expected {' x '.join(map(str, expected.shape))} bytes, found {dimensions}"
    if len(content) != expected.length:
        length = f"{len(content)}" if len(content) < expected.length else "more"
        return f"expected {expected.length} bytes uncompressed, found {length}"
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    if md5 != expected.md5:
        return f"expected the MD5 sum {expected.md5} uncompressed, found {md5}"
    return ""


def _damaged(path: Path, trouble: str) -> DataError:
    """Return the message on a bad file: its name, the fault, and the remedy."""
    return DataError(
        f"{path} is damaged or not the original file: {trouble}. "
        "Replace it with the original, or delete it so that it is looked for elsewhere"
    )
