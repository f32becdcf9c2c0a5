"""Figures of a single run, drawn pixel by pixel: matplotlib would take longer than a fit of a head."""

import functools
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

Picture = NDArray[np.uint8]

_ACCENT, _WRONG = (0, 114, 178), (213, 94, 0)  # of the Okabe-Ito palette, for the colour-blind too
_BLACK, _WHITE = (0, 0, 0), (255, 255, 255)
_DEEPEST = (8, 48, 107)  # of a share of 1
_DARK = 0.6  # share from which on text is white
_SMALL, _LARGE = 11, 13  # pixels of text
_PAD = 6  # pixels between things
_LONGEST_NAME = 40  # characters of a class that are shown
_MOST_NAMES = 60  # classes whose names can still be read
_MOST_NUMBERS = 20  # classes of a confusion matrix whose counts can still be read
_MOST_IMAGES, _COLUMNS, _THUMBNAIL = 40, 8, 112  # of a contact sheet
_CELL, _BAR, _LONGEST_BAR = 36, 18, 360  # pixels
_LARGEST = 1_600  # pixels of a side, whatever the number of classes


def confusion_figure(confusion: Tensor, classes: Sequence[str]) -> Picture:
    """Draw a confusion matrix, (C, C) int64, true classes in rows; colours are shares of a row.

    Returns:
        (H, W, 3) uint8.
    """
    count = len(confusion)
    shares = (confusion.double() / confusion.sum(1, keepdim=True).clamp_min(1)).numpy()
    cell = max(1, min(_CELL, _LARGEST // count))
    names = [_short(name) for name in classes] if count <= _MOST_NAMES else []
    room = max([_width(name) for name in names], default=0) + 2 * _PAD + _LARGE
    side = count * cell
    canvas = Image.new("RGB", (room + side + _PAD, side + room + _PAD), _WHITE)
    canvas.paste(Image.fromarray(_blues(shares).repeat(cell, 0).repeat(cell, 1)), (room, _PAD))
    draw = ImageDraw.Draw(canvas)
    if count <= _MOST_NUMBERS:
        for row, column in np.ndindex(count, count):
            place = room + (column + 0.5) * cell, _PAD + (row + 0.5) * cell
            colour = _WHITE if shares[row, column] > _DARK else _BLACK
            draw.text(place, str(int(confusion[row, column])), colour, _font(_SMALL), "mm")
    for i, name in enumerate(names):
        middle = (i + 0.5) * cell
        draw.text((room - _PAD, _PAD + middle), name, _BLACK, _font(_SMALL), "rm")
        upright = _upright(name, _SMALL)
        canvas.paste(upright, (round(room + middle - upright.width / 2), side + 2 * _PAD))
    draw.text((room + side / 2, canvas.height - 1), "predicted", _BLACK, _font(_LARGE), "md")
    title = _upright("true", _LARGE)
    canvas.paste(title, (_PAD // 2, round(_PAD + (side - title.height) / 2)))
    return np.asarray(canvas)


def contact_sheet(
    pixels: Tensor, predicted: Tensor, labels: Tensor, classes: Sequence[str]
) -> Picture:
    """Draw queried images with what the model took them for, and what they are.

    Args:
        pixels: (M, C, H, W) uint8 or float32 in [0, 1], first choice first; the first 40 are shown.
        predicted: (M,) int64.
        labels: What the oracle said, (M,) int64.
        classes: Their names.

    Returns:
        (H, W, 3) uint8.
    """
    shown = min(len(pixels), _MOST_IMAGES)
    height = max(1, round(_THUMBNAIL * pixels.shape[2] / pixels.shape[3]))
    above = 2 * (_SMALL + 3)
    row_height, column_width = height + above + _PAD, _THUMBNAIL + 2 * _PAD
    rows = -(-shown // _COLUMNS)
    top = _LARGE + 2 * _PAD
    canvas = Image.new("RGB", (_COLUMNS * column_width, top + rows * row_height), _WHITE)
    draw = ImageDraw.Draw(canvas)
    title = f"first {shown} of {len(pixels)} queried: predicted → labeled"
    draw.text((canvas.width / 2, _PAD), title, _BLACK, _font(_LARGE), "ma")
    for i, image in enumerate(_thumbnails(pixels[:shown], height)):
        left = (i % _COLUMNS) * column_width + _PAD
        upper = top + (i // _COLUMNS) * row_height
        guess, truth = int(predicted[i]), int(labels[i])
        colour = _BLACK if guess == truth else _WRONG
        for line, text in enumerate((classes[guess], f"→ {classes[truth]}")):
            place = left + _THUMBNAIL / 2, upper + (line + 1) * (_SMALL + 3)
            draw.text(place, _cut(_short(text), _THUMBNAIL), colour, _font(_SMALL), "md")
        canvas.paste(image, (left, upper + above))
    return np.asarray(canvas)


def class_histogram(labels: Tensor, classes: Sequence[str]) -> Picture:
    """Draw how many of each class are among labels, (M,) int64.

    Returns:
        (H, W, 3) uint8.
    """
    counts = torch.bincount(labels, minlength=len(classes)).tolist()
    step = max(1, min(_BAR, _LARGEST // len(classes)))
    named = len(classes) <= _MOST_NAMES
    names = [_short(name) if named else "" for name in classes]
    room = max(map(_width, names)) + 2 * _PAD
    size = room + _LONGEST_BAR + 8 * _PAD, step * len(classes) + _LARGE + 3 * _PAD
    canvas = Image.new("RGB", size, _WHITE)
    draw = ImageDraw.Draw(canvas)
    for i, (name, count) in enumerate(zip(names, counts, strict=True)):
        upper, end = _PAD + i * step, room + round(_LONGEST_BAR * count / max(*counts, 1))
        if count:
            draw.rectangle((room, upper + step // 8, end, upper + step - 1 - step // 8), _ACCENT)
        if named:
            middle = upper + step / 2
            draw.text((room - _PAD, middle), name, _BLACK, _font(_SMALL), "rm")
            draw.text((end + _PAD / 2, middle), str(count), _BLACK, _font(_SMALL), "lm")
    place = room + _LONGEST_BAR / 2, canvas.height - _PAD
    draw.text(place, f"of {len(labels)} queried", _BLACK, _font(_LARGE), "md")
    return np.asarray(canvas)


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}\u2026"


def _cut(text: str, width: int) -> str:
    """Return as much of a text as fits into so many pixels."""
    while len(text) > 1 and _width(text) > width:
        text = f"{text[:-2]}\u2026"
    return text


def _width(text: str) -> int:
    return int(_font(_SMALL).getlength(text))


def _upright(text: str, size: int) -> Image.Image:
    """Return a text that reads from bottom to top."""
    font = _font(size)
    left, upper, right, lower = font.getbbox(text)
    flat = Image.new("RGB", (int(right - left) + 1, int(lower - upper) + 1), _WHITE)
    ImageDraw.Draw(flat).text((-left, -upper), text, _BLACK, font)
    return flat.transpose(Image.Transpose.ROTATE_90)


def _blues(shares: NDArray[np.float64]) -> Picture:
    """Return a colour for each share in [0, 1], from white to blue, (..., 3)."""
    white, deepest = np.array(_WHITE, float), np.array(_DEEPEST, float)
    colours: Picture = (white + shares[..., None] * (deepest - white)).round().astype(np.uint8)
    return colours


def _thumbnails(pixels: Tensor, height: int) -> list[Image.Image]:
    """Return images, (M, C, H, W) uint8 or float32 in [0, 1], in the size of a contact sheet."""
    scaled = pixels.clamp(0, 1) * 255 if pixels.is_floating_point() else pixels
    if scaled.shape[1] not in (1, 3):  # a picture has grey or three colours
        scaled = scaled.float().mean(1, keepdim=True)
    images = scaled.round().to(torch.uint8).expand(-1, 3, -1, -1).permute(0, 2, 3, 1)
    smaller = pixels.shape[3] > _THUMBNAIL
    how = Image.Resampling.BILINEAR if smaller else Image.Resampling.NEAREST
    return [Image.fromarray(each.numpy()).resize((_THUMBNAIL, height), how) for each in images]


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    """Return DejaVu Sans, which matplotlib brings and knows more alphabets than Pillow's own."""
    found = find_spec("matplotlib")
    if found is not None and found.origin is not None:
        path = Path(found.origin).parent / "mpl-data" / "fonts" / "ttf" / "DejaVuSans.ttf"
        if path.is_file():
            return ImageFont.truetype(str(path), size)
    return ImageFont.load_default(size)
