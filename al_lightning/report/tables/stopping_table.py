"""The table of what speaks for more labels."""

import math

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.study.runs import Run
from al_lightning.report.tables.cells import NONE, count_cell, share_cell, strategy_cell
from al_lightning.report.tables.formats import Cell, Column, Table
from al_lightning.report.wording import count, interval
from al_lightning.run.advice.advice import Advice

_HEADINGS = ("labels", "kappa", "mean of three", "changed, %", "accuracy, %", "more labels")
_FORECASTS = ("accuracy with them, %", "labels to the target")


def stopping(analysis: Analysis) -> Table | None:
    """The advice after the last round of each run; None where there is none."""
    runs = analysis.setting.known_runs
    rows = [_row(run, run.advice) for run in runs if run.advice is not None]
    if not rows:
        return None
    columns = [Column("strategy", numeric=False), Column("seed")]
    return Table(
        name="stopping",
        caption="After the last round: agreement of its predictions with those of the round before, on "
        "the same images of the pool (Cohen's kappa; share that changed), and what the learning curve "
        "expects of more labels, with bands of 80%.",
        columns=[*columns, *(Column(heading) for heading in (*_HEADINGS, *_FORECASTS))],
        rows=rows,
    )


def _row(run: Run, advice: Advice) -> list[Cell]:
    agreement, forecast, accuracy = advice.agreement, advice.forecast, advice.accuracy
    target = None if forecast is None else forecast.to_target
    return [
        strategy_cell(run.strategy),
        Cell(str(run.seed), {"seed": run.seed}),
        count_cell("labels", run.labels[-1]),
        _number("kappa", None if agreement is None else agreement.kappa),
        _number("mean_kappa", advice.mean_kappa),
        share_cell("changed", None if agreement is None else agreement.disagreement),
        share_cell("accuracy", None if accuracy is None else accuracy.value),
        _count("more", None if forecast is None else forecast.more),
        _band("accuracy_with_more", None if forecast is None else forecast.accuracy),
        _labels(target),
    ]


def _number(key: str, value: float | None) -> Cell:
    return Cell(NONE if value is None else f"{value:.3f}", {key: value})


def _count(key: str, value: int | None) -> Cell:
    return Cell(NONE if value is None else count(value), {key: value})


def _band(key: str, band: tuple[float, float] | None) -> Cell:
    low, high = band or (None, None)
    raw = {f"{key}_low": low, f"{key}_high": high}
    return Cell(NONE if band is None else interval(*band, decimals=1), raw)


def _labels(band: tuple[float, float] | None) -> Cell:
    if band is None:
        return Cell(NONE, {"to_target_low": None, "to_target_high": None})
    ends = [None if math.isinf(end) else round(end) for end in band]
    text = " to ".join("never" if end is None else count(end) for end in ends)
    return Cell(text, {"to_target_low": ends[0], "to_target_high": ends[1]})
