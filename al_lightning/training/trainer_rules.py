"""Which trainers a round can have: fresh ones, that fit as long as they say, on all there is."""

from collections.abc import Callable
from pathlib import Path

import lightning as L
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.pytorch.callbacks import Timer
from lightning.pytorch.strategies import SingleDeviceStrategy

from al_lightning.training.round_trainer import RoundTrainer, require_trainer
from al_lightning.utils.errors import UsageError

_WHOLE = "a fit sees all labels and a pass all images"
#: Attributes of a trainer, what alone they can be in a round, and why.
_RULES: tuple[tuple[str, object, str], ...] = (
    ("fast_dev_run", False, _WHOLE),
    ("overfit_batches", 0.0, _WHOLE),  # it sets the next
    ("limit_train_batches", 1.0, _WHOLE),
    ("limit_predict_batches", 1.0, _WHOLE),
    ("reload_dataloaders_every_n_epochs", 0, "every epoch would have the order of the first"),
    ("num_nodes", 1, "a run computes on one machine"),
)


def require_usable(trainer: L.Trainer) -> None:
    """Check that a trainer fits as long as it says, on everything that it is given.

    Raises:
        UsageError: If it cuts fits or passes short, stops by the clock, goes on from a checkpoint of a
            scheduler, or computes on several machines; names the argument.
    """
    for name, only, why in _RULES:
        value = getattr(trainer, name)
        # By type too: limit_train_batches=1 is one batch, and 1.0 are all.
        if value != only or isinstance(value, float) != isinstance(only, float):
            raise UsageError(f"trainer.{name}={value} is of no use here: {why}. Leave it out")
    if any(isinstance(callback, Timer) for callback in trainer.callbacks):  # type: ignore[attr-defined]
        raise UsageError(
            "trainer.max_time would stop fits by the clock, and no two runs would be the same. Leave "
            "it out; the length of a fit is a number of steps, such as recipe.max_steps"
        )
    if trainer.world_size == 1 and not isinstance(trainer.strategy, SingleDeviceStrategy):
        raise UsageError(
            f"trainer.strategy={type(trainer.strategy).__name__} is for several devices, and there is "
            "one. Leave it out, or raise trainer.devices"
        )
    _require_no_requeued_checkpoint(Path(trainer.default_root_dir))


def checked_trainer(make_trainer: Callable[[int, int], RoundTrainer]) -> RoundTrainer:
    """Return a trainer of the first round, after a look at what makes it.

    Raises:
        UsageError: If it makes no trainer, the same one twice, trainers that share a callback with a
            state, or such as :func:`require_usable` refuses, or which compute on several devices.
    """
    first, second = make_trainer(0, 1), make_trainer(0, 1)
    require_trainer(first)
    if first is second:
        raise UsageError(
            "make_trainer gave the same trainer twice. Make a new one at every call: a used one has "
            "counted its steps already, and would not fit again"
        )
    if isinstance(first, L.Trainer) and isinstance(second, L.Trainer):
        _require_alone(first)
        require_usable(first)
        _require_own_callbacks(first, second)
    return first


def require_fresh(trainer: RoundTrainer) -> None:
    """Check that a trainer has not fitted yet.

    Raises:
        UsageError: If it has: it counts on, and would stop too early.
    """
    if trainer.global_step:
        raise UsageError(
            f"This trainer has taken {trainer.global_step} steps already, and would count on. Let "
            "make_trainer make a new one at every call"
        )


def require_steps(trainer: RoundTrainer, round_index: int) -> None:
    """Check that a fit took the steps that its trainer was made for.

    An ``EarlyStopping`` among a trainer's callbacks is somebody's own decision, and may end it before.

    Raises:
        UsageError: If it took fewer; names both numbers.
    """
    asked = max(1, trainer.estimated_stepping_batches)
    if trainer.global_step < asked and not trainer.early_stopping_callbacks:
        raise UsageError(
            f"The fit of round {round_index} took {trainer.global_step} steps, and {asked} were asked "
            "for: something has cut it short, and nothing was recorded. Only Lightning's EarlyStopping "
            "may end a fit early"
        )


def _require_alone(trainer: L.Trainer) -> None:
    if trainer.num_devices > 1 or trainer.world_size > 1:
        raise UsageError(
            f"make_trainer made a trainer of {max(trainer.num_devices, trainer.world_size)} devices. "
            "Several devices need al_lightning.RoundTrainers, which shares batches out and starts a "
            "process for each; or take devices=1"
        )


def _require_own_callbacks(first: L.Trainer, second: L.Trainer) -> None:
    shared = {id(callback) for callback in first.callbacks}  # type: ignore[attr-defined]
    for callback in second.callbacks:  # type: ignore[attr-defined]
        if id(callback) in shared and callback.state_dict():
            raise UsageError(
                f"make_trainer gave two trainers one {type(callback).__name__}, which remembers the "
                "rounds before. Make a new one at every call"
            )


def _require_no_requeued_checkpoint(folder: Path) -> None:
    """Refuse what Lightning would silently begin every fit from, in a job of SLURM."""
    if not SLURMEnvironment.detect():
        return
    if found := sorted(folder.glob("hpc_ckpt_*.ckpt")):
        raise UsageError(
            f"{found[0]} was left by another job, and Lightning would begin every fit from it: move it "
            "away, or run in another folder"
        )
