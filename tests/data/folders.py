"""Folders of images for tests."""

import struct
import zlib
from pathlib import Path

from PIL import Image


def save(path: Path, shade: int = 0, size: tuple[int, int] = (8, 8)) -> Path:
    """Save a gray image; the shade tells it from others."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, (shade, shade, shade)).save(path)
    return path


def fill(
    folder: Path, count: int = 5, classes: tuple[str, ...] = ("cat", "dog"), first: int = 0
) -> Path:
    """Save images of some classes; those of the first have the shades from ``first`` on."""
    for label, name in enumerate(classes):
        for number in range(count):
            save(folder / name / f"{number}.png", shade=first + 10 * label + number)
    return folder


def png(width: int, height: int, bits: int, kind: int, rows: bytes) -> bytes:
    """A PNG by its header: the bits of a sample, the kind of colours, and the filtered rows."""
    chunks = b""
    for name, data in (
        (b"IHDR", struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)),
        (b"IDAT", zlib.compress(rows)),
        (b"IEND", b""),
    ):
        crc = struct.pack(">I", zlib.crc32(name + data))
        chunks += struct.pack(">I", len(data)) + name + data + crc
    return b"\x89PNG\r\n\x1a\n" + chunks


def png16(color: list[int]) -> bytes:
    """A PNG of one pixel in RGB of 16 bits, which PIL reads and does not write."""
    return png(1, 1, 16, 2, b"\0" + struct.pack(">HHH", *color))
