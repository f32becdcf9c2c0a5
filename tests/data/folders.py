"""Folders of images for tests."""

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
