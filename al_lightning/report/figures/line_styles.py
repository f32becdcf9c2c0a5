"""Colours, markers and dashes of strategies: the same in all figures, distinct without colours too."""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import cycle
from typing import Any

from matplotlib import rc_context

#: Of text, axes and the reference; a page replaces it by its own ink.
INK = "#1a1a1a"
#: Of what is in the background: labels of axes, the passive baseline.
MUTED = "#5f5f5f"
#: Of grids.
RULE = "#dadada"
#: Okabe & Ito's colours, which colour-blind readers can tell apart; without their yellow, which is too
#: pale for lines, and their black, which is the ink.
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00")

# Of different lengths without a common factor: 60 strategies are distinct.
_DASHES = ("-", "--", "-.", ":")
_MARKERS = ("o", "s", "^", "D", "v")

# matplotlib's settings for all figures. Sizes are in points, for a figure 5 inches wide.
_SETTINGS: dict[Any, Any] = {
    "font.family": ["sans-serif"],
    "font.sans-serif": ["DejaVu Sans"],  # comes with matplotlib, so that all machines draw alike
    "text.parse_math": False,  # a name may hold a dollar sign
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.labelsize": 9,
    "legend.fontsize": 8.5,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": MUTED,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.color": RULE,
    "grid.linewidth": 0.6,
    "axes.facecolor": "none",
    "figure.facecolor": "none",
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 4,
    "hatch.linewidth": 0.5,
    "svg.fonttype": "none",  # text stays text: it can be read aloud, searched and scaled
    "svg.hashsalt": "al_lightning",  # same figures, same bytes
}


@dataclass(frozen=True)
class LineStyle:
    """How the lines and dots of a strategy are drawn.

    Attributes:
        colour: As "#rrggbb".
        dashes: Of its lines, as matplotlib names them: "-", "--", "-." or ":".
        marker: Of its dots, likewise: "o", "s", ...
    """

    colour: str
    dashes: str
    marker: str


def figure_style() -> AbstractContextManager[None]:
    """Return a context in which figures are drawn, and written, in the style of a report."""
    return rc_context(_SETTINGS)


def line_styles(strategies: Sequence[str], reference: str | None = None) -> dict[str, LineStyle]:
    """Return a style for each strategy, by the order of their names; the reference gets the ink."""
    others = sorted(set(strategies) - {reference})
    ways = zip(cycle(COLOURS), cycle(_DASHES), cycle(_MARKERS), strict=False)
    result = {name: LineStyle(*way) for name, way in zip(others, ways, strict=False)}
    if reference is not None:
        result[reference] = LineStyle(INK, "-", "o")
    return result
