"""What a round needs of a trainer."""

from typing import Any, Protocol

import lightning as L


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
