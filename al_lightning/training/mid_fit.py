"""Checkpoints in the middle of a fit, so that a long fit continues where its process was stopped."""

import random
import time
import warnings
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import lightning as L
import numpy as np
import torch
from lightning.pytorch.callbacks import Callback

from al_lightning.data.batches import FitPosition
from al_lightning.data.datamodule import PoolDataModule
from al_lightning.utils.errors import UsageError
from al_lightning.utils.files import replacing
from al_lightning.utils.torchrun import world_size

_OURS = "al_lightning"  # key of our facts beside Lightning's in the file


@dataclass(frozen=True)
class MidFit:
    """Where a running fit is saved and continued from. It only saves time.

    Attributes:
        path: The file.
        identity: Digest of all that the bits of the fit depend on; a file of another fit is not used.
        save_minutes: Minutes between two saves.
    """

    path: Path
    identity: str
    save_minutes: float

    def resume(
        self, trainer: L.Trainer, classifier: L.LightningModule, datamodule: PoolDataModule
    ) -> float:
        """Fit a classifier in place, from where an earlier process stopped.

        With several ranks nothing is saved.

        Args:
            trainer: A fresh one.
            classifier: As the fit began.
            datamodule: Its round has begun.

        Returns:
            The seconds that earlier processes took.
        """
        saved = self._saved() if world_size() == 1 else None
        earlier = 0.0 if saved is None else float(saved["seconds"])
        if world_size() == 1:
            saves = _Saves(self.path, self.identity, self.save_minutes, earlier)
            trainer.callbacks.append(saves)  # type: ignore[attr-defined]
        if saved is None:
            trainer.fit(classifier, datamodule=datamodule)
            return earlier
        start = FitPosition(*saved["position"])
        datamodule.resume_at(start, partial(_draw_as_before, saved["rng"], start))
        with warnings.catch_warnings():
            # Its loader continues at the right batch, though Lightning cannot know that.
            warnings.filterwarnings("ignore", message=".*your dataloader is not resumable.*")
            trainer.fit(classifier, datamodule=datamodule, ckpt_path=self.path, weights_only=True)
        return earlier

    def _saved(self) -> dict[str, Any] | None:
        """Return the state of the fit; None if it is not saved."""
        if not self.path.exists():
            return None
        try:
            content = torch.load(self.path, map_location="cpu", weights_only=True)
            facts: dict[str, Any] = content[_OURS]
        except Exception as error:
            warnings.warn(
                f"{self.path} cannot be used ({type(error).__name__}); the fit starts again",
                stacklevel=2,
            )
            return None
        return facts if facts["identity"] == self.identity else None


class _Saves(Callback):
    """Saves a fit, with the states of all generators, so that it continues to the same bits."""

    def __init__(self, path: Path, identity: str, save_minutes: float, before: float) -> None:
        self._path, self._identity = path, identity
        self._save_minutes = save_minutes
        self._began = self._last = time.monotonic()
        self._before = before
        self._position = FitPosition()

    def on_train_batch_end(
        self,
        trainer: L.Trainer,
        pl_module: L.LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Save if it is time; at the end of an epoch, when Lightning has ended it."""
        if not trainer.is_last_batch:
            self._save(trainer, FitPosition(trainer.current_epoch, batch_idx + 1))

    def on_train_epoch_end(self, trainer: L.Trainer, pl_module: L.LightningModule) -> None:
        """Save if it is time."""
        self._save(trainer, FitPosition(trainer.current_epoch + 1, 0))

    def _save(self, trainer: L.Trainer, position: FitPosition) -> None:
        if time.monotonic() - self._last < 60 * self._save_minutes:
            return
        self._position = position
        try:
            with replacing(self._path) as unfinished:
                trainer.save_checkpoint(unfinished)
        except (OSError, UsageError, RuntimeError) as error:  # torch's own for a full disk
            warnings.warn(f"The fit could not be saved in {self._path} ({error})", stacklevel=2)
        self._last = time.monotonic()

    def on_save_checkpoint(
        self, trainer: L.Trainer, pl_module: L.LightningModule, checkpoint: dict[str, Any]
    ) -> None:
        """Add what Lightning does not save."""
        checkpoint[_OURS] = {
            "identity": self._identity,
            "position": [self._position.epoch, self._position.batches],
            "rng": generator_states(),
            "seconds": self._before + time.monotonic() - self._began,
        }


def _draw_as_before(states: dict[str, Any], start: FitPosition) -> None:
    """Set the generators to where they were when the first batch came."""
    set_generator_states(states)
    if start.batches == 0:  # an epoch begins with the iterator of its loader, which draws a seed
        torch.empty((), dtype=torch.int64).random_()


def generator_states() -> dict[str, Any]:
    """Return the states of Python's, numpy's and torch's global generators, as plain values."""
    state: tuple[Any, ...] = np.random.get_state()  # type: ignore[assignment]  # noqa: NPY002
    kind, keys, *rest = state
    states: dict[str, Any] = {
        "python": random.getstate(),
        "numpy": [kind, torch.tensor(keys.astype(np.int64)), *rest],
        "torch": torch.get_rng_state(),
    }
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state_all()
    return states


def set_generator_states(states: dict[str, Any]) -> None:
    """Set the global generators to states that :func:`generator_states` has returned."""
    version, internal, gauss = states["python"]
    random.setstate((version, tuple(internal), gauss))
    kind, keys, *rest = states["numpy"]
    np.random.set_state((kind, keys.numpy().astype(np.uint32), *rest))  # noqa: NPY002
    torch.set_rng_state(states["torch"])
    if "cuda" in states:
        torch.cuda.set_rng_state_all(states["cuda"])
