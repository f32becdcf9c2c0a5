import math
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

from al_lightning.report.analysis.results import Analysis
from al_lightning.report.tables.stopping_table import stopping
from al_lightning.run.advice.advice import Accuracy, Advice, Forecast
from al_lightning.run.advice.agreement import Agreement
from al_lightning.run.advice.settings import AdviceSettings

ADVICE = Advice(
    AdviceSettings(target=0.95),
    Agreement(0.91234, 0.0734, 1000),
    0.9,
    Accuracy(0.9, (0.826, 0.945), 100, "validation labels"),
    Forecast(200, (0.91, 0.932), (138.0, math.inf)),
    [],
    1000,
)


def of_runs(*advice: Advice | None) -> Analysis:
    """An analysis of runs with this advice."""
    runs: list[Any] = [
        SimpleNamespace(strategy="margin", seed=seed, labels=(10, 200), advice=each)
        for seed, each in enumerate(advice)
    ]
    setting = SimpleNamespace(known_runs=runs)
    return cast("Analysis", SimpleNamespace(setting=setting))


def test_a_row_a_run_with_what_is_known() -> None:
    unknown = replace(ADVICE, agreement=None, mean_kappa=None, accuracy=None, forecast=None)
    table = stopping(of_runs(ADVICE, unknown))
    assert table is not None
    first, second = ([cell.text for cell in row] for row in table.rows)
    assert first == [
        *("margin", "0", "200", "0.912", "0.900", "7.34", "90.00", "200"),
        *("[91.0, 93.2]", "138 to never"),
    ]
    assert second == ["margin", "1", "200", *["\u2013"] * 7]
    assert len(table.columns) == len(first)
    assert table.rows[0][-1].raw == {"to_target_low": 138, "to_target_high": None}


def test_without_advice_there_is_no_table() -> None:
    assert stopping(of_runs(None, None)) is None
