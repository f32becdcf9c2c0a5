"""Warnings of images that are in a data set more than once."""

import logging
from collections.abc import Collection, Sequence

from torch import Tensor

from al_lightning.data.files.file_rows import FileRows
from al_lightning.data.pixels.duplicates import Group, leaks, repeats
from al_lightning.data.pixels.remote_file import ImageFile
from al_lightning.data.source import UNKNOWN
from al_lightning.utils.listing import shortened

_EXAMPLES = 3  # how many copies a warning names

_logger = logging.getLogger(__name__)


def leave_out_copies(
    root: ImageFile,
    copies: Sequence[Group],
    left_out: set[int],
    rows: FileRows,
    kept: Collection[int] = (),
) -> list[int]:
    """Return the training images that are copies of others, and warn of them.

    Args:
        root: The folder or the table.
        copies: Groups of equal images.
        left_out: Images that cannot be used anyway.
        rows: The files.
        kept: Those that are no copies, whatever they are equal to. Without any, the first is none.
    """
    usable = [tuple(i for i in group if i not in left_out) for group in copies]
    found = repeats(usable, rows.is_test.tolist())
    groups = [tuple(sorted(group, key=lambda i: i not in kept)) for group in found]
    copied = [i for group in groups for i in group[1:] if i not in kept]
    if copied:
        _logger.warning(
            "%s: %d of the training images are copies of others, equal in every pixel. Each "
            "image is queried once; if you remove copies, keep the first of each:\n%s",
            root,
            len(copied),
            _examples(groups, rows.shown),
        )
    return copied


def with_labels_of_copies(labels: Tensor, copies: Sequence[Group], is_test: Tensor) -> Tensor:
    """Return the labels, (N,) int64, where images without one have that of a copy.

    Test images give none away: what equals them would be trained on.
    """
    labels = labels.clone()
    for group in copies:
        known = [label for i in group if (label := int(labels[i])) != UNKNOWN and not is_test[i]]
        if known:
            labels[[i for i in group if int(labels[i]) == UNKNOWN]] = known[0]
    return labels


def warn_of_leaks(
    root: ImageFile,
    copies: Sequence[Group],
    left_out: set[int],
    is_test: Tensor,
    shown: Sequence[str],
) -> None:
    """Warn of pictures that are both tested and trained on."""
    left = [tuple(i for i in group if i not in left_out) for group in copies]
    sides: list[bool] = is_test.tolist()
    if leaked := leaks(left, sides):
        _logger.warning(
            "%s: %d of the test images are training images too, equal in every pixel, which "
            "makes the test accuracy too high. Remove them from one side before a run begins; a "
            "run that has begun needs the same images:\n%s",
            root,
            sum(sides[i] for group in leaked for i in group),
            _examples(leaked, shown),
        )


def _examples(groups: Sequence[Group], shown: Sequence[str]) -> str:
    """Name some groups of copies, two of each."""
    pairs = [f"{shown[group[0]]} = {shown[group[-1]]}" for group in groups]
    return "\n".join(f"  - {pair}" for pair in shortened(pairs, _EXAMPLES))
