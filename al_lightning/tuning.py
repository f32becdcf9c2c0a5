"""A search for hyperparameters: what it looks for, where it is kept, and how it goes on."""

import logging
from typing import TYPE_CHECKING, Any

from hydra.experimental.callback import Callback
from omegaconf import DictConfig, open_dict, read_write

if TYPE_CHECKING:
    from optuna import Study

_KEYS = {
    "storage",
    "study_name",
    "n_trials",
    "direction",
}  # what tells a sweeper that keeps a study


class KeepStudy(Callback):
    """Completes the settings of a sweeper that searches, such as ``hydra/sweeper=optuna``.

    The objective is maximised, since it is an area under a learning curve. The study is kept on the
    disk, beside the sweep's report. ``hydra.sweeper.n_trials`` counts the trials of all sessions, and
    those that a killed process left behind are made again: their runs go on where they stopped.
    Optuna's sweeper on its own minimises, forgets, and adds so many trials at each command.
    """

    def on_multirun_start(self, config: DictConfig, **kwargs: Any) -> None:  # noqa: ARG002
        """Complete the settings; the sweeper is made from them afterwards."""
        sweeper = config.hydra.sweeper
        if not sweeper.keys() >= _KEYS:
            return
        with read_write(config.hydra), open_dict(config.hydra):
            sweeper.direction = "maximize"
            sweeper.storage = sweeper.storage or f"sqlite:///{config.hydra.sweep.dir}/study.db"
            sweeper.study_name = sweeper.study_name or "al_lightning"
            sweeper.n_trials = _trials_left(sweeper.storage, sweeper.study_name, sweeper.n_trials)


def _trials_left(storage: str, name: str, wanted: int) -> int:
    """Return how many trials are left to make, those that were cut off put back into the queue."""
    import optuna  # noqa: PLC0415 - an extra

    logging.getLogger("alembic").setLevel(logging.WARNING)  # six lines on its plugins
    study = optuna.create_study(
        study_name=name, storage=storage, direction="maximize", load_if_exists=True
    )
    _put_back(study)
    done = study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))
    return max(0, wanted - len(done))


def _put_back(study: "Study") -> None:
    """Queue the trials again that were begun and never ended.

    A trial that another process is making at this moment would be made twice. The second process waits
    in the run's folder for the first, and finds the run done.
    """
    from optuna.trial import TrialState  # noqa: PLC0415

    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        study.enqueue_trial(trial.params)
