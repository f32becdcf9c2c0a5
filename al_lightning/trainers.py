"""A fresh trainer for every round."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import Logger

from al_lightning.errors import UsageError
from al_lightning.recipe import Recipe, resolve_precision
from al_lightning.round_trainer import RoundTrainer
from al_lightning.team import Team, TeamTrainer


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
        UsageError: When called, if the trainer would compute on more than one machine.
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
        options = {
            "precision": self._resolve(),
            "max_epochs": -1,
            "max_steps": self._recipe.steps(labels),
            "enable_checkpointing": False,
            "enable_model_summary": False,
        }
        logger = None if self._make_logger is None else self._make_logger(round_index)
        if self._team is not None:
            trainer = self._make_trainer(**options, logger=False)
            return TeamTrainer(self._team, trainer, options, logger, partial(self._alone, options))
        callbacks = list(self._make_callbacks())
        return self._make_trainer(
            **options, logger=False if logger is None else logger, callbacks=callbacks
        )

    def _alone(self, options: dict[str, Any]) -> L.Trainer:
        callbacks = list(self._make_callbacks())
        one = {"devices": 1, "strategy": "auto", "logger": False, "callbacks": callbacks}
        return self._make_trainer(**options, **one)

    def close(self) -> None:
        """End the processes of the devices, if there are any."""
        if self._team is not None:
            self._team.close()

    def _resolve(self) -> str:
        """Ask a trainer where it would compute, once; only a trainer knows what auto means."""
        if self._precision is None:
            trainer = self._make_trainer(logger=False, enable_checkpointing=False)
            if trainer.num_nodes != 1:
                raise UsageError(
                    f"A run computes on one machine, but trainer.num_nodes={trainer.num_nodes}"
                )
            if trainer.world_size > 1:
                self._team = Team(self._make_trainer, trainer.world_size)
            accelerator = trainer.strategy.root_device.type
            self._precision = resolve_precision(self._recipe.precision, accelerator)
        return self._precision
