"""Charts of TensorBoard's custom scalars."""

import re

#: A kind of chart and its tags, by title and category: as SummaryWriter.add_custom_scalars takes it.
Layout = dict[str, dict[str, tuple[str, list[str]]]]

_TITLES = {"nll": "NLL", "ece": "ECE", "aubc": "AUBC so far", "macro_f1": "Macro F1"}


def overlay(tag: str) -> tuple[str, list[str]]:
    """Return a chart of custom scalars that overlays a tag of all runs."""
    # A regular expression, which TensorBoard matches with the beginning of a tag.
    return "Multiline", [f"^{re.escape(tag)}$"]


def chart_title(metric: str) -> str:
    """Return a metric's name as the title of a chart: "balanced_accuracy" -> "Balanced accuracy"."""
    return _TITLES.get(metric, metric.replace("_", " ").capitalize())
