"""Images that were decoded once, kept on disk, and mapped into memory from there."""

import hashlib
import json
import logging
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import PIL
import torch
from torch import Tensor

from al_lightning.data.folder.duplicates import DIGEST, image_digests
from al_lightning.data.pixels.decode import DECODER, DecodingStoppedError, ValueRange
from al_lightning.data.pixels.decode_beside import Part, decode_beside
from al_lightning.data.pixels.decoded import Decoded, gather
from al_lightning.data.pixels.progress import shown_progress
from al_lightning.data.pixels.stored import PixelStore
from al_lightning.utils.caches import note_use
from al_lightning.utils.errors import DataError, UsageError
from al_lightning.utils.files import reserve, sync_folder, write_whole
from al_lightning.utils.locks import exclusive
from al_lightning.utils.names import readable_name

_LEFT_FREE = 256 * 2**20  # bytes of a disk that are not ours to fill
_PIXELS, _DIGESTS, _FACTS = "pixels.bin", "digests.bin", "facts.json"
_PARTIAL = ".partial"
_BLOCK = 4096  # images read at a time, to check them

_logger = logging.getLogger(__name__)


class MappedPixels(PixelStore):
    """Pixels in a file that is mapped into memory: what the system has no room for, it drops.

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
            self._unseen = digests.any(1)

    def __reduce__(self) -> tuple[Any, ...]:
        """Map the file anew in another process, instead of copying what is in it."""
        return MappedPixels, (self._path, self.shape, self._digests)

    def read(self, ids: Tensor) -> Tensor:
        """Copy some images.

        Raises:
            DataError: If one is not what was decoded. The next run then decodes all anew.
        """
        found = self._all[ids]
        new = self._unseen[ids]
        if self._digests is not None and bool(new.any()):
            wrong = ~(image_digests(found[new]) == self._digests[ids[new]]).all(1)
            if bool(wrong.any()):
                with suppress(OSError):
                    (self._path.parent / _FACTS).unlink()
                raise DataError(
                    f"{self._path} was changed or damaged: {int(wrong.sum())} of {int(new.sum())} "
                    "images are not what was decoded. Run the same command again: they are decoded anew"
                )
            self._unseen[ids[new]] = False
        return found


class PixelCache:
    """Keeps decoded images by the files they come from.

    Images are known by the path of their folder, and the name, size and times of last change of each
    file: none is read to find out that nothing has changed. What is kept is checked against what was
    decoded where its file was changed since. A process that finds another one at work waits for it;
    what a killed one has decoded is taken up. The images of one folder at one size are kept once:
    those of earlier files are removed.

    Args:
        folder: Where to; may be removed at any time.
        workers: How many processes shall decode.
    """

    def __init__(self, folder: Path, workers: int) -> None:
        self._folder = folder
        self._workers = workers

    def decoded(
        self,
        root: Path,
        paths: Sequence[Path],
        image_shape: tuple[int, int, int],
        value_range: ValueRange | None = None,
    ) -> Decoded:
        """Return images that were decoded before, or decode them now.

        Args:
            root: The folder that all files are in.
            paths: N files.
            image_shape: Channels (1 for gray, 3 for RGB), height, width.
            value_range: Black and white of images of more than 8 bits a pixel.

        Raises:
            DecodingStoppedError: If a file cannot be decoded now, and is not to blame.
            OSError: If they cannot be kept: no space, no permission, no locks.
        """
        order = sorted(range(len(paths)), key=lambda i: paths[i].as_posix())
        entry = _Entry.of(self._folder, root, [paths[i] for i in order], image_shape, value_range)
        found = entry.read()
        if found is None:
            with exclusive(self._folder / f"{entry.family}.lock", self._say_waiting):
                found = entry.read(say_why_not=True) or self._make(entry)
                entry.remove_earlier()
        back = [0] * len(order)
        for place, i in enumerate(order):
            back[i] = place
        return found.rows(back)

    def _make(self, entry: "_Entry") -> Decoded:
        """Decode what is not there yet."""
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

    def _say_waiting(self) -> None:
        _logger.info("Another process decodes these images into %s; waiting for it", self._folder)


@dataclass(frozen=True)
class _Entry:
    """The place of some files in the cache.

    Attributes:
        folder: Of this entry alone.
        family: Digest of the folder of the files and of the shape of the images.
        root: The folder that the files are in.
        paths: N of them, sorted.
        image_shape: Channels, height, width.
        value_range: Black and white of images of more than 8 bits a pixel.
    """

    folder: Path
    family: str
    root: Path
    paths: Sequence[Path]
    image_shape: tuple[int, int, int]
    value_range: ValueRange | None

    @classmethod
    def of(
        cls,
        cache: Path,
        root: Path,
        paths: Sequence[Path],
        image_shape: tuple[int, int, int],
        value_range: ValueRange | None,
    ) -> "_Entry":
        where = json.dumps([os.fsencode(root.resolve()).hex(), image_shape])
        family = hashlib.sha256(where.encode()).hexdigest()[:8]
        what = hashlib.sha256(f"{DECODER} {PIL.__version__} {value_range} {where}\n".encode())
        start = len(os.fspath(root / "x")) - 1  # Path.relative_to would take half of a start
        for path in paths:
            below = os.fsencode(os.fspath(path)[start:])
            what.update(below + b"\0" + _state(path) + b"\n")
        name = f"{family}-{what.hexdigest()[:24]}"
        return cls(cache / name, family, root, paths, image_shape, value_range)

    @property
    def shape(self) -> torch.Size:
        """Of all pixels."""
        return torch.Size((len(self.paths), *self.image_shape))

    # What is there

    def read(self, say_why_not: bool = False) -> Decoded | None:
        """Return what is kept; None if nothing is, or what is there is damaged."""
        try:
            facts = json.loads((self.folder / _FACTS).read_text(encoding="utf-8"))
            digests = self._digests(facts)
            self._check_pixels(facts, digests)
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            if say_why_not:
                _logger.warning(
                    "%s cannot be used (%s): the images are decoded anew", self.folder, error
                )
            return None
        note_use(self.folder / _FACTS)
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
                name = readable_name(self.paths[row].relative_to(self.root))
                raise ValueError(f"{_PIXELS} was changed: {name} is not what was decoded")
        with suppress(UsageError):  # it may be read-only: then it is checked once more next time
            self._write_facts(facts["digests"], facts["troubles"])

    def _intact(self, path: Path, digests: Tensor) -> Iterator[bool]:
        """Yield of every image whether it is what was decoded."""
        pixels = MappedPixels(path, self.shape)
        for first in range(0, len(pixels), _BLOCK):
            block = slice(first, first + _BLOCK)
            yield from (image_digests(pixels[block]) == digests[block]).all(1).tolist()

    # Making it

    def make(self, workers: int) -> Decoded:
        """Decode all files, but for those that a killed process has left decoded."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / _FACTS).unlink(missing_ok=True)
        pixels, marks = (self.folder / f"{name}{_PARTIAL}" for name in (_PIXELS, _DIGESTS))
        kept = self._left_over(pixels, marks)
        reserve(pixels, self.shape.numel(), _LEFT_FREE)
        reserve(marks, len(kept) * DIGEST)
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
        """Return the digests of what a killed process has decoded, (N, 16) uint8; 0 for the rest."""
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

    def _finish(self, pixels: Path, marks: Path, digests: Tensor, troubles: dict[int, str]) -> None:
        content = digests.numpy().tobytes()
        marks.write_bytes(content)
        for partial in (pixels, marks):
            with partial.open("r+b") as file:
                os.fsync(file.fileno())
            partial.replace(partial.with_name(partial.name.removesuffix(_PARTIAL)))
        sync_folder(self.folder)
        named = {str(row): trouble for row, trouble in sorted(troubles.items())}
        # The last of all: with it, the entry is whole.
        self._write_facts(hashlib.sha256(content).hexdigest(), named)

    def _write_facts(self, digests: str, troubles: dict[str, str]) -> None:
        changed = (self.folder / _PIXELS).stat().st_mtime_ns
        facts = {"root": str(self.root), "digests": digests, "changed": changed}
        write_whole(self.folder / _FACTS, json.dumps({**facts, "troubles": troubles}))

    def remove(self) -> None:
        """Make room again."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def remove_earlier(self) -> None:
        """Remove what was kept of the same folder when other files were in it."""
        for other in self.folder.parent.glob(f"{self.family}-*"):
            if other != self.folder:
                shutil.rmtree(other, ignore_errors=True)


def _state(path: Path) -> bytes:
    """Return what changes when a file does."""
    try:
        status = path.stat()
    except OSError:  # decoding it will say why
        return b"gone"
    # The last of them cannot be set: a file that was replaced and given its old time shows it.
    return f"{status.st_size} {status.st_mtime_ns} {status.st_ctime_ns}".encode()


def _noted(parts: Iterator[Part], marks: Path) -> Iterator[Part]:
    """Note what was decoded, once its pixels are written, so that nobody has to do it again."""
    with marks.open("r+b", buffering=0) as file:
        for part in parts:
            for i, row in enumerate(part.rows):
                file.seek(row * DIGEST)
                file.write(part.digests[i * DIGEST : (i + 1) * DIGEST])
            yield part
