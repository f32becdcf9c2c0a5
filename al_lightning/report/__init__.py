"""From journals to statements."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["load"]


def load(*folders: Path | str, metrics: Sequence[str] = ()) -> "pd.DataFrame":
    """Return the scores of runs as a pandas frame, a value a row: what a report has as ``results.csv``.

    Its columns are ``setting``, ``strategy``, ``seed``, ``labels``, ``metric`` and ``value``. It has
    the runs that a report on the folders compares, those of searches, and the passive baseline
    (strategy "passive"), at all of their budgets.

    >>> import tempfile
    >>> from al_lightning import Budget, plain_loop, report
    >>> from al_lightning.data import Digits
    >>> from al_lightning.strategies import Margin
    >>> folder = tempfile.mkdtemp()
    >>> _ = plain_loop(Digits(), Margin(), folder, Budget(10, 10, 20), epochs=1).run()
    >>> frame = report.load(folder)
    >>> list(frame.columns)
    ['setting', 'strategy', 'seed', 'labels', 'metric', 'value']
    >>> curve = frame[frame.metric == "accuracy"].groupby(["strategy", "labels"]).value.mean()
    >>> list(curve.index)
    [('margin', 10), ('margin', 20)]

    Args:
        folders: Run folders, folders above them, or one folder of a report or sweep.
        metrics: More metrics of the runs, computed from their stored predictions: names of multiclass
            metrics of torchmetrics, such as "cohen_kappa" or "fbeta_score(beta=0.5)".

    Raises:
        UsageError: If pandas is not installed, the folders hold neither runs nor a report, or a metric
            cannot be computed.
    """
    from al_lightning.report.frame import load_frame  # noqa: PLC0415 - heavy: --help must answer at once

    return load_frame(*folders, metrics=metrics)
