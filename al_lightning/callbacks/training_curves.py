"""The training curves of a round, beside everything else that is written of a run."""

from argparse import Namespace
from collections.abc import Callable, Mapping
from typing import Any

from lightning.pytorch.loggers import Logger


class TrainingCurves(Logger):
    """Passes what a trainer logs in one round to the writer of the run.

    A logger of Lightning's own would be another run of the service for every round.

    Args:
        write: Takes the name of a curve, a value, and the step of the optimiser.
    """

    def __init__(self, write: Callable[[str, float, int], None]) -> None:
        super().__init__()
        self._write = write
        self.points: list[tuple[str, float, int]] = []
        """What was handed on, oldest first."""

    @property
    def name(self) -> str:
        """What the curves are part of."""
        return "al_lightning"

    @property
    def version(self) -> str:
        """Which version of it; there is one."""
        return ""

    def log_hyperparams(
        self, params: dict[str, Any] | Namespace, *args: Any, **kwargs: Any
    ) -> None:
        """Do nothing: those of the run are written once, with the run."""

    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        """Write what was logged, but for Lightning's count of epochs, which follows from the step."""
        for name, value in metrics.items():
            if name != "epoch":
                self.hand_on(name, float(value), step or 0)

    def hand_on(self, name: str, value: float, step: int) -> None:
        """Write a point of a curve."""
        self.points.append((name, value, step))
        self._write(name, value, step)
