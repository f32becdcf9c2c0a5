"""Sweeps: what is refused before one, what is noted during it, and the report at its end."""

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.core.utils import JobReturn, JobStatus
from hydra.experimental.callback import Callback
from hydra.types import RunMode
from omegaconf import DictConfig, OmegaConf

from al_lightning.errors import UsageError
from al_lightning.keys import HYPERPARAMETERS, is_below
from al_lightning.naming import run_name, sweep_name

# Parallel launchers run jobs in processes of their own. What they are sent holds the callback below, so
# that this module is imported there too, and the configuration finds its own functions.
OmegaConf.register_new_resolver("run_name", run_name, replace=True)
OmegaConf.register_new_resolver("sweep_name", sweep_name, replace=True)
OmegaConf.register_new_resolver("absolute", lambda path: str(Path(path).absolute()), replace=True)

_GRID = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"  # plays all; looks for nothing
_ONE_BY_ONE = "hydra._internal.core_plugins.basic_launcher.BasicLauncher"
_FAILURE = 1  # exit status
_Record = dict[str, Any]
_begun: list["SweepRecord"] = []  # by this process, and not yet reported


class SweepRecord(Callback):
    """Notes what became of the jobs of a sweep, in ``jobs/`` of the sweep's folder, a file a job.

    Hydra makes it in the process that was started, and sends it to those that run jobs. It does nothing
    in a single run.

    Args:
        report: Whether the sweep ends with a report.
    """

    def __init__(self, report: bool = True) -> None:
        self.report = report
        self.folder: Path | None = None

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ARG002
        """Refuse what would choose by the test set; begin the record."""
        try:
            _require_validation(config)
        except UsageError as error:
            print(f"Error: {error}", file=sys.stderr)  # noqa: T201
            sys.exit(_FAILURE)  # anything else that a callback raises becomes a warning
        self.folder = Path(config.hydra.sweep.dir).absolute()
        self.folder.mkdir(parents=True, exist_ok=True)  # a study is opened in it before any job
        _begun.append(self)

    def on_job_end(self, config: DictConfig, job_return: JobReturn, **kwargs: Any) -> None:  # noqa: ARG002
        """Note how a job ended."""
        if self.folder is None:
            return
        run = Path(config.hydra.runtime.output_dir)
        failed = job_return.status is not JobStatus.COMPLETED
        record: _Record = {
            "run": str(run),
            "overrides": list(job_return.overrides or ()),
            "error": _describe(job_return) if failed else None,
        }
        path = self.folder / "jobs" / f"{sha256(str(run).encode()).hexdigest()[:16]}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")

    def records(self) -> list[_Record]:
        """Return what is known of the sweep's jobs, those of earlier sessions included."""
        paths = sorted(self.folder.glob("jobs/*.json")) if self.folder else []
        records = [json.loads(path.read_text(encoding="utf-8")) for path in paths]
        return sorted(records, key=lambda record: record["run"])


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
    if _report_begun():
        sys.exit(_FAILURE)


def runs_beside_others() -> bool:
    """Return whether this job may share its terminal with other jobs."""
    config = HydraConfig.get()
    return bool(config.mode == RunMode.MULTIRUN and config.launcher._target_ != _ONE_BY_ONE)


def _describe(job: JobReturn) -> str:
    error = job._return_value  # the public name raises it, and prints
    return f"{type(error).__name__}: {error}"


def _report_begun() -> list[_Record]:
    return [record for sweep in _begun for record in _report(sweep)]


def _report(sweep: SweepRecord) -> Sequence[_Record]:
    """Write the report on the runs of a sweep, name those that failed, and return them."""
    from al_lightning.report.dashboard import sweep_curves, write_dashboard  # noqa: PLC0415 - heavy
    from al_lightning.report.write import write_report  # noqa: PLC0415

    records = sweep.records()
    if sweep.folder is None or not records:
        return []
    runs = [Path(record["run"]) for record in records]
    journals = [run for run in runs if (run / "journal.jsonl").exists()]
    failed = [record for record in records if record["error"]]
    if journals and sweep.report:
        report = write_report(journals, sweep.folder / "report")
        write_dashboard(sweep_curves(report.analyses), sweep.folder / "report" / "tensorboard")
        print(f"\n{report.verdict}\n\n{report.page}")  # noqa: T201
    for record in failed:
        command = " ".join(record["overrides"])
        print(f"\nFailed: {command}\n{record['error']}", file=sys.stderr)  # noqa: T201
    if failed:
        print(  # noqa: T201
            f"{len(failed)} of {len(records)} runs failed; the same command runs them again, and keeps "
            "the others",
            file=sys.stderr,
        )
    return failed


def _require_validation(config: DictConfig) -> None:
    """Refuse a sweep that looks for the best hyperparameters, but has no labels to choose them by."""
    sweeper = config.hydra.sweeper
    given = [*(f"{k}={v}" for k, v in (sweeper.get("params") or {}).items())]
    given += list(config.hydra.overrides.task)
    overrides = OverridesParser.create().parse_overrides(given)
    chosen = [o.key_or_group for o in overrides if o.is_sweep_override()]
    if sweeper._target_ == _GRID:
        chosen = [key for key in chosen if is_below(key, HYPERPARAMETERS)]
    if chosen and not _buys_validation(config, overrides):
        raise UsageError(
            f"A sweep over {', '.join(chosen)} looks for the best values, and choosing them by the "
            "test set would make its figures worthless. Buy labels to choose by: "
            "budget.validation=500, counted in budget.total"
        )


def _buys_validation(config: DictConfig, overrides: Sequence[Override]) -> bool:
    amounts = [config.budget.validation]
    for override in overrides:
        if override.key_or_group == "budget.validation":
            amounts = (
                list(override.sweep_iterator())
                if override.is_discrete_sweep()
                else [override.value()]
            )
    return all(amounts)
