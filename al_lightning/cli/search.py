"""A search for hyperparameters: its objective, its storage, and how it continues."""

import logging
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock, Timeout
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.override_parser.types import Override
from hydra.experimental.callback import Callback
from omegaconf import DictConfig, open_dict, read_write

from al_lightning.run.keys import HYPERPARAMETERS, is_below
from al_lightning.utils.checks import whole_number
from al_lightning.utils.errors import UsageError
from al_lightning.utils.redaction import redacted

if TYPE_CHECKING:
    from optuna import Study

_GRID = "hydra._internal.core_plugins.basic_sweeper.BasicSweeper"  # runs all; searches nothing
_STUDY = {"storage", "study_name", "n_trials", "direction"}  # what tells a sweeper that keeps one
_held: list[FileLock] = []  # on the study of this process, until it ends


def is_search(config: DictConfig) -> bool:
    """Return whether a sweep draws values by what runs came to, instead of making all runs."""
    return bool(config.hydra.sweeper._target_ != _GRID)


def given_overrides(config: DictConfig) -> list[str]:
    """Return the overrides of a sweep, from the sweeper's settings and the command line."""
    params = config.hydra.sweeper.get("params") or {}
    return [*(f"{key}={value}" for key, value in params.items()), *config.hydra.overrides.task]


def listed_sweeps(config: DictConfig) -> list[Override]:
    """Return the overrides that list what is swept; those by glob() find their matches."""
    parser = OverridesParser.create(GlobalHydra.instance().config_loader())
    return [o for o in parser.parse_overrides(given_overrides(config)) if o.is_discrete_sweep()]


def require_validation(config: DictConfig) -> None:
    """Refuse a sweep that looks for the best hyperparameters, but has no labels to choose them by.

    Raises:
        UsageError: Names what is swept.
    """
    overrides = OverridesParser.create().parse_overrides(given_overrides(config))
    chosen = [o.key_or_group for o in overrides if o.is_sweep_override()]
    if not is_search(config):
        chosen = [key for key in chosen if is_below(key, HYPERPARAMETERS)]
    if chosen and not _buys_validation(config, overrides):
        raise UsageError(
            f"A sweep over {', '.join(chosen)} searches for the best values, and choosing them by "
            "the test set would invalidate the test figures. Add validation labels, a tenth of "
            "budget.total or more: budget.validation=..."
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


def require_searcher(config: DictConfig) -> None:
    """Refuse an interval where the sweeper is one that makes all runs.

    Raises:
        UsageError: Names what is swept.
    """
    if is_search(config):
        return
    for override in OverridesParser.create().parse_overrides(given_overrides(config)):
        if override.is_interval_sweep():
            raise UsageError(
                f"{override.input_line} has no end of values: a search draws some of them. Add "
                "hydra/sweeper=optuna, or list the values"
            )


def found_nothing(error: Exception) -> bool:
    """Return whether an error says that no trial of a search ended well; Optuna has no kind for it."""
    return isinstance(error, ValueError) and str(error).startswith("Record does not exist")


def _require_search_space(overrides: Sequence[str]) -> None:
    """Refuse what Optuna cannot draw from, such as an interval that begins behind its end."""
    from hydra_plugins.hydra_optuna_sweeper._impl import (  # noqa: PLC0415 - an extra
        create_optuna_distribution_from_override,
    )

    for override in OverridesParser.create().parse_overrides([*overrides]):
        try:
            create_optuna_distribution_from_override(override)
        except (ValueError, AssertionError, NotImplementedError) as error:
            raise UsageError(f"{override.input_line} cannot be searched: {error}") from error


class KeepStudy(Callback):
    """Completes the settings of a sweeper that searches, such as ``hydra/sweeper=optuna``.

    The objective is maximised, because it is an area under a learning curve. The study is saved on
    disk, beside the sweep's report. ``hydra.sweeper.n_trials`` counts the trials of all sessions, and
    unfinished trials of a killed process are continued from where their runs stopped. A trial that
    fails, such as by divergence, does not end the search. By default, Optuna's sweeper minimises,
    saves no study, adds that many trials at each command, and stops at a failed trial.
    """

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ARG002
        """Complete the settings; the sweeper is made from them afterwards."""
        sweeper = config.hydra.sweeper
        if not sweeper.keys() >= _STUDY:
            return
        folder = Path(config.hydra.sweep.dir)
        folder.mkdir(parents=True, exist_ok=True)
        _hold(folder / ".study.lock")
        logging.getLogger("alembic").setLevel(logging.WARNING)  # six lines on its plugins
        try:
            whole_number("hydra.sweeper.n_trials", sweeper.n_trials, least=1)
            whole_number("hydra.sweeper.n_jobs", sweeper.get("n_jobs", 1), least=1)
            _require_search_space(given_overrides(config))
            with read_write(config.hydra), open_dict(config.hydra):
                sweeper.direction = "maximize"
                sweeper.max_failure_rate = 1.0
                sweeper.storage = sweeper.storage or f"sqlite:///{folder}/study.db"
                sweeper.study_name = sweeper.study_name or "al_lightning"
                sweeper.n_trials = _trials_left(
                    sweeper.storage, sweeper.study_name, sweeper.n_trials
                )
        except UsageError as error:  # anything else that a callback raises becomes a warning
            print(f"Error: {redacted(str(error))}", file=sys.stderr)  # noqa: T201
            sys.exit(1)


def _hold(path: Path) -> None:
    """Keep other processes from the study: they would take our trials for cut-off ones."""
    while _held:
        _held.pop().release()
    lock = FileLock(path, thread_local=False)
    try:
        lock.acquire(blocking=False)
    except Timeout:
        print(  # noqa: T201
            f"Error: Another process is searching in {path.parent}. Let it end, then run the same "
            "command to continue; for more trials at once, set hydra.sweeper.n_jobs",
            file=sys.stderr,
        )
        sys.exit(1)
    _held.append(lock)


def _trials_left(storage: str, name: str, wanted: int) -> int:
    """Return how many trials are left to make, those that were cut off put back into the queue."""
    import optuna  # noqa: PLC0415 - an extra

    try:
        study = optuna.create_study(
            study_name=name, storage=storage, direction="maximize", load_if_exists=True
        )
    except Exception as error:  # of all kinds: each database has its own
        raise UsageError(
            f"hydra.sweeper.storage={storage} cannot be used: {str(error).partition(chr(10))[0]}"
        ) from error
    _put_back(study)
    done = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    return max(0, wanted - len(done))


def _put_back(study: "Study") -> None:
    """Queue the trials again that were begun and never ended."""
    from optuna.trial import TrialState  # noqa: PLC0415

    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params)
