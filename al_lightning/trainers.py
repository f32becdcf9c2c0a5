"""A fresh trainer for every round."""

from collections.abc import Callable, Sequence

import lightning as L
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import Logger

from al_lightning.errors import UsageError
from al_lightning.recipe import Recipe, resolve_precision


class RoundTrainers:
    """Makes the trainer of each round. A used trainer would stop at once: it counts past epochs.

    Args:
        make_trainer: :class:`lightning.Trainer` with everything set that is the same in all rounds.
        recipe: Says how many steps a fit takes, and in which precision.
        make_logger: Makes the logger of a round's training curves from its number; None for no curves.
        make_callbacks: Makes the callbacks of a trainer, anew for each.

    Raises:
        UsageError: When called, if the trainer would compute on more than one device.
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

    def __call__(self, round_index: int, labels: int) -> L.Trainer:
        """Make the trainer of a round with so many labels to train on."""
        return self._make_trainer(
            precision=self._resolve(),
            max_epochs=-1,
            max_steps=self._recipe.steps(labels),
            logger=False if self._make_logger is None else self._make_logger(round_index),
            callbacks=list(self._make_callbacks()),
            enable_checkpointing=False,
            enable_model_summary=False,
        )

    def _resolve(self) -> str:
        """Ask a trainer where it would compute, once; only a trainer knows what auto means."""
        if self._precision is None:
            trainer = self._make_trainer(logger=False, enable_checkpointing=False)
            if trainer.world_size != 1:
                raise UsageError(
                    f"A run computes on one device, but trainer.devices and trainer.num_nodes make "
                    f"{trainer.world_size}"
                )
            accelerator = trainer.strategy.root_device.type
            self._precision = resolve_precision(self._recipe.precision, accelerator)
        return self._precision
