"""All scores of a report as a pandas frame."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from al_lightning.report.study.grouping import build_study
from al_lightning.report.study.measured import with_metrics
from al_lightning.report.study.runs import read_runs
from al_lightning.report.tables.tidy import Score, read_tidy_csv, tidy_scores
from al_lightning.utils.errors import UsageError

if TYPE_CHECKING:
    import pandas as pd

#: The scores in the folder of a report.
RESULTS = "results.csv"


def load_frame(*folders: Path | str, metrics: Sequence[str] = ()) -> "pd.DataFrame":
    """Return scores as a frame; see :func:`al_lightning.report.load`."""
    try:
        import pandas as pd  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UsageError(
            'report.load needs pandas: pip install "al-lightning[pandas]". Without it, read '
            f"{RESULTS} in the folder of a report: it holds the same"
        ) from error
    scores = _scores([Path(folder) for folder in folders], metrics)
    return pd.DataFrame(scores, columns=Score._fields)


def _scores(folders: list[Path], metrics: Sequence[str]) -> list[Score]:
    written = [
        path
        for folder in folders
        for path in (folder / RESULTS, folder / "report" / RESULTS)
        if path.is_file()
    ]
    runs, problems = read_runs(folders)
    if runs:
        for problem in problems:
            warnings.warn(f"A run is left out: {problem}", stacklevel=3)
        return tidy_scores(build_study(with_metrics(runs, metrics)))
    if len(folders) == len(written) == 1 and not metrics:
        try:
            return read_tidy_csv(written[0].read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"{written[0]} holds no scores of a report: {error}") from error
    named = ", ".join(map(str, folders))
    raise UsageError("\n".join([f"There is neither a run nor a report in {named}", *problems]))
