"""Optuna is an extra: the tests that need it run where it is installed."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from filelock import FileLock
from omegaconf import DictConfig, OmegaConf

from al_lightning.cli.search import KeepStudy


def config(folder: Path, **sweeper: Any) -> DictConfig:
    return OmegaConf.create(
        {"hydra": {"sweep": {"dir": str(folder)}, "sweeper": sweeper, "overrides": {"task": []}}}
    )


def test_a_sweeper_that_searches_for_nothing_is_left_alone(tmp_path: Path) -> None:
    cfg = config(tmp_path, params=None, max_batch_size=None)
    before = OmegaConf.to_container(cfg)
    KeepStudy().on_multirun_start(cfg)
    assert OmegaConf.to_container(cfg) == before


def begun(folder: Path, trials: int, task: Sequence[str] = (), **changes: Any) -> Any:
    sweeper = {"storage": None, "study_name": None, "n_trials": trials, "direction": "minimize"}
    cfg = config(folder, **{**sweeper, **changes})
    cfg.hydra.overrides.task = [*task]
    KeepStudy().on_multirun_start(cfg)
    return cfg.hydra.sweeper


def test_a_new_study_lies_beside_the_report_and_is_maximised(tmp_path: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")
    sweeper = begun(tmp_path, 5)
    assert sweeper.direction == "maximize"
    assert (tmp_path / "study.db").exists()
    assert sweeper.n_trials == 5


@pytest.mark.parametrize(
    ("changes", "task", "said"),
    [
        ({"n_trials": 0}, [], "hydra.sweeper.n_trials must be a whole number of at least 1, not 0"),
        ({"n_trials": -1}, [], "hydra.sweeper.n_trials must be"),
        ({"n_jobs": 0}, [], "hydra.sweeper.n_jobs must be a whole number of at least 1, not 0"),
        ({}, ["a=interval(0.1,0.01)"], "a=interval(0.1,0.01) cannot be searched: "),
        ({}, ["a=tag(log,interval(0,1))"], "cannot be searched: "),
        ({"storage": "nope://me:pw@x"}, [], "hydra.sweeper.storage=nope://***@x cannot be used: "),
        ({"storage": "sqlite:////proc/none/x.db"}, [], "unable to open database file"),
    ],
)
def test_a_search_that_cannot_be_is_one_message(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, Any],
    task: list[str],
    said: str,
) -> None:
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")
    with pytest.raises(SystemExit) as exit_:
        begun(tmp_path, task=task, **{"trials": 5, **changes})
    assert exit_.value.code == 1
    assert said in capsys.readouterr().err


def test_the_trials_of_earlier_sessions_count_and_cut_off_ones_are_made_again(
    tmp_path: Path,
) -> None:
    optuna = pytest.importorskip("optuna")
    sweeper = begun(tmp_path, 3)
    study = optuna.load_study(study_name=sweeper.study_name, storage=sweeper.storage)
    done, cut_off = study.ask(), study.ask()
    done.suggest_float("lr", 0.0, 1.0)
    study.tell(done, 0.5)
    value = cut_off.suggest_float("lr", 0.0, 1.0)
    assert begun(tmp_path, 3).n_trials == 2
    again = study.ask()
    assert again.suggest_float("lr", 0.0, 1.0) == value
    study.tell(again, 0.7)
    assert begun(tmp_path, 3).n_trials == 1
    assert begun(tmp_path, 2).n_trials == 0
    assert begun(tmp_path, 1).n_trials == 0


def test_a_second_process_is_kept_from_a_study(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with FileLock(tmp_path / ".study.lock"), pytest.raises(SystemExit) as exit_:
        begun(tmp_path, 5)
    assert exit_.value.code == 1
    assert "Another process is searching in" in capsys.readouterr().err


def test_a_storage_of_ones_own_is_kept(tmp_path: Path) -> None:
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")
    storage = f"sqlite:///{tmp_path}/mine.db"
    sweeper = begun(tmp_path, 5, storage=storage, study_name="mine")
    assert (sweeper.storage, sweeper.study_name) == (storage, "mine")
    assert (tmp_path / "mine.db").exists()
