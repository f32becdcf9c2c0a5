"""The command line that uses a trained run: ``python -m al_lightning.predict RUN FOLDER``."""

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from al_lightning.utils.command import exit_status
from al_lightning.utils.process import freeze_imports_from_gc, prepare_process


def main(arguments: Sequence[str] | None = None) -> int:
    """Write predictions; return the exit status: 1 where that is not possible."""
    return exit_status(partial(_predict, _parser().parse_args(arguments)))


def _predict(given: argparse.Namespace) -> str:
    """Run the command, and return its message."""
    prepare_process()
    # Only here: torch is heavy, and --help must answer at once.
    with freeze_imports_from_gc():
        from al_lightning.inference.predictions import write_predictions  # noqa: PLC0415
        from al_lightning.inference.trained import load_trained, prediction_device  # noqa: PLC0415

    run = load_trained(given.run, trust=given.trust)
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
        print(f"Skipped {file}: {why}", file=sys.stderr)  # noqa: T201
    skipped = f", {len(predicted.unreadable)} skipped" if predicted.unreadable else ""
    images = f"{predicted.images:,} image{'s' * (predicted.images != 1)}"
    return f"{images} of {len(run.classes)} classes written to {given.output}{skipped}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m al_lightning.predict",
        description="Predict the classes of new images with a trained run, and write a CSV file with "
        "the class and the confidence of each. Images of any size are decoded like the run's images. "
        "The last weights predict in the precision of the run.",
    )
    parser.add_argument(
        "run", type=Path, metavar="RUN", help="a run's folder, which has journal.jsonl"
    )
    parser.add_argument(
        "folder",
        type=Path,
        metavar="FOLDER",
        help="images, at any depth; links to folders are not followed",
    )
    parser.add_argument(
        "--output",
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
        type=_positive,
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
    parser.add_argument(
        "--trust",
        action="store_true",
        help="also load other classes that the run's configuration names, such as your own network; "
        "this executes their code, so use it only for runs that you trust",
    )
    return parser


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"must be a whole number >= 1, not {text!r}")
    return int(text)
