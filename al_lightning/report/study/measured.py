"""Adds metrics to runs, computed from the predictions that they keep."""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from al_lightning.report.study.runs import Round, Run
from al_lightning.report.study.scores import STANDARD_METRICS
from al_lightning.report.study.torch_metric import TorchMetric, torch_metric
from al_lightning.run.round_predictions import RoundPredictions, load_predictions
from al_lightning.utils.errors import UsageError

_ROUNDING = 1e-6  # the journal's accuracy was computed in float32


def with_metrics(runs: Sequence[Run], names: Sequence[str]) -> list[Run]:
    """Return runs whose rounds have more metrics, under the names as they are given.

    Args:
        runs: The runs. What was not tested stays as it is: no report compares it.
        names: See :func:`~al_lightning.report.study.torch_metric.torch_metric`.

    Raises:
        UsageError: If a metric is unknown, or cannot be computed for one of the rounds; names both.
    """
    metrics = [torch_metric(name) for name in dict.fromkeys(names)]
    for metric in metrics:
        if metric.name in STANDARD_METRICS:
            raise UsageError(
                f"--metric {metric.name}: every report has it. torchmetrics' own, averaged over the "
                f"classes, is {metric.kind.__name__}"
            )
    if not metrics:
        return list(runs)
    return [
        replace(run, rounds=tuple(_measured(run, entry, metrics) for entry in run.rounds))
        if run.tested
        else run
        for run in runs
    ]


def _measured(run: Run, entry: Round, metrics: Sequence[TorchMetric]) -> Round:
    path = run.predictions_of(entry)
    found = load_predictions(path)
    _require_accuracy(found, entry.metrics["accuracy"], path)
    values = {}
    for metric in metrics:
        try:
            values[metric.name] = metric(found)
        except ValueError as error:
            raise UsageError(
                f"--metric {metric.name} cannot be computed from {path}: {error}"
            ) from error
    return replace(entry, metrics={**entry.metrics, **values})


def _require_accuracy(found: RoundPredictions, accuracy: float, path: Path) -> None:
    """Compare with the journal: a count would not do, since the test images of a project may change."""
    if found.labels is None:  # which the metric names
        return
    right = float((found.predicted == found.labels).double().mean())
    if not math.isclose(right, accuracy, abs_tol=_ROUNDING):
        raise UsageError(
            f"{path} is not of this run: {right:.4f} of its predictions are right, and the journal's "
            f"accuracy is {accuracy:.4f}. Restore the file, or leave --metric out"
        )
