"""Which trainers a learner can use: those that fit as long as they say, on all images."""

from pathlib import Path
from typing import Any

import lightning as L
from lightning.fabric.plugins.environments.slurm import SLURMEnvironment
from lightning.pytorch.callbacks import Timer
from lightning.pytorch.strategies import SingleDeviceStrategy

from al_lightning.utils.errors import UsageError
from al_lightning.utils.torchrun import world_size

_WHOLE = "a fit sees all labels and a pass all images"
#: Attributes of a trainer, what alone they can be in a round, and why.
_RULES: tuple[tuple[str, object, str], ...] = (
    ("fast_dev_run", False, _WHOLE),
    ("overfit_batches", 0.0, _WHOLE),  # it sets the next
    ("limit_train_batches", 1.0, _WHOLE),
    ("limit_predict_batches", 1.0, _WHOLE),
    ("reload_dataloaders_every_n_epochs", 0, "every epoch would have the order of the first"),
)
_DECIDES_A_FIT = (
    *("max_epochs", "max_steps", "accumulate_grad_batches"),
    *("gradient_clip_val", "gradient_clip_algorithm"),
)


def require_usable(trainer: L.Trainer) -> None:
    """Check that a trainer fits as long as it says, on everything that it is given.

    Raises:
        UsageError: If it cuts fits or passes short, stops by the clock, continues from a scheduler's
            checkpoint, or needs another number of processes than there are; names the argument.
    """
    _require_a_process_for_each_device(trainer)
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


def require_fresh(trainer: L.Trainer) -> None:
    """Check that a trainer has not fitted yet.

    Raises:
        UsageError: If it has: it counts on, and would stop too early.
    """
    if trainer.global_step:
        raise UsageError(
            f"This trainer has taken {trainer.global_step} steps already, and would count further. Let "
            "make_trainer make a new one at every call"
        )


def require_steps(trainer: L.Trainer, round_index: int) -> None:
    """Check that a fit took the steps that its trainer was made for.

    An ``EarlyStopping`` among a trainer's callbacks is the user's decision, and may end it earlier.

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


def describe_trainer(trainer: L.Trainer) -> dict[str, Any]:
    """Return what results depend on, as plain values: where, how and how long a trainer computes."""
    several = {"devices": str(trainer.world_size)} if trainer.world_size > 1 else {}
    known = {key: getattr(trainer, key, None) for key in _DECIDES_A_FIT}
    return {
        "device": trainer.strategy.root_device.type,
        "precision": str(trainer.precision),
        **several,
        **{key: value for key, value in known.items() if value is not None},
    }


def _require_a_process_for_each_device(trainer: L.Trainer) -> None:
    wanted, there = trainer.world_size, world_size()
    if wanted != there:
        raise UsageError(
            f"The trainer wants {wanted} device(s) in all, and there are {there} process(es): each "
            f"device needs one. Start {wanted} by torchrun --nproc-per-node=<devices of a machine> "
            "(python -m al_lightning trainer.devices=2 does so itself), or let devices and num_nodes "
            "of the trainer say what torchrun has started"
        )
    if there > 1 and trainer.accumulate_grad_batches > 1:
        raise UsageError(
            f"trainer.accumulate_grad_batches={trainer.accumulate_grad_batches} is of no use on "
            "several devices, which share each batch: leave it out, and raise recipe.batch_size"
        )
    # Not public; without the check, Lightning would deal out batches that are dealt out already.
    connector = getattr(trainer, "_accelerator_connector", None)
    if there > 1 and getattr(connector, "use_distributed_sampler", False):
        raise UsageError(
            "The data module shares batches out among devices itself: make the trainer with "
            "use_distributed_sampler=False"
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
