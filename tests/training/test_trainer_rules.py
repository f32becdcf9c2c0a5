from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from al_lightning.training import trainer_rules
from al_lightning.training.fresh_trainers import FreshTrainers
from al_lightning.training.recipe import Recipe
from al_lightning.training.trainer_rules import require_usable
from al_lightning.training.trainers import RoundTrainers
from al_lightning.utils.errors import UsageError
from tests.helpers import tiny_trainer

SLURM = {"SLURM_JOB_ID": "1", "SLURM_NTASKS": "1", "SLURM_JOB_NAME": "x"} | dict.fromkeys(
    ("SLURM_PROCID", "SLURM_LOCALID", "SLURM_NODEID"), "0"
)


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"limit_train_batches": 0}, "limit_train_batches=0"),
        ({"limit_train_batches": 1}, "limit_train_batches=1"),  # one batch; 1.0 are all
        ({"limit_train_batches": 0.5}, "limit_train_batches=0.5"),
        ({"limit_predict_batches": 2}, "limit_predict_batches=2"),
        ({"overfit_batches": 2}, "overfit_batches=2"),
        ({"fast_dev_run": True}, "fast_dev_run=True"),
        ({"reload_dataloaders_every_n_epochs": 1}, "reload_dataloaders_every_n_epochs=1"),
        ({"max_time": timedelta(seconds=2)}, "max_time"),
        ({"strategy": "ddp"}, "strategy=DDPStrategy"),
    ],
)
def test_what_cuts_or_changes_a_fit_is_refused_by_name(options: dict[str, Any], named: str) -> None:
    with pytest.raises(UsageError, match=rf"trainer\.{named}"):
        require_usable(tiny_trainer(max_steps=5, **options))


@pytest.mark.parametrize(
    "options",
    [{}, {"limit_train_batches": 1.0}, {"gradient_clip_val": 1.0}, {"accumulate_grad_batches": 2}],
)
def test_whole_fits_are_let_through(options: dict[str, Any]) -> None:
    require_usable(tiny_trainer(max_steps=5, **options))


def test_checkpoints_of_other_jobs_are_refused_where_lightning_takes_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "hpc_ckpt_1.ckpt").touch()
    trainer = tiny_trainer(max_steps=5, default_root_dir=tmp_path)
    require_usable(trainer)
    for name, value in SLURM.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError, match=r"hpc_ckpt_1\.ckpt was left by another job"):
        require_usable(trainer)


def test_the_configuration_says_how_many_processes_there_are(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in SLURM.items():
        monkeypatch.setenv(name, value)
    assert tiny_trainer(devices=2).world_size == 1  # Lightning goes by the scheduler
    assert RoundTrainers(tiny_trainer, Recipe())(0, 9).world_size == 1
    with pytest.raises(UsageError, match=r"wants 2 device\(s\).* 1 process"):
        _ = FreshTrainers(RoundTrainers(partial(tiny_trainer, devices=2), Recipe())).for_passes


def test_several_devices_need_a_process_each() -> None:
    for options in ({"devices": 2}, {"devices": 2, "num_nodes": 2}):
        wanted = 2 * int(options.get("num_nodes", 1))
        with pytest.raises(UsageError, match=rf"wants {wanted} device\(s\).*torchrun"):
            require_usable(tiny_trainer(max_steps=5, **options))


def test_several_devices_cannot_accumulate(monkeypatch: pytest.MonkeyPatch) -> None:
    trainer = tiny_trainer(devices=2, accumulate_grad_batches=3)
    monkeypatch.setattr(trainer_rules, "world_size", lambda: 2)
    with pytest.raises(UsageError, match=r"accumulate_grad_batches=3 .* raise recipe\.batch_size"):
        require_usable(trainer)
