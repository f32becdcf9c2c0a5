"""The labels of a run as one folder a class, of links to the images or copies of them."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from al_lightning.data.pixels.remote_file import ImageFile, RemoteFile
from al_lightning.data.source import ImageData
from al_lightning.inference.source_files import SourceFiles
from al_lightning.run.label_rows import LabelRow
from al_lightning.utils.errors import DataError, UsageError
from al_lightning.utils.listing import shortened

_NAMED = 5  # names in a message
_CHANNELS = (1, 3)
_BYTE = 255


def write_folder(
    rows: Sequence[LabelRow],
    classes: Sequence[str],
    data: ImageData,
    folder: Path,
    *,
    copy: bool = False,
) -> int:
    """Write the labeled images, one folder a class; it is there as a whole, or not at all.

    A file is called ``<id>_<name>``, so that no two have one name. Images that have no file are decoded
    into PNGs, ``<id>.png``.

    Args:
        rows: What became of the images of a run; those without a label are left out.
        classes: The names of the classes, by label.
        data: The images.
        folder: That is new, or empty.
        copy: Whether files are copied; otherwise they are linked to.

    Returns:
        The number of images.

    Raises:
        UsageError: If the folder is not empty, a class cannot be the name of a folder, files are
            missing, or something cannot be written; nothing is left behind.
    """
    folder = folder.resolve()
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is not empty, and nothing in it is touched: name a new folder")
    labeled = [(row, classes[row.label]) for row in rows if row.label is not None]
    _require_folder_names(sorted({name for _, name in labeled}))
    digits = len(str(max(len(data.train) - 1, 1)))
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    files = None if data.train.files is None else SourceFiles(data)
    try:
        for row, name in labeled:
            target = partial / name / f"{row.id:0{digits}d}"
            target.parent.mkdir(parents=True, exist_ok=True)
            if files is None:
                _picture(data.train.pixels[row.id]).save(target.with_suffix(".png"))
            else:
                _bring(files.of(row.id), target, copy)
        partial.mkdir(parents=True, exist_ok=True)  # without any label
        partial.replace(folder)
    except OSError as error:
        raise UsageError(f"{folder} cannot be written: {error}") from error
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    return len(labeled)


def _bring(file: ImageFile, number: Path, copy: bool) -> None:
    """Link to a file from the folder of its class, or copy it there."""
    target = number.with_name(f"{number.name}_{file.name}")
    if isinstance(file, RemoteFile):
        if not copy:
            raise UsageError(f"{file} is an address, which cannot be linked to: add --copy")
        target.write_bytes(file.read())
    elif not file.is_file():
        raise DataError(f"{file} is not there any more: restore it")
    elif copy:
        shutil.copy2(file, target)
    else:
        target.symlink_to(file)


def _picture(pixels: Tensor) -> Image.Image:
    """Return an image, (C, H, W) uint8 or float32 in [0, 1], as one of PIL."""
    if len(pixels) not in _CHANNELS:
        raise UsageError(
            f"Images of {len(pixels)} channels cannot be written as PNG: write a table"
        )
    if pixels.is_floating_point():
        pixels = (pixels.clamp(0, 1) * _BYTE).round().to(torch.uint8)
    rows = pixels.permute(1, 2, 0).contiguous().numpy()
    return Image.fromarray(rows[:, :, 0] if rows.shape[2] == 1 else rows)


def _require_folder_names(names: Sequence[str]) -> None:
    if bad := [name for name in names if "/" in name or name.startswith(".")]:
        shown = ", ".join(shortened(map(repr, bad), _NAMED))
        raise UsageError(f"Classes that cannot be names of folders: {shown}. Write a table instead")
