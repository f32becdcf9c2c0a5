"""Cells that several tables are made of."""

from al_lightning.report.study.fit_length import FitLength
from al_lightning.report.tables.formats import Cell, word
from al_lightning.report.wording import count, percent

#: Where there is nothing to show.
NONE = "\u2013"
#: The sign before the labels of a crossing.
CROSSING_MARKS = {"reached": "", "at_start": "\u2264 ", "never": "> "}


def strategy_cell(name: str) -> Cell:
    """Return the name of a strategy."""
    return word("strategy", name)


def passive_name(length: FitLength) -> str:
    """Return what the passive baseline is called in tables: "passive, 32 epochs"."""
    return f"passive, {length.short}"


def passive_cell(length: FitLength) -> Cell:
    """Return the name of the passive baseline, with how long it was trained."""
    return Cell(passive_name(length), {"strategy": "passive"})


def count_cell(key: str, value: int) -> Cell:
    """Return a whole number."""
    return Cell(count(value), {key: value})


def share_cell(key: str, value: float | None) -> Cell:
    """Return a share in per cent."""
    return Cell(NONE if value is None else percent(value), {key: value})
