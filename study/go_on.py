"""The study goes on: what is left of it is run."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from al_lightning.utils.errors import UsageError
from al_lightning.utils.files import write_whole
from al_lightning.utils.locks import only_one
from study.archive import unpack
from study.part import PlannedRun
from study.study import Study, beside
from study.workers import Ended, Job, run_side_by_side


class _BeingRunError(UsageError):
    """Another process makes runs of a part."""


def go_on(study: Study, jobs: int) -> int:
    """Make the runs that are left, and say how each ends; return how many failed.

    Raises:
        Interrupted: By Ctrl-C or SIGTERM; the next call goes on from there.
        UsageError: If a part is being run by another process already, or an archive is damaged.
    """
    with _alone(study):
        _unpack(study)
        for note in study.notes():
            print(f"Note: {note}")
        _announce(study, jobs)
        new = {run for run in study.left if not run.journal(study.root).exists()}
        failed = []
        for ended in run_side_by_side([make_job(run, study.root) for run in study.left], jobs):
            run = ended.job.about
            if ended.status == 0 and run in new:
                write_whole(beside(run, study.root, ".seconds"), f"{ended.seconds:.1f}\n")
            if not _noted(study, ended, jobs):
                failed.append(ended.job)
    for job in failed:
        print(f"Failed: {job.about}, see {job.log}; the same command tries it once more")
    return len(failed)


def unpack_unless_running(study: Study) -> None:
    """Put the journals of the archives to their places, if nobody makes runs there."""
    with suppress(_BeingRunError), _alone(study):
        _unpack(study)


def make_job(run: PlannedRun, root: Path) -> Job[PlannedRun]:
    """Return the process that makes a run, or goes on with it."""
    command = [sys.executable, "-m", "al_lightning", *run.arguments(root)]
    return Job(run, command, beside(run, root, ".log"))


def _unpack(study: Study) -> None:
    """Unpack all archives, say how much that was, and read the study anew."""
    for part in study.parts:
        if count := unpack(part, study.root, study.archive(part)):
            print(f"part {part.name}: {count} journals unpacked from {study.archive(part)}")
    study.read()


def _announce(study: Study, jobs: int) -> None:
    """Say what is to be done, and how it is stopped."""
    done, every, group = len(study.records), len(study.plan), os.getpgrp()
    if done == every:
        print(f"All {every} runs are finished")
    elif not study.left:
        print(f"{done} of {every} runs are finished, and no other can be made")
    else:
        print(
            f"{done} of {every} runs are finished; the others in {jobs} "
            f"{'process' if jobs == 1 else 'processes'} at a time, {study.time_left(jobs)}\n"
            f"Ctrl-C stops, `kill -STOP -- -{group}` pauses, `kill -CONT -- -{group}` goes on",
            flush=True,
        )


def _noted(study: Study, ended: Ended[PlannedRun], jobs: int) -> bool:
    """Note how a run has ended, and say so; return whether it is finished."""
    run, finished = ended.job.about, study.note(ended.job.about)
    own = [other for other in study.plan if other.part == run.part]
    how = f"exit status {ended.status}, not finished"
    if finished:
        how = f"accuracy {study.records[run].accuracy:.4f}, {ended.seconds:.0f} s"
    print(
        f"{run}: {how}; {sum(r in study.records for r in own)}/{len(own)} of the part, "
        f"{len(study.records)}/{len(study.plan)} in all, {study.time_left(jobs)}",
        flush=True,
    )
    return finished


@contextmanager
def _alone(study: Study) -> Iterator[None]:
    """Hold all parts: two processes must not make the same runs."""
    with ExitStack() as stack:
        for part in study.parts:
            try:
                stack.enter_context(only_one(study.root / part.name / ".study.lock"))
            except BlockingIOError as error:
                raise _BeingRunError(f"Part {part.name} is being run by {error}") from error
        yield
