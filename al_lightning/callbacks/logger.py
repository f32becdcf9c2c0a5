"""A run as any logger records it: hyperparameters, and metrics over labels bought."""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from lightning.pytorch.loggers import Logger, WandbLogger

from al_lightning.callbacks.loop_callback import LoopCallback, RoundResult
from al_lightning.data.source import ImageData
from al_lightning.run.curve import area_under_budget_curve, rounds_of_curve
from al_lightning.run.journal import Journal
from al_lightning.run.keys import NO_EFFECT_ON_RESULTS
from al_lightning.utils.errors import UsageError
from al_lightning.utils.intervals import wilson_interval
from al_lightning.utils.locks import exclusive
from al_lightning.utils.nested import without

Value = bool | int | float | str


def hyperparameters(config: Mapping[str, Any]) -> dict[str, Value]:
    """Return what tells runs apart, as a flat table: what the run is called first, then its settings.

    Keys are dotted, as on the command line. Left out is what no result depends on, such as paths, and
    Hydra's own keys; what is built inside a group goes by the name of its class.

    Args:
        config: As the journal recorded it. Its ``names`` and ``seed`` come first.

    Returns:
        For example ``{"dataset": "digits", "strategy": "margin", "seed": 0, "budget.initial": 50,
        "recipe.optimizer": "AdamW", "recipe.optimizer.lr": 0.003, "query_seed": "null"}``.
    """
    called = dict(_leaves(run_names(config)))
    settings = dict(_leaves(without(config, NO_EFFECT_ON_RESULTS)))
    return called | {key: value for key, value in settings.items() if key not in called}


def run_names(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return the names of a run and its seed, as far as its configuration has them."""
    return {**config.get("names", {}), **{key: config[key] for key in ("seed",) if key in config}}


def round_scalars(
    rounds: Sequence[Mapping[str, Any]], validation_labels: int = 0
) -> dict[str, float]:
    """Return the figures of the last of some rounds, by the names that loggers show.

    Args:
        rounds: Round events of a journal, oldest first, at least one.
        validation_labels: How many labels there are for validation.

    Returns:
        ``labels/<metric>`` on the test set, ``validation/<metric>`` where there are validation labels,
        of whose accuracy ``validation/accuracy_low`` and ``_high`` are the 95 % interval,
        ``labels/aubc`` and ``validation/aubc`` of the accuracy so far, from the second round on, and
        ``seconds/<phase>``.
    """
    event, rounds = rounds[-1], rounds_of_curve(rounds)
    scalars: dict[str, float] = {}
    for group, key in (("labels", "metrics"), ("validation", "validation")):
        if not event.get(key):  # no test images, or no validation labels
            continue
        scalars |= {f"{group}/{name}": value for name, value in event[key].items()}
        measured = [e for e in rounds if e.get(key)]  # a project may buy validation labels later
        labels = [e["labels_bought"] for e in measured]
        area = area_under_budget_curve(labels, [e[key]["accuracy"] for e in measured])
        if area is not None:
            scalars[f"{group}/aubc"] = area
    if event.get("validation") and validation_labels:
        low, high = wilson_interval(event["validation"]["accuracy"], validation_labels)
        scalars |= {"validation/accuracy_low": low, "validation/accuracy_high": high}
    scalars |= {f"seconds/{phase}": value for phase, value in event["seconds"].items()}
    return {name: float(value) for name, value in scalars.items()}


class ScalarLogger(LoopCallback):
    """Sends the metrics of a run to one of Lightning's loggers; the step is the number of labels.

    When a run begins or continues, the logger gets all rounds, including those of earlier sessions. So
    the service has the whole run at the end, whether it starts a new record or continues one.

    :meth:`close` reports a run that ended with an error, or with Ctrl-C, as failed: see
    ``contextlib.closing``. Without it, the service shows a run that never ended.

    Args:
        make_logger: Returns the logger; called when a run begins or continues, but not for a finished
            run.
        lock: A file that processes share: they start their loggers one after the other, so that a new
            database is not created twice at once.

    Raises:
        UsageError: When a run begins, if the logger or its service cannot be reached, or its package
            is not installed.
    """

    def __init__(self, make_logger: Callable[[], Logger], lock: Path | None = None) -> None:
        self._make_logger = make_logger
        self._lock = lock
        self._logger: Logger | None = None
        self._journal: Journal | None = None

    def close(self) -> None:
        """Report an unfinished run as failed."""
        self._close("failed")

    def on_run_start(self, journal: Journal, data: ImageData) -> None:
        """Open the logger, and log the run and the rounds that there are already."""
        self._journal = journal
        self._logger = self._open(hyperparameters((journal.start or {}).get("config", {})))
        for index in range(len(journal.rounds)):
            validated = len(journal.pool_in(index).validation_ids)
            self._log(journal.rounds[: index + 1], validated)

    def on_round_end(self, result: RoundResult) -> None:
        """Log a round."""
        earlier = self._journal.rounds if self._journal is not None else []
        self._log([*earlier, result.event], len(result.pool.validation_ids))

    def on_wait(self, journal: Journal, instructions: str) -> None:
        """Close the logger; the next session tells it of the whole run."""
        self._close("success")

    def on_run_end(self, journal: Journal) -> None:
        """Close the logger; a finished run that is run again has none."""
        self._close("success")

    def _open(self, values: dict[str, Value]) -> Logger:
        try:
            with exclusive(self._lock) if self._lock is not None else nullcontext():
                logger = self._make_logger()
                logger.log_hyperparams(values)
        except ModuleNotFoundError as error:
            raise UsageError(
                f"The logger cannot be used: {error}. Its package is an extra of this one: "
                'pip install "al-lightning[mlflow]" or "al-lightning[wandb]"'
            ) from error
        except Exception as error:  # each service has errors of its own
            raise UsageError(
                f"The logger cannot be started: {type(error).__name__}: {error}. Correct its settings "
                "(logger.*), or leave it out with logger=null"
            ) from error
        return logger

    def _log(self, rounds: Sequence[Mapping[str, Any]], validated: int) -> None:
        if self._logger is None:
            return
        scalars = round_scalars(rounds, validated)
        try:
            self._logger.log_metrics(scalars, step=rounds[-1]["labels_bought"])
            self._logger.save()
        except Exception as error:  # each service has errors of its own, and labels matter more
            index, kind = rounds[-1]["round"], type(error).__name__
            warnings.warn(
                f"The logger has not taken round {index} ({kind}: {error}). The run goes on; the next "
                "session of it logs all rounds once more",
                stacklevel=2,
            )

    def _close(self, status: str) -> None:
        if self._logger is not None:
            self._logger.finalize(status)
            self._logger = None


class WandbRunLogger(WandbLogger):
    """Lightning's logger of Weights & Biases, which ends the service's run when ours has ended.

    Lightning leaves that to the end of the process; in a sweep, the next job would write into it.
    """

    def finalize(self, status: str) -> None:
        """End the service's run; a failed run can be continued."""
        super().finalize(status)
        if self._experiment is not None:
            self._experiment.finish(exit_code=0 if status == "success" else 1)


def _leaves(config: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Value]]:
    """Yield the leaves of nested settings, with dotted keys and plain values."""
    for key, value in config.items():
        name = f"{prefix}{key}"
        if isinstance(value, Mapping):
            # The class of a whole group is what the group's name says already.
            if prefix and "_target_" in value:
                yield name, value["_target_"].rpartition(".")[2]
            yield from _leaves(value, f"{name}.")
        elif not key.startswith("_"):
            yield name, _plain(value)


def _plain(value: Any) -> Value:
    if value is None:
        return "null"
    return value if isinstance(value, bool | int | float | str) else str(value)
