"""Sweeps as a user types them, most of them in this process: importing torch takes seconds."""

import json
import os
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from hydra.core.global_hydra import GlobalHydra
from hydra.core.override_parser.overrides_parser import OverridesParser
from hydra.core.utils import JobReturn, JobStatus
from omegaconf import OmegaConf, open_dict

from al_lightning.cli.search import require_validation
from al_lightning.cli.sweep import _let_others_run, _share_out_threads
from al_lightning.utils.errors import UsageError
from tests.command_line import CONF, QUICK, Here, call, comparable, fork, stop_after

SHORT = (*QUICK, "budget.total=30", "report=false")
GRID = (*SHORT, "strategy=random,margin", "seed=0,1")


def journals(folder: Path) -> dict[str, Any]:
    paths = folder.glob("outputs/**/journal.jsonl")
    return {str(path.parent.relative_to(folder)): comparable(path) for path in paths}


def results(folder: Path) -> dict[str, Any]:
    """The journals, but for where they lie and what they ran beside."""
    return {name: events[1:] for name, events in journals(folder).items()}


def records(folder: Path) -> list[dict[str, Any]]:
    paths = folder.glob("outputs/sweeps/*/jobs/*.json")
    return [json.loads(path.read_text()) for path in sorted(paths)]


def one_of(folder: Path, name: str) -> Path:
    (path,) = folder.glob(f"outputs/sweeps/*/{name}")
    return path


@pytest.fixture(scope="module")
def swept(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[Path, "subprocess.CompletedProcess[str]"]:
    """A folder with a finished sweep, and what it printed."""
    folder = tmp_path_factory.mktemp("swept")
    result = fork(folder, "-m", *GRID, "report=true")
    assert result.returncode == 0, result.stderr
    return folder, result


def test_a_sweep_makes_its_runs_and_a_report(
    swept: tuple[Path, "subprocess.CompletedProcess[str]"],
) -> None:
    folder, result = swept
    assert len(journals(folder)) == 4
    page = one_of(folder, "report/report.html")
    assert str(page) in result.stdout
    assert "digits" in result.stdout.rsplit("last.ckpt", 1)[1]
    assert len(list(folder.glob("outputs/.cache/*.ckpt"))) == 2  # round 0, once a seed


def test_the_same_sweep_again_changes_no_journal(
    here: Here,
    swept: tuple[Path, "subprocess.CompletedProcess[str]"],
) -> None:
    folder, _ = swept
    before = {path: path.stat().st_mtime_ns for path in folder.glob("outputs/**/journal.jsonl")}
    assert here(folder, "-m", *GRID).returncode == 0
    assert {path: path.stat().st_mtime_ns for path in before} == before


def test_parallel_jobs_come_to_the_same_and_the_one_that_fails_is_named(
    tmp_path: Path, swept: tuple[Path, "subprocess.CompletedProcess[str]"]
) -> None:
    in_the_way = tmp_path / next(iter(journals(swept[0]))) / "journal.jsonl"
    in_the_way.mkdir(parents=True)
    result = call(tmp_path, "-m", *GRID, "hydra/launcher=joblib", "hydra.launcher.n_jobs=2")
    assert result.returncode == 1
    assert "1 of 4 runs failed" in result.stderr
    strategy, seed = in_the_way.parts[-3], in_the_way.parts[-2].split(",")[0]
    (named,) = (line for line in result.stderr.splitlines() if line.startswith("Failed: "))
    assert f"strategy={strategy} {seed}" in named
    in_the_way.rmdir()
    assert len(list(tmp_path.glob("outputs/.cache/*.ckpt"))) == 2
    assert not list(tmp_path.glob("outputs/sweeps/*/report"))
    expected = results(swept[0])
    del expected[str(in_the_way.parent.relative_to(tmp_path))]
    assert results(tmp_path) == expected


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL")
def test_a_killed_sweep_goes_on(
    tmp_path: Path, swept: tuple[Path, "subprocess.CompletedProcess[str]"]
) -> None:
    assert stop_after(tmp_path, 9, signal.SIGKILL, "-m", *GRID) == -signal.SIGKILL
    (cut_off,) = (record for record in records(tmp_path) if record["error"])
    assert "did not end" in cut_off["error"]
    result = fork(tmp_path, "-m", *GRID)
    assert result.returncode == 0, result.stderr
    assert results(tmp_path) == results(swept[0])
    assert [record["error"] for record in records(tmp_path)] == [None] * 4


def test_a_comparison_is_a_sweep_over_all_strategies_and_the_passive_baseline(
    here: Here,
    tmp_path: Path,
) -> None:
    params = OmegaConf.load(CONF / "experiment" / "compare.yaml").hydra.sweeper.params
    assert params.keys() == {"strategy", "seed"}
    assert params.seed == "0,1,2,3,4"
    with initialize_config_dir(str(CONF), version_base="1.3"):
        parser = OverridesParser.create(config_loader=GlobalHydra.instance().config_loader())
        (swept,) = parser.parse_overrides([f"strategy={params.strategy}"])
        names = {*swept.sweep_string_iterator()}
    assert names == {path.stem for path in (CONF / "strategy").glob("*.yaml")} - {"auto"}
    fewer = ("hydra.sweeper.params.strategy='random,passive'", "hydra.sweeper.params.seed=3")
    assert here(tmp_path, "experiment=compare", *SHORT, *fewer).returncode == 0
    (random,) = tmp_path.glob("outputs/digits/cnn/random/seed=3*/journal.jsonl")
    (passive,) = tmp_path.glob("outputs/digits/cnn/passive/seed=3*/journal.jsonl")
    assert "compare" not in random.parent.name
    assert [e["labels_bought"] for e in comparable(random) if e["event"] == "round"] == [20, 30]
    assert [e["labels_bought"] for e in comparable(passive) if e["event"] == "round"] == [1297]


def test_a_failing_job_is_named_and_the_others_are_kept(here: Here, tmp_path: Path) -> None:
    one_by_one = (
        "hydra.sweeper.max_batch_size=1"  # where Hydra would end the sweep by the first error
    )
    sweep = ("-m", *SHORT[:-2], "budget.total=30,15,35", one_by_one, "overwrite=true")
    result = here(tmp_path, *sweep)
    assert result.returncode == 1
    assert len(journals(tmp_path)) == 2
    said = "1 of 3 runs failed; the same command without overwrite=true runs them again, and keeps"
    assert said in result.stderr
    assert "budget.total=15" in result.stderr
    assert "Traceback" not in result.stderr
    assert one_of(tmp_path, "report/report.html").exists()


def test_a_sweep_over_hyperparameters_without_validation_labels_is_refused(
    here: Here,
    tmp_path: Path,
) -> None:
    result = here(tmp_path, "-m", *QUICK, "recipe.optimizer.lr=0.001,0.003")
    assert result.returncode == 1
    assert "recipe.optimizer.lr" in result.stderr
    assert "budget.validation" in result.stderr
    assert not journals(tmp_path)


def composed(*overrides: str, params: dict[str, str] | None = None) -> Any:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("config", overrides=[], return_hydra_config=True)
    with open_dict(cfg):
        cfg.hydra.overrides.task = list(overrides)
        cfg.hydra.sweeper.params = params
    return cfg


@pytest.mark.parametrize(
    "overrides",
    [
        ["recipe=default,plain"],
        ["recipe.batch_size=16,32"],
        ["model.dense=[16],[32]"],
        ["trainer.gradient_clip_val=0.1,1"],
        ["recipe.batch_size=16,32", "budget.validation=0"],
        ["recipe.batch_size=16,32", "budget.validation=0,50"],
    ],
)
def test_hyperparameters_are_chosen_by_bought_labels_alone(overrides: list[str]) -> None:
    with pytest.raises(UsageError, match=overrides[0].split("=")[0]):
        require_validation(composed(*overrides))


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["strategy=random,margin", "dataset=digits,mnist", "seed=range(5)", "model=cnn"],
        ["budget.query=10,20", "oracle=dataset"],
        ["recipe.batch_size=16"],
        ["recipe.batch_size=16,32", "budget.validation=50"],
        ["recipe.batch_size=16,32", "budget.validation=50,100"],
    ],
)
def test_conditions_are_compared_without_validation_labels(overrides: list[str]) -> None:
    require_validation(composed(*overrides))


def test_parameters_of_the_sweeper_count_like_those_of_the_command_line() -> None:
    with pytest.raises(UsageError, match=r"recipe\.batch_size"):
        require_validation(composed(params={"recipe.batch_size": "16,32"}))


def test_a_sweeper_that_looks_for_the_best_needs_them_whatever_it_sweeps() -> None:
    cfg = composed("strategy=random,margin")
    cfg.hydra.sweeper._target_ = "some.Optimizer"
    with pytest.raises(UsageError, match="strategy"):
        require_validation(cfg)


def test_a_failure_is_on_record_until_the_run_succeeds(here: Here, tmp_path: Path) -> None:
    once = ("budget.total=20", "seed=0,1")
    arguments = ("-m", *SHORT, *once, "logger=csv", "logger.name=secret")
    blocked = tmp_path / "outputs" / "digits" / "cnn"
    blocked.parent.mkdir(parents=True)
    here(tmp_path, *arguments, "strategy=random")  # so that the sweep's folder is there
    for path in blocked.glob("random/*/journal.jsonl"):
        path.unlink()
        path.mkdir()
    assert here(tmp_path, *arguments, "strategy=random").returncode == 1
    assert [bool(record["error"]) for record in records(tmp_path)] == [True, True]
    for path in blocked.glob("random/*/journal.jsonl"):
        path.rmdir()
    assert here(tmp_path, *arguments, "strategy=random").returncode == 0
    assert [record["error"] for record in records(tmp_path)] == [None, None]
    assert "secret" not in json.dumps(records(tmp_path))


def test_a_cache_that_cannot_be_used_costs_time_and_nothing_else(
    here: Here, tmp_path: Path
) -> None:
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / ".cache").write_text("in the way")
    with pytest.warns(UserWarning, match="cache of fits cannot be used"):
        assert here(tmp_path, *SHORT).returncode == 0


def test_a_report_that_cannot_be_written_hides_no_failure(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unwritable(*arguments: Any, **options: Any) -> None:
        raise UsageError("The disk is full")

    monkeypatch.setattr("al_lightning.report.page.write.write_report", unwritable)
    result = here(tmp_path, "-m", *SHORT[:-1], "budget.query=10", "budget.total=30,15")
    assert result.returncode == 1
    assert "1 of 2 runs failed" in result.stderr
    assert "Error: The disk is full" in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    ("overrides", "jobs"),
    [
        (["seed=0,1"], 2),
        (["seed=0,1", "strategy=random,margin,kl"], 6),
        (["seed=range(3)"], 3),
        (["strategy=glob(*)"], 8),
        (["names.strategy=global,local"], 2),
    ],
)
def test_no_more_processes_than_jobs_share_the_threads(
    overrides: list[str], jobs: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("al_lightning.cli.sweep.usable_cores", lambda: 8)
    cfg = composed(*overrides)
    cfg.hydra.launcher = {"_target_": "some.Launcher", "n_jobs": -1}
    with initialize_config_dir(str(CONF), version_base="1.3"):  # which knows what there is
        _share_out_threads(cfg)
    assert cfg.hydra.launcher.n_jobs == jobs


def test_a_search_starts_as_many_processes_as_it_has_trials_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("al_lightning.cli.sweep.usable_cores", lambda: 8)
    cfg = composed("recipe.batch_size=16,32,64", "recipe.optimizer.lr=interval(0.001,0.1)")
    cfg.hydra.launcher = {"_target_": "some.Launcher", "n_jobs": -1}
    cfg.hydra.sweeper = {"_target_": "some.Sweeper", "n_jobs": 2}
    _share_out_threads(cfg)
    assert cfg.hydra.launcher.n_jobs == 2


def test_an_interval_is_for_a_search(here: Here, tmp_path: Path) -> None:
    given = ("recipe.optimizer.lr=interval(.001,.1)", "budget.validation=5")
    result = here(tmp_path, "-m", *QUICK, *given)
    assert result.returncode == 1
    assert "Add hydra/sweeper=optuna, or list the values" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_search_of_which_no_trial_ends_well_ends_with_the_list(
    here: Here, tmp_path: Path
) -> None:
    pytest.importorskip("hydra_plugins.hydra_optuna_sweeper")
    given = (
        "recipe.optimizer.lr=interval(.001,.1)",
        "budget.validation=5",
        "dataset.imbalance=odd",
    )
    search = ("hydra/sweeper=optuna", "hydra.sweeper.n_trials=2")
    result = here(tmp_path, "-m", *SHORT, *given, *search)
    assert result.returncode == 1
    assert "2 of 2 runs failed" in result.stderr
    assert "Traceback" not in result.stderr


def test_an_unknown_error_is_shown_and_ends_no_sweep(capsys: pytest.CaptureFixture[str]) -> None:
    error = RuntimeError("a bug of somebody")
    job = JobReturn(overrides=["seed=1"], status=JobStatus.FAILED)
    job.return_value = error
    _let_others_run(job)
    assert (job.status, job.return_value) == (JobStatus.COMPLETED, None)
    assert "RuntimeError: a bug of somebody" in capsys.readouterr().err
