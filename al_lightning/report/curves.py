"""Learning curves of several runs in one figure."""

from collections.abc import Mapping, Sequence
from itertools import cycle

from matplotlib.figure import Figure

from al_lightning.journal import Journal

# Okabe & Ito's colours, which colour-blind readers can tell apart, and as many line styles.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#000000")
_STYLES = ("-", "--", "-.", ":")


def learning_curves(
    runs: Mapping[str, Journal],
    passive: Journal | None = None,
    metric: str = "accuracy",
    title: str = "",
) -> Figure:
    """Draw a metric over labels bought, a line a run.

    Args:
        runs: Journals by the name of their line.
        passive: A run on all labels: a horizontal line, as it has no budget.
        metric: A key of the journal's metrics.
        title: Above the figure.

    Raises:
        ValueError: If there is no finished round to draw.
    """
    drawn = {name: _points(journal, metric) for name, journal in runs.items()}
    drawn = {name: points for name, points in drawn.items() if points}
    if not drawn:
        raise ValueError(f"No run has a finished round with {metric!r}; there is nothing to draw")
    figure = Figure(figsize=(7.5, 4.6), layout="constrained")
    axes = figure.add_subplot()
    looks = zip(cycle(_COLOURS), cycle(_STYLES), strict=False)
    for (name, points), (colour, style) in zip(drawn.items(), looks, strict=False):
        labels, values = zip(*points, strict=True)
        axes.plot(labels, values, style, color=colour, marker="o", markersize=3.5, label=name)
    if passive is not None and (points := _points(passive, metric)):
        label = f"passive, all {points[-1][0]:,} labels"
        axes.axhline(points[-1][1], color="#777777", linewidth=1.2, label=label)
    axes.set(xlabel="labels bought", ylabel=metric.replace("_", " "), title=title)
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False, fontsize=9)
    return figure


def _points(journal: Journal, metric: str) -> Sequence[tuple[int, float]]:
    return [(e["labels_bought"], e["metrics"][metric]) for e in journal.rounds]
