"""What a round needs of a trainer, and what a run says of it."""

from typing import Any, Protocol

import lightning as L

from al_lightning.utils.errors import UsageError

_OFFERED = (
    *("fit", "predict", "world_size", "global_step", "precision", "strategy"),
    "early_stopping_callbacks",
)
_DECIDES_A_FIT = (
    *("max_epochs", "max_steps", "accumulate_grad_batches"),
    *("gradient_clip_val", "gradient_clip_algorithm"),
)


class RoundTrainer(Protocol):
    """What a round needs of a trainer; Lightning's offers it."""

    @property
    def world_size(self) -> int:
        """The number of devices."""
        ...

    @property
    def global_step(self) -> int:
        """The number of steps taken."""
        ...

    @property
    def estimated_stepping_batches(self) -> int | float:
        """The number of steps that a fit is to take."""
        ...

    @property
    def early_stopping_callbacks(self) -> list[Any]:
        """What may end a fit before."""
        ...

    @property
    def precision(self) -> Any:
        """What is computed in."""
        ...

    @property
    def strategy(self) -> Any:
        """Knows the device."""
        ...

    def fit(self, model: L.LightningModule, *, datamodule: L.LightningDataModule) -> None:
        """Fit a module in place."""
        ...

    def predict(
        self,
        model: L.LightningModule,
        dataloaders: Any = None,
        datamodule: L.LightningDataModule | None = None,
        return_predictions: bool | None = None,
    ) -> Any:
        """Let a module look at what loaders or a data module serve."""
        ...


def require_trainer(trainer: object) -> None:
    """Check that something offers what a round needs.

    Raises:
        UsageError: If it is no trainer, such as None.
    """
    if missing := [name for name in _OFFERED if not hasattr(trainer, name)]:
        raise UsageError(
            f"make_trainer must return a lightning.Trainer, not {type(trainer).__name__}, which has no "
            f"{', '.join(missing)}" + (" (is there a `return`?)" if trainer is None else "")
        )


def describe_trainer(trainer: RoundTrainer) -> dict[str, Any]:
    """Return what results depend on, as plain values: where, how and how long a trainer computes."""
    several = {"devices": str(trainer.world_size)} if trainer.world_size > 1 else {}
    known = {key: getattr(trainer, key, None) for key in _DECIDES_A_FIT}
    return {
        "device": trainer.strategy.root_device.type,
        "precision": str(trainer.precision),
        **several,
        **{key: value for key, value in known.items() if value is not None},
    }
