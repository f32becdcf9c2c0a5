"""Figures of a single run."""

from collections.abc import Sequence

import torch
from matplotlib.figure import Figure
from torch import Tensor

_ACCENT = "#0072b2"  # of the Okabe-Ito palette, which colour-blind readers can tell apart
_WRONG = "#d55e00"
_MOST_IMAGES = 40
_COLUMNS = 8
_MOST_NAMES = 60  # classes whose names can still be read
_LARGEST = 16.0  # inches of a side, whatever the number of classes
_DARK = 0.6  # share of the largest value from which on text is white


def confusion_figure(confusion: Tensor, classes: Sequence[str]) -> Figure:
    """Draw a confusion matrix, (C, C) int64, true classes in rows; colours are shares of a row."""
    count = len(confusion)
    shares = confusion.double() / confusion.sum(1, keepdim=True).clamp_min(1)
    side = min(max(4.0, 0.55 * count + 2.0), _LARGEST)
    figure = Figure(figsize=(side, side), layout="constrained")
    axes = figure.add_subplot()
    axes.imshow(shares.numpy(), cmap="Blues", vmin=0.0, vmax=1.0)
    if count <= _MOST_NAMES:
        axes.set_xticks(range(count), classes, rotation=60, ha="right", fontsize=8)
        axes.set_yticks(range(count), classes, fontsize=8)
    axes.set(xlabel="predicted", ylabel="true")
    if count <= 20:  # noqa: PLR2004 - beyond it the numbers cannot be read
        for row in range(count):
            for column in range(count):
                colour = "white" if shares[row, column] > _DARK else "black"
                value = f"{int(confusion[row, column])}"
                axes.text(column, row, value, ha="center", va="center", color=colour, fontsize=7)
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
    rows = -(-shown // _COLUMNS)
    figure = Figure(figsize=(_COLUMNS * 1.25, rows * 1.6 + 0.5), layout="constrained")
    figure.suptitle(f"first {shown} of {len(pixels)} queried: predicted → labeled", fontsize=9)
    for i in range(shown):
        axes = figure.add_subplot(rows, _COLUMNS, i + 1)
        image = pixels[i].permute(1, 2, 0).numpy()
        axes.imshow(image.squeeze(2) if image.shape[2] == 1 else image, cmap="gray")
        axes.set_axis_off()
        guess, truth = int(predicted[i]), int(labels[i])
        colour = "black" if guess == truth else _WRONG
        axes.set_title(f"{classes[guess]}\n→ {classes[truth]}", fontsize=7, color=colour)
    return figure


def class_histogram(labels: Tensor, classes: Sequence[str]) -> Figure:
    """Draw how many of each class are among labels, (M,) int64."""
    counts = torch.bincount(labels, minlength=len(classes)).tolist()
    height = min(max(2.5, 0.3 * len(classes) + 1.0), _LARGEST)
    figure = Figure(figsize=(6.0, height), layout="constrained")
    axes = figure.add_subplot()
    bars = axes.barh(range(len(classes)), counts, color=_ACCENT)
    if len(classes) <= _MOST_NAMES:
        axes.bar_label(bars, fontsize=7, padding=2)
        axes.set_yticks(range(len(classes)), classes, fontsize=8)
    axes.invert_yaxis()
    axes.set(xlabel=f"of {len(labels)} queried")
    axes.spines[["top", "right"]].set_visible(False)
    return figure
