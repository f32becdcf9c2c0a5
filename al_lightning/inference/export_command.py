"""The command line that takes a trained run elsewhere: ``python -m al_lightning.export RUN``."""

import argparse
from collections.abc import Sequence
from functools import partial
from pathlib import Path

from al_lightning.inference.run_arguments import add_run
from al_lightning.utils.command import exit_status
from al_lightning.utils.process import freeze_imports_from_gc, prepare_process

_FORMATS = ("onnx", "pt2")


def main(arguments: Sequence[str] | None = None) -> int:
    """Export; return the exit status: 1 where that is not possible."""
    return exit_status(partial(_export, _parser().parse_args(arguments)))


def _export(given: argparse.Namespace) -> str:
    """Run the command, and return its message."""
    prepare_process()
    # Only here: torch is heavy, and --help must answer at once.
    with freeze_imports_from_gc():
        from al_lightning.inference.calibrating import described  # noqa: PLC0415
        from al_lightning.inference.exports import PRECISION, export_run  # noqa: PLC0415
        from al_lightning.inference.trained import load_trained  # noqa: PLC0415

    output = given.output or Path(f"model.{given.format}")
    run = load_trained(given.run, trust=given.trust)
    difference = export_run(run, output, given.format)
    if difference is None:
        checked = "not checked, since onnxruntime is not installed"
    else:
        checked = (
            f"its probabilities on random images differ from the run's by at most {difference:.1e}"
        )
    shape = "x".join(map(str, run.image_shape))
    computed = (
        "" if run.precision == PRECISION else f" in float32 (the run computed in {run.precision})"
    )
    written = f"{output}: images of {shape} to {len(run.classes)} classes{computed}; {checked}"
    return f"{written}\n{described(run)}"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m al_lightning.export",
        description="Write a trained run as one file that needs no al_lightning. Its input `images` "
        "is (batch, channels, height, width) float32 in [0, 1]; its output `probabilities` is (batch, "
        "classes) float32. Normalisation and softmax are inside; decoding is not: resize to cover the "
        "size (bicubic), crop the centre, divide bytes by 255. classes, image_shape, decoding, "
        "normalization and calibration are written into the file. The file is checked against the run "
        "before it is put into place.",
    )
    add_run(parser)
    parser.add_argument(
        "--format",
        choices=_FORMATS,
        default="onnx",
        help='onnx (default) needs pip install "al-lightning[onnx]"; pt2 is for torch.export.load, and '
        "needs nothing else",
    )
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="default: model.onnx or model.pt2"
    )
    return parser
