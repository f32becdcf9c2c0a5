"""Names beside the lines of a figure, instead of a legend."""

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes

_LINE = 11.0  # points, the height of a line of text
_RIGHT = 1.03  # of the axes' width, where the names begin


class LineEnd(NamedTuple):
    """The end of a line, in data coordinates; and its name."""

    x: float
    y: float
    name: str
    colour: str


def label_ends(axes: Axes, ends: Sequence[LineEnd], height: float) -> None:
    """Write the names of lines beside their ends, moved apart where they would overlap.

    The limits of the axes must be set before.

    Args:
        axes: Of the lines.
        ends: A line each; a name may have several lines of text.
        height: Of the axes, about, in inches.
    """
    low, high = axes.get_ylim()
    ordered = sorted(ends, key=lambda end: end.y)
    wanted = [(end.y - low) / (high - low) for end in ordered]
    sizes = [(end.name.count("\n") + 1) * _LINE / (72 * height) for end in ordered]
    for end, place in zip(ordered, spread(wanted, sizes), strict=True):
        axes.annotate(
            end.name,
            (end.x, end.y),
            (_RIGHT, place),
            textcoords="axes fraction",
            color=end.colour,
            fontsize=8.5,
            va="center",
            annotation_clip=False,
            arrowprops={
                "arrowstyle": "-", "color": end.colour, "linewidth": 0.5, "shrinkA": 1, "shrinkB": 2,
                "relpos": (0, 0.5),  # from the left of a name: no line crosses another one
            },
        )  # fmt: skip


def spread(places: Sequence[float], sizes: Sequence[float]) -> list[float]:
    """Return places, ascending, moved apart so that things of these sizes do not overlap.

    What fits stays between 0 and 1; order is kept.

    >>> spread([0.5, 0.5], [0.2, 0.2])
    [0.5, 0.7]
    >>> spread([0.1, 0.95, 1.0], [0.2, 0.2, 0.2])
    [0.1, 0.7, 0.9]

    Args:
        places: Of the middles.
        sizes: One each.
    """
    moved: list[float] = []
    for place, size in zip(places, sizes, strict=True):
        least = moved[-1] + (sizes[len(moved) - 1] + size) / 2 if moved else size / 2
        moved.append(max(place, least))
    most = 1.0
    for k in reversed(range(len(moved))):
        moved[k] = min(moved[k], most - sizes[k] / 2)
        most = moved[k] - sizes[k] / 2
    return [round(place, 9) for place in moved]
