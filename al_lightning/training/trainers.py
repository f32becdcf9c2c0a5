"""A fresh trainer for every round."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import Logger

from al_lightning.training.cluster import OwnProcesses
from al_lightning.training.recipe import Recipe, resolve_precision
from al_lightning.training.round_trainer import RoundTrainer
from al_lightning.training.team import Team, TeamTrainer
from al_lightning.training.trainer_rules import require_usable
from al_lightning.utils.errors import UsageError


class RoundTrainers:
    """Makes the trainer of each round. A used trainer would stop at once: it counts past epochs.

    Where it is to compute on several devices, each gets a process of its own, which lives until
    :meth:`close`.

    Args:
        make_trainer: :class:`lightning.Trainer` with everything set that is the same in all rounds. For
            several devices it must be something that can be pickled.
        recipe: Says how many steps a fit takes, and in which precision.
        make_logger: Makes the logger of a round's training curves from its number; None for no curves.
        make_callbacks: Makes the callbacks of a trainer, anew for each.

    Raises:
        UsageError: When called, if a trainer would compute on more than one machine, cut fits short, or
            take other steps than the recipe's.
    """

    def __init__(
        self,
        make_trainer: Callable[..., L.Trainer],
        recipe: Recipe,
        make_logger: Callable[[int], Logger] | None = None,
        make_callbacks: Callable[[], Sequence[Callback]] = tuple,
    ) -> None:
        self._make_trainer = make_trainer
        self._recipe = recipe
        self._make_logger = make_logger
        self._make_callbacks = make_callbacks
        self._precision: str | None = None
        self._team: Team | None = None

    def __call__(self, round_index: int, labels: int) -> RoundTrainer:
        """Make the trainer of a round with so many labels to train on."""
        steps = self._recipe.steps(labels)
        options: dict[str, Any] = {
            "precision": self._resolve(),
            "max_epochs": -1,
            "max_steps": steps,
            "enable_checkpointing": False,
            "enable_model_summary": False,
        }
        logger = None if self._make_logger is None else self._make_logger(round_index)
        if self._team is not None:
            trainer = self._make(**options, logger=False)
            return TeamTrainer(self._team, trainer, options, logger, partial(self._alone, options))
        callbacks = list(self._make_callbacks())
        trainer = self._make(
            **options, logger=False if logger is None else logger, callbacks=callbacks
        )
        if trainer.max_steps != steps:
            raise UsageError(
                f"make_trainer made a trainer of {trainer.max_steps} steps, and the recipe takes "
                f"{steps}: it must take its options as lightning.Trainer does"
            )
        return trainer

    def _make(self, **options: Any) -> L.Trainer:
        """Make a trainer that looks for no scheduler: a run starts its processes itself."""
        return self._make_trainer(**options, plugins=[OwnProcesses()])

    def _alone(self, options: dict[str, Any]) -> L.Trainer:
        callbacks = list(self._make_callbacks())
        one = {"devices": 1, "strategy": "auto", "logger": False, "callbacks": callbacks}
        return self._make(**options, **one)

    def close(self) -> None:
        """End the processes of the devices, if there are any."""
        if self._team is not None:
            self._team.close()

    def _resolve(self) -> str:
        """Ask a trainer where it would compute, once; only a trainer knows what auto means."""
        if self._precision is None:
            trainer = self._make(logger=False, enable_checkpointing=False)
            require_usable(trainer)
            if trainer.world_size > 1:
                self._team = Team(self._make_trainer, trainer.world_size)
            accelerator = trainer.strategy.root_device.type
            self._precision = resolve_precision(self._recipe.precision, accelerator)
        return self._precision
