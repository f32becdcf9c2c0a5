"""The trainers of a run: as long as its recipe says, in its precision, with its curves."""

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import lightning as L
from lightning.fabric.plugins import ClusterEnvironment
from lightning.fabric.plugins.environments.lightning import LightningEnvironment
from lightning.fabric.plugins.environments.torchelastic import TorchElasticEnvironment
from lightning.pytorch.callbacks import Callback
from lightning.pytorch.loggers import Logger

from al_lightning.training.recipe import Recipe, resolve_precision
from al_lightning.utils.errors import UsageError
from al_lightning.utils.torchrun import world_size


class RoundTrainers:
    """Makes the trainer of each round. A used trainer would stop at once: it counts past epochs.

    Args:
        make_trainer: :class:`lightning.Trainer` with all arguments that are the same in all rounds.
        recipe: Sets the number of steps and the precision of a fit.
        make_logger: Returns the logger of a round's training curves, from its number; None for none.
        make_callbacks: Returns new callbacks for each trainer.

    Attributes:
        arguments_alone: Nothing but the arguments of a call decides what it makes, so that a trainer
            may be made before the labels of its round are there.

    Raises:
        UsageError: When called, if a trainer would cut fits short, take other steps than the recipe's,
            or compute on other devices than there are processes.

    Example:
        >>> from functools import partial
        >>> from lightning import Trainer
        >>> from al_lightning import Recipe, RoundTrainers
        >>> recipe = Recipe(epochs=2, batch_size=10)
        >>> make = RoundTrainers(partial(Trainer, accelerator="cpu"), recipe)
        >>> make(0, 50).max_steps
        10
    """

    arguments_alone = True

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

    def __call__(self, round_index: int, labels: int) -> L.Trainer:
        """Make the trainer of a round with so many labels to train on."""
        steps = self._recipe.steps(labels)
        trainer = self._make(
            precision=self._precision,
            max_epochs=-1,
            max_steps=steps,
            enable_checkpointing=False,
            enable_model_summary=False,
            logger=False if self._make_logger is None else self._make_logger(round_index),
            callbacks=list(self._make_callbacks()),
        )
        if trainer.max_steps != steps:
            raise UsageError(
                f"make_trainer made a trainer of {trainer.max_steps} steps, and the recipe takes "
                f"{steps}: it must take its options as lightning.Trainer does"
            )
        return trainer

    def _make(self, **options: Any) -> L.Trainer:
        # Given, so that Lightning looks for no scheduler, whose variables would decide how many
        # processes there are. The data module shares batches out itself.
        several = world_size() > 1
        environment: ClusterEnvironment = (
            TorchElasticEnvironment() if several else LightningEnvironment()
        )
        return self._make_trainer(
            **options, plugins=[environment], use_distributed_sampler=not several
        )

    @cached_property
    def _precision(self) -> str:
        """The precision to compute in. Only a trainer knows which accelerator "auto" means."""
        trainer = self._make(logger=False, enable_checkpointing=False)
        return resolve_precision(self._recipe.precision, trainer.strategy.root_device.type)
