"""How far a fit or a pass has come: a bar, or a line from time to time."""

import time
from abc import abstractmethod
from collections.abc import Callable
from typing import Any

import lightning as L
from lightning.pytorch.callbacks import Callback
from rich.progress import Progress, TaskID

_EVERY = 60.0  # seconds between two lines


class InnerProgress(Callback):
    """Follows the steps of fits and the batches of passes; subclasses show them."""

    def on_train_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Begin with the steps of a fit."""
        self._begin("fit", int(trainer.estimated_stepping_batches))

    def on_train_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, *args: Any, **kwargs: Any
    ) -> None:
        """Move on by a step."""
        self._advance(f"fit, epoch {trainer.current_epoch + 1}")

    def on_train_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Come to an end."""
        self._finish()

    def on_predict_start(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Begin with the batches of a pass."""
        self._begin("score", int(sum(trainer.num_predict_batches)))

    def on_predict_batch_end(
        self, trainer: L.Trainer, pl_module: L.LightningModule, *args: Any, **kwargs: Any
    ) -> None:
        """Move on by a batch."""
        self._advance("score")

    def on_predict_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Come to an end."""
        self._finish()

    def on_exception(
        self, trainer: L.Trainer, pl_module: L.LightningModule, exception: BaseException
    ) -> None:
        """Come to an end."""
        self._finish()

    @abstractmethod
    def _begin(self, what: str, total: int) -> None:
        """Begin with so many steps or batches."""

    @abstractmethod
    def _advance(self, what: str) -> None:
        """Move on by one."""

    @abstractmethod
    def _finish(self) -> None:
        """Come to an end."""


class InnerBar(InnerProgress):
    """Moves a bar.

    Args:
        progress: Where bars are shown.
    """

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task: TaskID | None = None

    def _begin(self, what: str, total: int) -> None:
        self._task = self._progress.add_task(f"  {what}", total=total)

    def _advance(self, what: str) -> None:
        if self._task is not None:
            self._progress.update(self._task, advance=1, description=f"  {what}")

    def _finish(self) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None


class InnerLines(InnerProgress):
    """Writes a line a minute, of whatever is under way then.

    Args:
        say: Writes a line.
        clock: The time in seconds.
    """

    def __init__(
        self, say: Callable[[str], None], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._say, self._clock = say, clock
        self._done, self._total = 0, 0
        self._began = self._last = clock()

    def _begin(self, what: str, total: int) -> None:
        self._done, self._total = 0, total
        self._began = self._clock()

    def _advance(self, what: str) -> None:
        self._done += 1
        now = self._clock()
        if now - self._last >= _EVERY:
            self._last = now
            seconds = int(now - self._began)
            self._say(
                f"{what}: {self._done:,} of {self._total:,}, {seconds // 60}:{seconds % 60:02}"
            )

    def _finish(self) -> None:
        pass
