"""Embeddings that were made elsewhere, such as on a machine with a GPU."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from al_lightning.data.embeddings import Embeddings
from al_lightning.data.source import ImageData, Images
from al_lightning.utils.errors import DataError
from al_lightning.utils.listing import shortened

_FLAT = 2  # dimensions
_NAMED = 5  # images in a message


def read_embeddings(path: Path, data: ImageData, columns: int) -> Embeddings:
    """Return the embeddings of a data set from a file, and check that they are of its images.

    The file is (M, D) float, as numpy saves it. Beside it, a text file with the ending ``.txt`` has a
    line for each row: the image. That is its file, as query sheets name it, or in a data set without
    files ``train/17`` or ``test/3``, by its dataset id. Rows of other images are left out. Images of a
    project whose files have gone need none: they are rows of zeros, which nothing looks at.

    Args:
        path: ``FILE.npy``.
        data: The data set.
        columns: D, as the network has it.

    Raises:
        DataError: If a file is missing or unreadable, rows and lines do not pair up, D is another, an
            image has no row or two, or numbers are not finite; names the images.
    """
    rows, names = _rows(path, columns), _lines(path.with_suffix(".txt"))
    if len(rows) != len(names):
        raise DataError(
            f"{path} has {len(rows)} rows, but {path.with_suffix('.txt')} names {len(names)} images"
        )
    place = {name: row for row, name in enumerate(names)}
    if len(place) < len(names):
        twice = sorted({name for row, name in enumerate(names) if place[name] != row})
        raise DataError(f"{path.with_suffix('.txt')} names images more than once: {_some(twice)}")
    found = []
    for part, images in (("train", data.train), ("test", data.test)):
        present = torch.ones(len(images), dtype=torch.bool)
        if part == "train":
            present[[*data.absent]] = False  # whose files have gone: nobody can embed them
        wanted = [name for name, here in zip(_names(part, images), present, strict=True) if here]
        if missing := [name for name in wanted if name not in place]:
            raise DataError(
                f"{path} has no row for {len(missing)} of {len(wanted)} {part} images: "
                f"{_some(missing)}. Embed them too, or set model.embeddings=null"
            )
        given = torch.from_numpy(np.array(rows[[place[name] for name in wanted]], dtype=np.float32))
        given = given.reshape(-1, columns)
        bad = (~given.isfinite().all(1)).nonzero().flatten().tolist()
        if bad:
            raise DataError(
                f"{path} has numbers that are NaN or infinite, of {_some([wanted[i] for i in bad])}"
            )
        found.append(torch.zeros(len(images), columns).index_put((present,), given))
    return Embeddings(found[0], found[1], seconds=0.0)


def _rows(path: Path, columns: int) -> Any:
    try:
        rows = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise DataError(f"model.embeddings={path} cannot be read: {error}") from error
    if rows.ndim != _FLAT or rows.dtype.kind != "f" or rows.shape[1] != columns:
        raise DataError(
            f"{path} must be (M, {columns}) float, as the network's embeddings are, not {rows.shape} "
            f"{rows.dtype}"
        )
    return rows


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise DataError(
            f"{path} cannot be read: {error}. It has a line for each row of the embeddings: the "
            "image's file, or train/ID and test/ID"
        ) from error


def _names(part: str, images: Images) -> Iterator[str]:
    if images.files is not None:
        yield from images.files
    else:
        yield from (f"{part}/{i}" for i in range(len(images)))


def _some(names: Sequence[str]) -> str:
    return ", ".join(shortened(names, _NAMED))
