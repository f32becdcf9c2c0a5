"""The command line of the study, see README.md: `make study`, `-pack` and `-report`."""

import argparse
import shlex
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

from al_lightning.utils.errors import UsageError
from al_lightning.utils.interrupts import Interrupted
from al_lightning.utils.process import usable_cores
from study.archive import pack
from study.go_on import go_on, make_job, unpack_unless_running
from study.part import PlannedRun
from study.parts import PLAN
from study.study import MOST_BYTES, Study

PAGE = Path("docs/study.md")


def main(arguments: Sequence[str] | None = None, plan: Sequence[PlannedRun] = PLAN) -> int:
    """Go on with the study, pack what is finished, or list its parts or its commands.

    Returns:
        The exit status: 1 where a run failed, or nothing could be done; after a signal 128 and its
        number.
    """
    options = _parser().parse_args(arguments)
    try:
        study = Study(_selected(plan, options.part))
        if options.list:
            _show(study, options.jobs)
        elif options.commands:
            _print_commands(study)
        elif options.pack:
            _pack(study)
        elif options.report:
            _report(study)
        else:
            return 1 if go_on(study, options.jobs) else 0
    except UsageError as error:
        print(f"Error: {error}", file=sys.stderr)
        return 1
    except Interrupted as interrupted:
        print("Stopped. The same command goes on from here.", file=sys.stderr)
        return interrupted.exit_status
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m study", description=__doc__)
    parser.add_argument(
        "--part", help="this part alone, such as b; c is all parts that begin with c_"
    )
    parser.add_argument(
        "--jobs", type=_count, default=usable_cores(), help="runs at a time (cores)"
    )
    instead = parser.add_mutually_exclusive_group()
    instead.add_argument("--list", action="store_true", help="list the parts, and run nothing")
    instead.add_argument(
        "--commands",
        action="store_true",
        help="print the command of each run that is left, a line each, for a launcher of your own",
    )
    instead.add_argument("--pack", action="store_true", help="add what is finished to the archives")
    instead.add_argument(
        "--report",
        action="store_true",
        help="make docs/study.md and docs/study/ anew from the archives",
    )
    return parser


def _count(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("must be 1 or more")
    return number


def _selected(plan: Sequence[PlannedRun], name: str | None) -> list[PlannedRun]:
    chosen = [
        run
        for run in plan
        if name is None or run.part.name == name or run.part.name.startswith(f"{name}_")
    ]
    if not chosen:
        names = ", ".join(dict.fromkeys(run.part.name for run in plan))
        raise UsageError(f"There is no part {name}, but {names}")
    return chosen


def _pack(study: Study) -> None:
    """Add what is finished to the archives, and say how large they are."""
    for part in study.parts:
        runs = [run for run in study.plan if run.part == part]
        for note in pack(part, runs, study.root, study.archive(part)):
            print(f"Note: {note}")
    sizes = {path.name: path.stat().st_size for path in sorted(study.archives.glob("*.tar.xz"))}
    for name, size in sizes.items():
        print(f"{name:<24}{size / 1000:>8,.0f} kB")
    print(f"{'all':<24}{sum(sizes.values()) / 1000:>8,.0f} kB of {MOST_BYTES / 1000:,.0f} kB")


def _report(study: Study) -> None:
    """Make the pages of the study anew, and name the files that have changed."""
    from study.report import StudyReport  # noqa: PLC0415 - imports matplotlib

    for path in StudyReport(study.parts, study.archives).write(PAGE):
        print(path)


def _print_commands(study: Study) -> None:
    """Print what a shell runs to make each run that is left."""
    with redirect_stdout(sys.stderr):
        unpack_unless_running(study)
        for note in study.notes():
            print(f"Note: {note}")
    for run in study.left:
        print("OMP_NUM_THREADS=1", shlex.join(make_job(run, study.root).command))


def _show(study: Study, jobs: int) -> None:
    """Print the parts, and how far each is."""
    unpack_unless_running(study)
    for part in study.parts:
        own = study.of(part)
        print(
            f"{part.name:<14}{len(own.records):>4} of {len(own.plan):>3} runs, revision "
            f"{part.revision}, {own.time_left(jobs)}\n    {part.question}"
        )
    for note in study.notes():
        print(f"Note: {note}")


if __name__ == "__main__":
    sys.exit(main())
