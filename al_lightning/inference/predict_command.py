"""The command line that uses a trained run: ``python -m al_lightning.predict RUN FOLDER``."""

import argparse
import sys
from collections.abc import Callable, Sequence
from functools import cache, partial
from pathlib import Path
from typing import TYPE_CHECKING

from al_lightning.inference.run_arguments import add_data, add_run, positive
from al_lightning.utils.command import exit_status
from al_lightning.utils.errors import UsageError
from al_lightning.utils.process import freeze_imports_from_gc, prepare_process

if TYPE_CHECKING:
    from al_lightning.inference.recorded_run import RecordedRun
    from al_lightning.inference.trained import TrainedRun


def main(arguments: Sequence[str] | None = None) -> int:
    """Write predictions; return the exit status: 1 where that is not possible."""
    return exit_status(partial(_predict, _parser().parse_args(arguments)))


def _predict(given: argparse.Namespace) -> str:
    """Run the command, and return its message."""
    if given.pool == (given.folder is not None):
        raise UsageError("Name a folder of images, or --pool for the unlabeled images of the run")
    prepare_process()
    # Only here: torch is heavy, and --help must answer at once.
    with freeze_imports_from_gc():
        from al_lightning.inference.calibrating import described  # noqa: PLC0415
        from al_lightning.inference.last_weights import read_journal  # noqa: PLC0415
        from al_lightning.inference.open_labels import say_open_labels  # noqa: PLC0415
        from al_lightning.inference.predictions import find_images  # noqa: PLC0415
        from al_lightning.inference.recorded_run import load_recorded  # noqa: PLC0415
        from al_lightning.inference.trained import load_trained  # noqa: PLC0415

    run = load_trained(given.run, trust=given.trust)
    say_open_labels(given.run)

    @cache
    def recorded() -> "RecordedRun":
        return load_recorded(read_journal(given.run), trust=given.trust, place=given.data, say=_say)

    if given.pool:
        recorded()  # without the images, there is nothing to predict
    else:
        find_images(given.folder)  # before what takes as long as five fits
    run, why_not = _calibrated(given, run, recorded)
    written = _write_pool(given, run, recorded()) if given.pool else _write_folder(given, run)
    return f"{written}\n{described(run)}{why_not}"


def _calibrated(
    given: argparse.Namespace, run: "TrainedRun", recorded: "Callable[[], RecordedRun]"
) -> "tuple[TrainedRun, str]":
    """Return the run with its temperature, and why there is none if there is none."""
    from al_lightning.inference.calibrating import run_folds  # noqa: PLC0415

    if given.raw:
        return run.calibrated_by(None), " (--raw)"
    if run.calibration is not None:
        return run, ""
    try:
        return run.calibrated_by(run_folds(recorded(), _say).calibration()), ""
    except UsageError as error:
        return run, f": the run has no validation labels, and no out-of-fold predictions: {error}"


def _write_pool(given: argparse.Namespace, run: "TrainedRun", recorded: "RecordedRun") -> str:
    from al_lightning.inference.pool_predictions import write_pool_predictions  # noqa: PLC0415

    images = write_pool_predictions(recorded, run, given.output, probabilities=given.probabilities)
    new = recorded.unknown_images
    left = (
        f"; {_counted(new, 'new image')} left out: run the project's command first" if new else ""
    )
    return f"{_counted(images, 'unlabeled image')} written to {given.output}{left}"


def _write_folder(given: argparse.Namespace, run: "TrainedRun") -> str:
    from al_lightning.inference.predictions import write_predictions  # noqa: PLC0415
    from al_lightning.inference.trained import prediction_device  # noqa: PLC0415

    run.network.to(prediction_device())
    predicted = write_predictions(
        run,
        given.folder,
        given.output,
        batch_size=given.batch_size,
        on_error=given.on_error,
        probabilities=given.probabilities,
        progress=True,
    )
    for file, why in predicted.unreadable.items():
        _say(f"Skipped {file}: {why}")
    skipped = f", {len(predicted.unreadable)} skipped" if predicted.unreadable else ""
    images = _counted(predicted.images, "image")
    return f"{images} of {len(run.classes)} classes written to {given.output}{skipped}"


def _counted(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def _say(message: str) -> None:
    print(message, file=sys.stderr)  # noqa: T201


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m al_lightning.predict",
        description="Predict the classes of new images, or of the unlabeled images of the run, with a "
        "trained run, and write a CSV file with the class and the confidence of each. Images of any "
        "size are decoded like the run's images. The last weights predict in the precision of the run. "
        "Confidences are calibrated by a temperature: fitted on the validation labels of the run, or "
        "else, once, on out-of-fold predictions of its labels.",
    )
    add_run(parser)
    parser.add_argument(
        "folder",
        type=Path,
        nargs="?",
        metavar="FOLDER",
        help="images, at any depth; links are followed",
    )
    _add_own_images(parser)
    parser.add_argument(
        "--to",
        "--output",
        dest="output",
        type=Path,
        metavar="FILE",
        default=Path("predictions.csv"),
        help="default: predictions.csv; its columns are file, class, confidence",
    )
    parser.add_argument(
        "--probabilities", action="store_true", help="add a column p_<class> for every class"
    )
    parser.add_argument(
        "--batch-size",
        type=positive,
        metavar="N",
        default=256,
        help="images per batch; default: 256",
    )
    parser.add_argument(
        "--on-error",
        choices=("refuse", "skip"),
        default="refuse",
        help="what to do about files that cannot be read: write nothing (default), or leave them out",
    )
    return parser


def _add_own_images(parser: argparse.ArgumentParser) -> None:
    """Add what concerns the run's own images."""
    parser.add_argument(
        "--pool",
        action="store_true",
        help="predict the unlabeled images of the run instead; the columns are id, file, class, "
        "confidence, margin, calibrated, sorted by class and confidence",
    )
    parser.add_argument(
        "--raw", action="store_true", help="do not calibrate: the softmax as it was trained"
    )
    add_data(parser)
