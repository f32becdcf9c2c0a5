"""Predictions of a trained run for new images, as a CSV table."""

import csv
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.progress import track
from torch import Tensor

from al_lightning.data.folder.folder_listing import FolderListing
from al_lightning.data.pixels.decode_files import decode_files
from al_lightning.data.pixels.image_files import ENDINGS
from al_lightning.inference.trained import TrainedRun
from al_lightning.utils.errors import DataError, UsageError
from al_lightning.utils.files import replacing
from al_lightning.utils.listing import shortened
from al_lightning.utils.spreadsheet import cell

_CHANNELS = (1, 3)
_NAMED = 10  # how many unreadable files an error names


@dataclass(frozen=True)
class Predicted:
    """What was written.

    Attributes:
        images: Number of images in the table.
        unreadable: Files that were skipped, and why.
    """

    images: int
    unreadable: Mapping[str, str]


def find_images(folder: Path) -> list[str]:
    """Return the images below a folder: their paths in it, with slashes, sorted.

    Hidden files and folders, those that a system has put there, and files that are no images by their
    ending are left out, with a warning. Links are followed; a folder that links have led to before is
    left out.

    Raises:
        DataError: If the folder is missing, cannot be read, or has no image.
    """
    if not folder.is_dir():
        what = "is no folder" if folder.exists() else "does not exist"
        raise DataError(f"{folder} {what}: expected a folder of images")
    listing = FolderListing(folder)
    try:
        found = listing.images_below(folder)
    except OSError as error:
        raise DataError(
            f"{error.filename} cannot be read: {error.strerror}. Check permissions"
        ) from error
    if not found:
        endings = " ".join(sorted(ENDINGS))
        raise DataError(f"{folder} has no image: expected files that end in one of {endings}")
    listing.warn()
    return [path.relative_to(folder).as_posix() for path in found]


def write_predictions(
    run: TrainedRun,
    folder: Path,
    output: Path,
    *,
    batch_size: int = 256,
    on_error: str = "refuse",
    probabilities: bool = False,
    progress: bool = False,
) -> Predicted:
    """Write down the class of every image below a folder, and how sure the classifier is of it.

    Images are decoded as the run's own, a batch at a time, so that memory does not grow with their
    number. The table is CSV, a row an image, sorted by file: ``file`` (its path in the folder),
    ``class``, ``confidence`` (the probability of that class), and on request ``p_<class>`` for each.
    Texts are :func:`~al_lightning.utils.spreadsheet.cell`s, which no spreadsheet runs as a formula.

    Args:
        run: Gives the probabilities, wherever its network is.
        folder: Of images.
        output: The table; there is the old one or the new one at any time, and never a part.
        batch_size: Images a batch.
        on_error: "refuse" writes nothing if files cannot be read, and names them; "skip" leaves them
            out.
        probabilities: Whether to write the probabilities of all classes.
        progress: Whether to show a bar, where there is a terminal.

    Raises:
        DataError: If there is no image, or unreadable ones are refused, or none can be read.
        UsageError: If the table cannot be written, or the run's images are not gray or RGB.
    """
    _require_channels(run)
    files = find_images(folder)
    unreadable: dict[str, str] = {}
    with (
        replacing(output) as partial,
        # Names that are not UTF-8 are written byte for byte, as the file system has them.
        partial.open("w", newline="", encoding="utf-8", errors="surrogateescape") as table,
    ):
        writer = csv.writer(table, lineterminator="\n")
        writer.writerow(_header(run, probabilities))
        for batch in _batches(files, batch_size, progress):
            names, pixels, troubles = _decoded(run, folder, batch)
            unreadable |= troubles
            # Where nothing will be written, the rest is only read, to name all that is unreadable.
            if names and not (unreadable and on_error == "refuse"):
                writer.writerows(_rows(run, names, pixels, probabilities))
        if unreadable and (on_error == "refuse" or len(unreadable) == len(files)):
            raise DataError(_refusal(unreadable, len(files), folder))
    return Predicted(len(files) - len(unreadable), unreadable)


def _require_channels(run: TrainedRun) -> None:
    if run.image_shape[0] not in _CHANNELS:
        raise UsageError(
            f"The run's images have {run.image_shape[0]} channels, and image files have 1 or 3. Use "
            "al_lightning.load_trained(folder).predict(images) in Python"
        )


def _batches(files: Sequence[str], size: int, progress: bool) -> Iterable[Sequence[str]]:
    """Yield files in batches, with a bar where that is wanted and there is a terminal."""
    batches = [files[start : start + size] for start in range(0, len(files), size)]
    console = Console(stderr=True)
    if not (progress and console.is_terminal):
        return batches
    return track(batches, "Predicting", console=console, transient=True)


def _header(run: TrainedRun, every: bool) -> list[str]:
    return ["file", "class", "confidence", *(cell(f"p_{n}") for n in run.classes if every)]


def _decoded(
    run: TrainedRun, folder: Path, batch: Sequence[str]
) -> tuple[list[str], Tensor, dict[str, str]]:
    """Decode a batch of files: those that can be read, their pixels, and why others cannot be."""
    paths = [folder / file for file in batch]
    pixels, troubles = decode_files(paths, run.image_shape, run.value_range)
    fine = [row for row, why in enumerate(troubles) if not why]
    unreadable = {file: why for file, why in zip(batch, troubles, strict=True) if why}
    return [batch[row] for row in fine], pixels[fine], unreadable


def _rows(
    run: TrainedRun, files: Sequence[str], pixels: Tensor, every: bool
) -> Iterable[list[str]]:
    """Return the rows of some images."""
    probabilities = run.predict(pixels)
    confidence, labels = probabilities.max(1)
    for file, label, sure, row in zip(
        files, labels.tolist(), confidence.tolist(), probabilities.tolist(), strict=True
    ):
        values = [sure, *row] if every else [sure]
        yield [cell(file), cell(run.classes[label]), *(f"{value:.9g}" for value in values)]


def _refusal(unreadable: Mapping[str, str], files: int, folder: Path) -> str:
    troubles = shortened((f"{file}: {why}" for file, why in unreadable.items()), _NAMED)
    what = (
        f"{len(unreadable)} of {files} images below {folder} cannot be read; nothing was written:"
    )
    remedy = "Repair or remove them"
    if len(unreadable) < files:
        remedy += ", or leave them out with --on-error skip"
    return "\n".join([what, *(f"  - {trouble}" for trouble in troubles), remedy])
