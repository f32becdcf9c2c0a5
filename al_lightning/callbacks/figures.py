"""Figures of a single run."""

from collections.abc import Sequence

import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

_ACCENT = "#0072b2"  # of the Okabe-Ito palette, which colour-blind readers can tell apart
_WRONG = "#d55e00"
_MOST_IMAGES = 40
_COLUMNS = 8
_TITLE_ROOM = 0.34  # above an image, as a share of its width: two lines of small print
_GAP = 0.15  # beside an image
_LONGEST_NAME = 40  # characters of a class that are shown
_MOST_NAMES = 60  # classes whose names can still be read
_LARGEST = 16.0  # inches of a side, whatever the number of classes
_DARK = 0.6  # share of the largest value from which on text is white


def _text(name: str) -> str:
    """Return a name as matplotlib shows it: dollar signs begin no formula, and long ones are cut."""
    shown = name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}\u2026"
    return shown.replace("$", r"\$")


def confusion_figure(confusion: Tensor, classes: Sequence[str]) -> Figure:
    """Draw a confusion matrix, (C, C) int64, true classes in rows; colours are shares of a row."""
    count = len(confusion)
    shares = confusion.double() / confusion.sum(1, keepdim=True).clamp_min(1)
    side = min(max(4.0, 0.55 * count + 2.0), _LARGEST)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(shares.numpy(), cmap="Blues", vmin=0.0, vmax=1.0)
    if count <= _MOST_NAMES:
        names = [_text(name) for name in classes]
        axes.set_xticks(range(count), names, rotation=60, ha="right", fontsize=8)
        axes.set_yticks(range(count), names, fontsize=8)
    axes.set(xlabel="predicted", ylabel="true")
    if count <= 20:  # noqa: PLR2004 - beyond it the numbers cannot be read
        for row in range(count):
            for column in range(count):
                colour = "white" if shares[row, column] > _DARK else "black"
                value = f"{int(confusion[row, column])}"
                cell = axes.text(column, row, value, ha="center", va="center", fontsize=7)
                cell.set(color=colour, in_layout=False)  # it takes no room, and time to measure
    return figure


def contact_sheet(
    pixels: Tensor, predicted: Tensor, labels: Tensor, classes: Sequence[str]
) -> Figure:
    """Draw queried images with what the model took them for, and what they are.

    Args:
        pixels: (M, C, H, W) uint8 or float32 in [0, 1], first choice first; the first 40 are shown.
        predicted: (M,) int64.
        labels: What the oracle said, (M,) int64.
        classes: Their names.
    """
    shown = min(len(pixels), _MOST_IMAGES)
    sheet, corners = _tile(pixels[:shown], _COLUMNS, room=_TITLE_ROOM)
    height, width = sheet.shape[:2]
    inches = _COLUMNS * 1.25
    figure = Figure(figsize=(inches, inches * height / width + 0.35))
    figure.suptitle(f"first {shown} of {len(pixels)} queried: predicted → labeled", fontsize=9)
    # One picture for all: a subplot for each takes seconds to lay out.
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0 - 0.35 / figure.get_figheight()))
    axes.imshow(sheet, aspect="auto")
    axes.set_axis_off()
    side = pixels.shape[3]
    for i, (top, left) in enumerate(corners):
        guess, truth = int(predicted[i]), int(labels[i])
        axes.text(
            left + side / 2 - 0.5,  # a pixel's place is its middle
            top - 0.5 - 0.03 * side,
            f"{_text(classes[guess])}\n→ {_text(classes[truth])}",
            color="black" if guess == truth else _WRONG,
            fontsize=7,
            ha="center",
            va="bottom",
        )
    return figure


def _tile(
    pixels: Tensor, columns: int, room: float
) -> tuple[NDArray[np.float32], list[tuple[int, int]]]:
    """Lay images out row by row on white.

    Args:
        pixels: (M, C, H, W) uint8, or float32 in [0, 1].
        columns: Images a row.
        room: Space above each image, as a share of its width.

    Returns:
        The sheet, (h, w, 3) in [0, 1], and the upper left corner of each image, row and column.
    """
    images = pixels.float() / (1.0 if pixels.is_floating_point() else 255.0)
    count, _, height, width = images.shape
    above, beside = round(room * width), max(1, round(_GAP * width))
    rows = -(-count // columns)
    sheet = torch.ones(rows * (above + height), columns * (beside + width), 3)
    corners = []
    for i, image in enumerate(images.clamp(0.0, 1.0).expand(-1, 3, -1, -1).permute(0, 2, 3, 1)):
        top = (i // columns) * (above + height) + above
        left = (i % columns) * (beside + width) + beside // 2
        sheet[top : top + height, left : left + width] = image
        corners.append((top, left))
    return sheet.numpy(), corners


def class_histogram(labels: Tensor, classes: Sequence[str]) -> Figure:
    """Draw how many of each class are among labels, (M,) int64."""
    counts = torch.bincount(labels, minlength=len(classes)).tolist()
    height = min(max(2.5, 0.3 * len(classes) + 1.0), _LARGEST)
    figure = Figure(figsize=(6.0, height), layout="constrained")
    axes = figure.add_subplot()
    bars = axes.barh(range(len(classes)), counts, color=_ACCENT)
    if len(classes) <= _MOST_NAMES:
        axes.bar_label(bars, fontsize=7, padding=2)
        axes.set_yticks(range(len(classes)), [_text(name) for name in classes], fontsize=8)
    axes.invert_yaxis()
    axes.set(xlabel=f"of {len(labels)} queried")
    axes.spines[["top", "right"]].set_visible(False)
    return figure
