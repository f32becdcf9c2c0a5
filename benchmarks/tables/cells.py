"""Raw results, and how their numbers are written in a cell."""

import json
import statistics
from collections.abc import Iterable
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).resolve().parents[1] / "results"
Rows = list[list[str]]


def read(name: str) -> Any:
    """Return the raw results of a script."""
    return json.loads((RESULTS / f"{name}.json").read_text(encoding="utf-8"))["results"]


def share(value: float, decimals: int = 3) -> str:
    """Return a share without its leading zero: ".869"."""
    return f"{value:.{decimals}f}".removeprefix("0")


def signed(value: float) -> str:
    """Return a difference of shares: "+.002", "-.010"."""
    shown = share(abs(value))
    return shown if not shown.strip(".0") else f"{'-' if value < 0 else '+'}{shown}"


def mean_of(runs: Iterable[dict[str, Any]], key: str) -> float:
    """Return the mean of what runs have under a key."""
    return statistics.fmean(run[key] for run in runs)
