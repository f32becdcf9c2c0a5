"""Fits that diverge are stopped, and named by round and step; so are fits that train nothing."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import lightning as L
import torch
from lightning.pytorch.callbacks import Callback
from torch import Tensor

from al_lightning.training.checkpoint import trained_state
from al_lightning.utils.errors import DivergenceError, UsageError

_CHECK_EVERY = 50  # steps between two checks of the losses: on a GPU, each check waits for it


@contextmanager
def stops_on_divergence(trainer: L.Trainer, round_index: int) -> Iterator[None]:
    """Watch the losses of a trainer's fit while the block runs.

    Raises:
        DivergenceError: From the fit, soon after a loss that is NaN or infinite.
    """
    watch = _LossWatch(round_index)
    # Ours comes last: what others make of a step is done before it is refused.
    trainer.callbacks.append(watch)  # type: ignore[attr-defined]
    try:
        yield
    finally:
        trainer.callbacks.remove(watch)  # type: ignore[attr-defined]


def require_finite_weights(classifier: L.LightningModule, round_index: int, step: int) -> None:
    """Check the weights after a fit.

    Args:
        classifier: Fitted.
        round_index: The round.
        step: The number of steps that the fit took.

    Raises:
        DivergenceError: If a weight is NaN or infinite; names it.
    """
    for name, values in trained_state(classifier).items():
        if values.is_floating_point() and not bool(values.isfinite().all()):
            raise DivergenceError(round_index, step, f"{name} is NaN or infinite")


def sums_of_weights(classifier: L.LightningModule) -> dict[str, tuple[float, float]]:
    """Return what tells whether weights that train have changed, without a copy of them."""
    trained = ((n, v.detach()) for n, v in classifier.named_parameters() if v.requires_grad)
    return {
        name: (float(values.sum(dtype=torch.float64)), float(values.abs().sum(dtype=torch.float64)))
        for name, values in trained
    }


def require_changed_weights(
    classifier: L.LightningModule, before: Mapping[str, tuple[float, float]], round_index: int
) -> None:
    """Check that a fit has trained something.

    Args:
        classifier: Fitted.
        before: What :func:`sums_of_weights` said before the fit.
        round_index: The round.

    Raises:
        UsageError: If all weights that train are as they were.
    """
    if sums_of_weights(classifier) == before:
        raise UsageError(
            f"The fit of round {round_index} has changed no weight: does `training_step` of "
            f"{type(classifier).__name__} return the loss, and `configure_optimizers` an optimiser of "
            "its parameters with a learning rate above 0, and does the trainer train for an epoch?"
        )


class _LossWatch(Callback):
    """Notes the first loss that is not finite, without waiting for the device at every step."""

    def __init__(self, round_index: int) -> None:
        self._round = round_index
        self._losses: list[Tensor] = []  # since the last check
        self._steps: list[int] = []  # theirs

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, outputs: Any, *args: Any
    ) -> None:
        """Check the loss of a step."""
        loss = outputs.get("loss") if isinstance(outputs, Mapping) else outputs
        if not isinstance(loss, Tensor):  # a module may skip a step
            return
        self._losses.append(loss.detach())
        self._steps.append(trainer.global_step)
        if len(self._losses) == _CHECK_EVERY:
            self._check(trainer)

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Check the losses since the last check."""
        self._check(trainer)

    def _check(self, trainer: L.Trainer) -> None:
        first = torch.inf
        if self._losses:
            finite = torch.stack([loss.isfinite().all() for loss in self._losses]).tolist()
            first = first if all(finite) else self._steps[finite.index(False)]
        self._losses, self._steps = [], []
        # Where there are several devices, all of them stop at the same step, or none does.
        there = torch.tensor(float(first), device=trainer.strategy.root_device)
        first = float(trainer.strategy.reduce(there, reduce_op="min"))
        if first != torch.inf:
            raise DivergenceError(self._round, int(first), "the loss is NaN or infinite")
