"""All scores of a report as tidy data: a value a row, for figures and tests of one's own."""

import csv
import io
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from al_lightning.report.study.runs import Run
from al_lightning.report.study.settings import Setting
from al_lightning.utils import spreadsheet


class Score(NamedTuple):
    """A value that a run reached in a round.

    Attributes:
        setting: What was compared, such as "digits with cnn".
        strategy: As the report names it; "passive" of the baseline on all labels.
        seed: Of the run.
        labels: Labels bought until the round.
        metric: "accuracy", "macro_f1", ...; "validation_accuracy", ... on labels bought for validation.
        value: As the journal has it: shares between 0 and 1, NLL in nats.
    """

    setting: str
    strategy: str
    seed: int
    labels: int
    metric: str
    value: float


def tidy_scores(settings: Sequence[Setting]) -> list[Score]:
    """Return the scores of all runs that are compared or tried, in all of their rounds."""
    return [
        Score(setting.name, strategy, seed, labels, metric, value)
        for setting in settings
        for strategy, runs in [*setting.runs.items(), ("passive", setting.passive)]
        for seed, run in runs.items()
        for labels, metric, value in _scores(run)
    ]


def to_tidy_csv(scores: Sequence[Score]) -> str:
    """Return scores as CSV, unrounded; no name is a formula of a spreadsheet."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    writer.writerow(Score._fields)
    writer.writerows(
        [spreadsheet.cell(v) if isinstance(v, str) else v for v in score] for score in scores
    )
    return buffer.getvalue()


def to_tidy_parquet(scores: Sequence[Score]) -> bytes | None:
    """Return scores as Parquet; None where pyarrow is not installed."""
    try:
        import pyarrow as pa  # noqa: PLC0415 - an extra
        from pyarrow import parquet  # noqa: PLC0415
    except ImportError:
        return None
    types = (pa.string(), pa.string(), pa.int64(), pa.int64(), pa.string(), pa.float64())
    columns = [pa.array([score[k] for score in scores], type=kind) for k, kind in enumerate(types)]
    sink = pa.BufferOutputStream()
    parquet.write_table(pa.table(columns, names=list(Score._fields)), sink)
    return bytes(sink.getvalue())


def read_tidy_csv(text: str) -> list[Score]:
    """Return the scores of a file of :func:`to_tidy_csv`.

    >>> scores = [Score("digits with cnn", "=own", 0, 50, "accuracy", 0.875)]
    >>> read_tidy_csv(to_tidy_csv(scores)) == scores
    True

    Raises:
        ValueError: If the text is something else; names the line.
    """
    rows = list(csv.reader(io.StringIO(text)))
    if not rows or tuple(rows[0]) != Score._fields:
        raise ValueError(f"line 1 is not {','.join(Score._fields)}")
    return [_score(row, line) for line, row in enumerate(rows[1:], 2)]


def _score(row: Sequence[str], line: int) -> Score:
    text = spreadsheet.text_of
    try:
        setting, strategy, seed, labels, metric, value = row
        whole = int(seed), int(labels)
        return Score(text(setting), text(strategy), *whole, text(metric), float(value))
    except ValueError as error:
        raise ValueError(f"line {line}: {error}") from error


def _scores(run: Run) -> Iterator[tuple[int, str, float]]:
    for entry in run.rounds:
        for metric, value in entry.metrics.items():
            yield entry.labels, metric, float(value)
        for metric, value in entry.validation.items():
            yield entry.labels, f"validation_{metric}", float(value)
