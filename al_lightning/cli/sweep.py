"""Sweeps: what became of their jobs, and the report at their end."""

import json
import os
import sys
import traceback
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from math import prod
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.utils import JobReturn, JobStatus
from hydra.errors import CompactHydraException
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, open_dict, read_write

from al_lightning.cli.failures import is_full_wanted
from al_lightning.cli.resolvers import register
from al_lightning.cli.same_command import same_command
from al_lightning.cli.search import found_nothing, is_search, listed_sweeps
from al_lightning.cli.values import report_rules
from al_lightning.run.keys import NOT_RECORDED, is_below, key_of
from al_lightning.utils.errors import UsageError
from al_lightning.utils.orphans import end_with_parent
from al_lightning.utils.process import usable_cores
from al_lightning.utils.redaction import redacted

# Parallel launchers run jobs in processes of their own. What they are sent holds the callback below, so
# that this module is imported there too, and the configuration finds its own functions.
register()

_ONE_BY_ONE = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
_DIED = "it did not end: its process died, or was stopped"
_FAILURE = 1  # exit status
_GRACE = 60.0  # seconds in which a job stops whose sweep was killed
_Record = dict[str, Any]
_begun: list["SweepRecord"] = []  # by this process, and not yet reported


class SweepRecord(Callback):
    """Notes what became of the jobs of a sweep, in ``jobs/`` of the sweep's folder, a file a job.

    Hydra makes it in the process that was started, and sends it to those that run jobs. It does nothing
    in a single run.

    Args:
        report: The key of the configuration, see :func:`al_lightning.cli.values.report_rules`.
    """

    def __init__(self, report: DictConfig | bool | None = True) -> None:
        self.report = report
        self.folder: Path | None = None
        self.after_failures = ""  # what becomes of the jobs that failed
        self._sweep = os.getpid()

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ARG002
        """Begin the record; of a search, its study is held by now."""
        again = same_command(config.overwrite)
        self.after_failures = (
            f"{again} draws other values in their place"
            if is_search(config)
            else f"{again} runs them again, and keeps the others"
        )
        self.folder = Path(config.hydra.sweep.dir).absolute()
        for record in self.records():
            if record["error"]:  # what fails again will be noted again
                self._path(Path(record["run"])).unlink(missing_ok=True)
        _share_out_threads(config)
        _begun.append(self)

    def on_job_start(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ARG002
        """Note a job as one that did not end: if its process dies, no later code runs."""
        if os.getppid() == self._sweep:  # a worker of this machine, which would train on without it
            end_with_parent(self._sweep, _GRACE)
        self._note(config, config.hydra.overrides.task, _DIED)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:  # noqa: ARG002
        """Note how a job ended."""
        failed = job_return.status is not JobStatus.COMPLETED
        self._note(config, job_return.overrides or (), _describe(job_return) if failed else None)
        if failed and self.folder is not None and not is_search(config):
            _let_others_run(job_return)

    def records(self) -> list[_Record]:
        """Return the records of the sweep's jobs, including those of earlier sessions."""
        paths = sorted(self.folder.glob("jobs/*.json")) if self.folder else []
        records = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
        return sorted(records, key=lambda record: str(record["run"]))

    def _note(self, config: DictConfig, overrides: Sequence[str], error: str | None) -> None:
        if self.folder is None:
            return
        run = Path(config.hydra.runtime.output_dir)
        shown = [o for o in overrides if not is_below(key_of(o), NOT_RECORDED)]
        record = redacted({"run": str(run), "overrides": shown, "error": error})
        text = json.dumps(record, indent=2) + "\n"
        path = self._path(run)
        path.parent.mkdir(parents=True, exist_ok=True)
        partial = path.with_suffix(f".{os.getpid()}")
        partial.write_text(text, encoding="utf-8")
        partial.replace(path)

    def _path(self, run: Path) -> Path:
        assert self.folder is not None
        return self.folder / "jobs" / f"{sha256(str(run).encode()).hexdigest()[:16]}.json"


@contextmanager
def reported() -> Iterator[None]:
    """Report the sweep that runs in the block, if one does, even if some of its jobs failed.

    Exits with a failure where a job failed. An interrupted sweep is not reported: it is not over.
    """
    _begun.clear()
    try:
        yield
    except SystemExit as exit_:
        if exit_.code == _FAILURE:
            _report_begun()
        raise
    except Exception as error:
        if _report_begun() or not found_nothing(error):
            raise
        sys.exit(_FAILURE)
    if not _report_begun():
        sys.exit(_FAILURE)


def runs_beside_others() -> bool:
    """Return whether this job may share its terminal with other jobs."""
    config = HydraConfig.get()
    return bool(config.mode == RunMode.MULTIRUN and config.launcher._target_ != _ONE_BY_ONE)


def _share_out_threads(config: DictConfig) -> None:
    """Let a launcher that fills all cores start no more processes than there are jobs.

    Each process takes its share of the threads, and two jobs on sixteen cores would take one each.
    """
    launcher = config.hydra.launcher
    if launcher.get("n_jobs") != -1:
        return
    jobs = config.hydra.sweeper.get("n_jobs") or 1 if is_search(config) else _jobs(config)
    with read_write(config.hydra), open_dict(config.hydra):
        launcher.n_jobs = max(1, min(jobs, usable_cores()))


def _jobs(config: DictConfig) -> int:
    return prod(len([*override.sweep_string_iterator()]) for override in listed_sweeps(config))


def _let_others_run(job: JobReturn) -> None:
    """Show an unknown error, and keep Hydra from ending the sweep by it.

    A failed job is on record, and is named at the end. Hydra raises its error after the jobs that it
    has started at once (``hydra.sweeper.max_batch_size``), and would never start the others.
    """
    error = job._return_value
    if is_full_wanted() or not isinstance(error, CompactHydraException):
        traceback.print_exception(error)
    job.return_value, job.status = None, JobStatus.COMPLETED


def _describe(job: JobReturn) -> str:
    error = job._return_value  # the public name raises it, and prints
    known = isinstance(error, CompactHydraException)
    return str(error).removeprefix("Error: ") if known else f"{type(error).__name__}: {error}"


def _report_begun() -> bool:
    """Report what was begun; return whether all went well."""
    outcomes = [(_name_failures(sweep), _report(sweep)) for sweep in _begun]
    return all(all(outcome) for outcome in outcomes)


def _name_failures(sweep: SweepRecord) -> bool:
    """Say which jobs failed; return whether none did."""
    records = sweep.records()
    failed = [record for record in records if record["error"]]
    for record in failed:
        _complain(f"\nFailed: {' '.join(record['overrides'])}\n{record['error']}")
    if failed:
        _complain(f"\n{len(failed)} of {len(records)} runs failed; {sweep.after_failures}")
    return not failed


def _report(sweep: SweepRecord) -> bool:
    """Write the report on the runs of a sweep; return whether that could be done."""
    runs = [Path(record["run"]) for record in sweep.records()]
    runs = [run for run in runs if (run / "journal.jsonl").exists()]
    rules = report_rules(sweep.report)
    if sweep.folder is None or rules is None or not runs:
        return True
    from al_lightning.report.page.dashboard import (  # noqa: PLC0415 - heavy
        how_to_open,
        sweep_curves,
        write_dashboard,
    )
    from al_lightning.report.page.write import write_report  # noqa: PLC0415

    target = sweep.folder / "report"
    try:
        report = write_report(runs, target, rules=rules)
    except UsageError as error:
        _complain(f"\nError: {error}")
        return False
    board = target / "tensorboard"
    write_dashboard(sweep_curves(report.analyses), board)
    for problem in report.problems:
        _complain(problem)
    print(f"\n{report.verdict}\n\n{report.page}\n{how_to_open(board)}")  # noqa: T201
    return True


def _complain(message: str) -> None:
    print(message, file=sys.stderr)  # noqa: T201
