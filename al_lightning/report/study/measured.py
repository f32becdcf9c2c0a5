"""Adds metrics to runs, computed from the predictions that they keep."""

from collections.abc import Sequence
from dataclasses import replace

from al_lightning.report.study.runs import Round, Run
from al_lightning.report.study.scores import STANDARD_METRICS
from al_lightning.report.study.torch_metric import TorchMetric, torch_metric
from al_lightning.run.round_predictions import load_predictions
from al_lightning.utils.errors import UsageError


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
    if len(found.ids) != (expected := run.data.get("test", len(found.ids))):
        raise UsageError(f"{path} is of {len(found.ids)} test images, and the run has {expected}")
    values = {}
    for metric in metrics:
        try:
            values[metric.name] = metric(found)
        except ValueError as error:
            raise UsageError(
                f"--metric {metric.name} cannot be computed from {path}: {error}"
            ) from error
    return replace(entry, metrics={**entry.metrics, **values})
