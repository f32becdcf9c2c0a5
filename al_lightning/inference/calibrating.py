"""The temperature of a run: from its validation labels, or from out-of-fold predictions on demand."""

from collections.abc import Callable

from al_lightning.inference.kept_folds import folds_of
from al_lightning.inference.recorded_run import RecordedRun
from al_lightning.inference.trained import TrainedRun
from al_lightning.training.out_of_fold import OutOfFold, out_of_fold

FOLDS = 5


def run_folds(recorded: RecordedRun, say: Callable[[str], None] = lambda _: None) -> OutOfFold:
    """Return the out-of-fold predictions of a run's labels, which are computed once.

    Args:
        recorded: The run with its images.
        say: Called with a message before the fits.

    Raises:
        UsageError: If there are too few labels.
    """

    def compute() -> OutOfFold:
        labels = len(recorded.pool.labeled_ids)
        say(
            f"Fitting {FOLDS} classifiers, each on {FOLDS - 1} of {FOLDS} parts of {labels:,} labels"
        )
        return out_of_fold(recorded.learner, recorded.pool, recorded.round, FOLDS)

    identity = recorded.identity, recorded.pool, recorded.labeled_pixels
    return folds_of(recorded.journal, *identity, compute)


def described(run: TrainedRun) -> str:
    """Return in words how the confidences of a run are calibrated.

    Args:
        run: Loaded, and calibrated where that was possible.
    """
    found = run.calibration
    if found is None:
        return "Confidences are not calibrated"
    figures = (
        f"temperature {found.temperature:.2f}, calibration error {found.ece_before:.3f} before and "
        f"{found.ece_after:.3f} after"
    )
    if found.ece_after > found.ece_before:
        figures += ". On these labels they are better without it: predict --raw"
    if found.source == "validation":
        return f"Confidences are calibrated on {found.labels:,} validation labels: {figures}"
    return (
        "Confidences are not calibrated for the pool: labels that a strategy chose may be unlike it. "
        f"On these {found.labels:,} labels, out of fold: {figures}"
    )
