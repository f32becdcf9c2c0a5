"""An entry of the cache of decoded images: the pixels of some files, and their digests."""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import PIL
import torch
from torch import Tensor

from al_lightning.data.pixels.decode import DECODER, ValueRange
from al_lightning.data.pixels.decode_beside import Part, decode_beside, write_images
from al_lightning.data.pixels.decoded import Decoded, gather
from al_lightning.data.pixels.duplicates import DIGEST, image_digests
from al_lightning.data.pixels.image_files import has_heif
from al_lightning.data.pixels.mapped import FACTS, MappedPixels
from al_lightning.data.pixels.progress import shown_progress
from al_lightning.data.pixels.remote_file import ImageFile, RemoteFile, shown_name
from al_lightning.utils.caches import note_use
from al_lightning.utils.errors import DataError, UsageError
from al_lightning.utils.files import reserve, sync_folder, write_whole

_LEFT_FREE = 256 * 2**20  # bytes of a disk that are not ours to fill
_PIXELS, _DIGESTS, _KEYS = "pixels.bin", "digests.bin", "files.bin"
_PARTIAL = ".partial"
_BLOCK = 4096  # images read at a time, to check them
_REQUESTS = 32  # to a network at the same time

_logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class CacheEntry:
    """The place of some files in the cache.

    Attributes:
        folder: Of this entry alone.
        family: Digest of the place of the folder or table, and of the shape of the images.
        root: The folder or the table that names the files.
        paths: N of them, sorted.
        keys: A digest of each file's path and state and of the way to decode it, 16 bytes each.
        image_shape: Channels, height, width.
        value_range: Black and white of images of more than 8 bits a pixel.
    """

    folder: Path
    family: str
    root: ImageFile
    paths: Sequence[ImageFile]
    keys: bytes
    image_shape: tuple[int, int, int]
    value_range: ValueRange | None

    @classmethod
    def of(
        cls,
        cache: Path,
        root: ImageFile,
        paths: Sequence[ImageFile],
        image_shape: tuple[int, int, int],
        value_range: ValueRange | None,
    ) -> "CacheEntry":
        """Return the entry of some files as they are now; nothing is read of them.

        Args:
            cache: The folder of all entries.
            root: The folder or the table that names the files.
            paths: N of them, sorted.
            image_shape: Channels, height, width.
            value_range: Black and white of images of more than 8 bits a pixel.
        """
        place = root.url if isinstance(root, RemoteFile) else root.resolve()
        where = json.dumps([os.fsencode(place).hex(), image_shape])
        family = hashlib.sha256(where.encode()).hexdigest()[:8]
        how = f"{DECODER} {PIL.__version__} {has_heif()} {value_range} {where}\n".encode()
        prefix = "" if isinstance(root, RemoteFile) else os.fspath(root / "x")[:-1]
        keys = b"".join(
            hashlib.sha256(how + _key(path, prefix) + b"\0" + state).digest()[:DIGEST]
            for path, state in zip(paths, _states(paths), strict=True)
        )
        name = f"{family}-{hashlib.sha256(how + keys).hexdigest()[:24]}"
        return cls(cache / name, family, root, paths, keys, image_shape, value_range)

    @property
    def shape(self) -> torch.Size:
        """Of all pixels."""
        return torch.Size((len(self.paths), *self.image_shape))

    # What is there

    def read(self, warn: bool = False) -> Decoded | None:
        """Return the cached images; None if there are none, or they are damaged."""
        try:
            facts = json.loads((self.folder / FACTS).read_text(encoding="utf-8"))
            digests = self._digests(facts)
            self._check_pixels(facts, digests)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            if warn:
                _logger.warning(
                    "%s cannot be used (%s): the images are decoded again", self.folder, error
                )
            return None
        note_use(self.folder / FACTS)
        troubles = {int(row): str(trouble) for row, trouble in facts["troubles"].items()}
        return Decoded(self._mapped(digests), digests, troubles)

    def _mapped(self, digests: Tensor) -> MappedPixels:
        return MappedPixels(self.folder / _PIXELS, self.shape, digests)

    def _digests(self, facts: dict[str, Any]) -> Tensor:
        content = (self.folder / _DIGESTS).read_bytes()
        if hashlib.sha256(content).hexdigest() != facts["digests"]:
            raise ValueError(f"{_DIGESTS} was changed")
        return torch.frombuffer(bytearray(content), dtype=torch.uint8).view(-1, DIGEST)

    def _check_pixels(self, facts: dict[str, Any], digests: Tensor) -> None:
        """Check the size, and every image where the file was written to since it was made."""
        status = (self.folder / _PIXELS).stat()
        expected = self.shape.numel()
        if status.st_size != expected:
            raise ValueError(f"{_PIXELS} has {status.st_size:,} bytes instead of {expected:,}")
        if status.st_mtime_ns == facts["changed"]:
            return
        unreadable = {int(row) for row in facts["troubles"]}
        for row, fine in enumerate(self._intact(self.folder / _PIXELS, digests)):
            if not fine and row not in unreadable:
                name = shown_name(_below(self.paths[row], self.root))
                raise ValueError(f"{_PIXELS} was changed: {name} is not what was decoded")
        with suppress(UsageError):  # it may be read-only: then it is checked once more next time
            self._write_facts(facts["digests"], facts["troubles"])

    def _intact(self, path: Path, digests: Tensor) -> Iterator[bool]:
        """Yield for every image whether its pixels have their digest."""
        pixels = MappedPixels(path, self.shape)
        for first in range(0, len(pixels), _BLOCK):
            block = slice(first, first + _BLOCK)
            yield from (image_digests(pixels[block]) == digests[block]).all(1).tolist()

    # Making it

    def make(self, workers: int) -> Decoded:
        """Decode all files, but for those that a killed process has left decoded."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / FACTS).unlink(missing_ok=True)
        pixels, marks = (self.folder / f"{name}{_PARTIAL}" for name in (_PIXELS, _DIGESTS))
        kept = self._left_over(pixels, marks)
        reserve(pixels, self.shape.numel(), _LEFT_FREE)
        reserve(marks, len(kept) * DIGEST)
        self._take_over(pixels, kept)
        rows = (kept == 0).all(1).nonzero().flatten().tolist()
        done = len(kept) - len(rows)
        with shown_progress(f"Decoding {self.root.name}", len(kept), done) as advance:
            parts = decode_beside(
                self.paths, rows, self.image_shape, workers, pixels, self.value_range
            )
            digests, troubles = gather(len(kept), _noted(parts, marks), advance)
        digests += kept  # each is 0 where the other is not
        self._finish(pixels, marks, digests, troubles)
        return Decoded(self._mapped(digests), digests, troubles)

    def _left_over(self, pixels: Path, marks: Path) -> Tensor:
        """Return the digests of images that a killed process has decoded, (N, 16) uint8; else 0."""
        kept = torch.zeros((len(self.paths), DIGEST), dtype=torch.uint8)
        try:
            content = marks.read_bytes()
            if len(content) != kept.numel() or pixels.stat().st_size != self.shape.numel():
                return kept
        except FileNotFoundError:
            return kept
        noted = torch.frombuffer(bytearray(content), dtype=torch.uint8).view(kept.shape)
        intact = torch.tensor(list(self._intact(pixels, noted)))
        return torch.where(intact[:, None], noted, kept)

    def _take_over(self, pixels: Path, kept: Tensor) -> None:
        """Copy images that an entry of earlier files of the same folder has; fill in their digests."""
        for other in sorted(self.folder.parent.glob(f"{self.family}-*")):
            if other == self.folder or not (other / FACTS).exists():
                continue
            with suppress(OSError, ValueError, DataError):  # it is only an earlier one
                row_of = {key: row for row, key in enumerate(_split((other / _KEYS).read_bytes()))}
                content = bytearray((other / _DIGESTS).read_bytes())
                digests = torch.frombuffer(content, dtype=torch.uint8).view(-1, DIGEST)
                shape = torch.Size((len(digests), *self.image_shape))
                store = MappedPixels(other / _PIXELS, shape, digests)
                pairs = [
                    (row, row_of[key])
                    for row, key in enumerate(_split(self.keys))
                    if key in row_of and not bool(kept[row].any())
                ]
                pairs = [(row, old) for row, old in pairs if bool(digests[old].any())]
                for first in range(0, len(pairs), _BLOCK):
                    rows, old = map(list, zip(*pairs[first : first + _BLOCK], strict=True))
                    write_images(pixels, rows, store.read(torch.tensor(old)))
                    kept[rows] = digests[old]

    def _finish(self, pixels: Path, marks: Path, digests: Tensor, troubles: dict[int, str]) -> None:
        content = digests.numpy().tobytes()
        marks.write_bytes(content)
        for partial in (pixels, marks):
            with partial.open("r+b") as file:
                os.fsync(file.fileno())
            partial.replace(partial.with_name(partial.name.removesuffix(_PARTIAL)))
        (self.folder / _KEYS).write_bytes(self.keys)
        sync_folder(self.folder)
        named = {str(row): trouble for row, trouble in sorted(troubles.items())}
        # The last of all: with it, the entry is whole.
        self._write_facts(hashlib.sha256(content).hexdigest(), named)

    def _write_facts(self, digests: str, troubles: dict[str, str]) -> None:
        changed = (self.folder / _PIXELS).stat().st_mtime_ns
        facts = {"root": str(self.root), "digests": digests, "changed": changed}
        write_whole(self.folder / FACTS, json.dumps({**facts, "troubles": troubles}))

    def remove(self) -> None:
        """Remove this entry."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def remove_earlier(self) -> None:
        """Remove the entries of the same folder with other files in it."""
        for other in self.folder.parent.glob(f"{self.family}-*"):
            if other != self.folder:
                shutil.rmtree(other, ignore_errors=True)


def _split(content: bytes) -> list[bytes]:
    """Return the digests of a file of them, one after the other."""
    return [content[i : i + DIGEST] for i in range(0, len(content), DIGEST)]


def _below(path: ImageFile, root: ImageFile) -> ImageFile:
    """Return a file relative to a folder, or as it is where it is elsewhere."""
    if isinstance(path, RemoteFile) or isinstance(root, RemoteFile):
        return path
    return path.relative_to(root) if path.is_relative_to(root) else path


def _key(path: ImageFile, prefix: str) -> bytes:
    """Return the path of a file in a folder; as a whole, or its address, where it is elsewhere."""
    # Path.relative_to would take half of a start.
    text = path.url if isinstance(path, RemoteFile) else os.fspath(path).removeprefix(prefix)
    return os.fsencode(text)


def _states(paths: Sequence[ImageFile]) -> Iterable[bytes]:
    """Return for each file what changes when the file does; nothing is read of them."""
    if not any(isinstance(path, RemoteFile) for path in paths):
        return map(_state, paths)
    with ThreadPoolExecutor(_REQUESTS) as threads:
        return list(threads.map(_state, paths))


def _state(path: ImageFile) -> bytes:
    """Return size and times of a file."""
    if isinstance(path, RemoteFile):
        return path.state()
    try:
        status = path.stat()
    except OSError:  # decoding it will say why
        return b"gone"
    # The last of them cannot be set: a file that was replaced and given its old time shows it.
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}".encode()


def _noted(parts: Iterator[Part], marks: Path) -> Iterator[Part]:
    """Write each image's digest once its pixels are written: a later process continues from there."""
    with marks.open("r+b", buffering=0) as file:
        for part in parts:
            for i, row in enumerate(part.rows):
                file.seek(row * DIGEST)
                file.write(part.digests[i * DIGEST : (i + 1) * DIGEST])
            yield part
