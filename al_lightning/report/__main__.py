"""The command line of the report: ``python -m al_lightning.report FOLDER...``."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from al_lightning.report.rules import Rules
from al_lightning.utils.command import piped_output
from al_lightning.utils.errors import UsageError

_RULES = ("margin", "difference", "looks")


def main(arguments: Sequence[str] | None = None) -> int:
    """Write a report; return the exit status: 1 where there is nothing to report on."""
    given = _parser().parse_args(arguments)
    from al_lightning.report.page.write import write_report  # noqa: PLC0415 - heavy: --help must answer at once

    target = given.output or given.folders[0] / "report"
    try:
        rules = {key: value for key in _RULES if (value := getattr(given, key)) is not None}
        report = write_report(given.folders, target, given.title, given.metric, changes=rules)
    except UsageError as error:
        print(f"Error: {error}", file=sys.stderr)  # noqa: T201
        return 1
    for problem in report.problems:
        print(problem, file=sys.stderr)  # noqa: T201
    parts = [
        report.page,
        *(target / name for name in ("figures", "tables", "results.csv", "report.json")),
    ]
    with piped_output():
        print(f"{report.verdict}\n", *parts, sep="\n")  # noqa: T201
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m al_lightning.report",
        description="Compare runs: a verdict, figures and tables in one page. Works on unfinished "
        "sweeps, and on folders from several machines.",
    )
    parser.add_argument(
        "folders", nargs="+", type=Path, metavar="FOLDER", help="run folders, or folders above them"
    )
    parser.add_argument(
        "--output", type=Path, metavar="DIR", help="default: FOLDER/report of the first"
    )
    parser.add_argument(
        "--metric",
        action="append",
        default=[],
        metavar="NAME",
        help="another metric, computed from the stored predictions: any multiclass metric of "
        'torchmetrics, such as cohen_kappa, auroc or "fbeta_score(beta=0.5)"; may be repeated',
    )
    parser.add_argument("--title", help="of the page; default: what is compared")
    parser.add_argument(
        "--margin",
        type=float,
        metavar="POINTS",
        help="strategies are the same where they are shown to be this close; default, as for the next "
        f"two: what all journals recorded, else {Rules.margin}",
    )
    parser.add_argument(
        "--difference",
        type=float,
        metavar="POINTS",
        help="the smallest difference that matters, which seeds are counted for; else "
        f"{Rules.difference}",
    )
    parser.add_argument(
        "--looks",
        nargs="+",
        type=int,
        metavar="SEEDS",
        help="numbers of seeds at which claims are made, which share the level of 5%%; else "
        f"{' '.join(map(str, Rules.looks))}",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
