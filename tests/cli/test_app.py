"""The command line, as a user types it.

What must be seen in a process of its own (signals, imports) is; the rest calls ``main`` here, which
saves the seconds that importing torch takes.
"""

import errno
import importlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir, initialize_config_module
from hydra.utils import instantiate
from omegaconf import DictConfig, OmegaConf

import al_lightning.cli.app as command_line
from al_lightning.cli import build, run_folder
from tests.background import DEADLINE
from tests.command_line import (
    CONF,
    QUICK,
    Here,
    call,
    command,
    comparable,
    fork,
    only_journal,
    stop_after,
)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder with an undisturbed run, and what the run printed."""
    folder = tmp_path_factory.mktemp("whole")
    result = call(folder, "strategy=margin", *QUICK)
    assert result.returncode == 0, result.stderr
    return folder, result.stdout


def predictions(run: Path) -> dict[str, bytes]:
    """The files of predictions in the folder of a run, by name."""
    return {path.name: path.read_bytes() for path in sorted((run / "predictions").iterdir())}


def test_a_run_prints_a_table_and_the_places_of_its_files(whole: tuple[Path, str]) -> None:
    folder, output = whole
    run = only_journal(folder).parent
    assert run.relative_to(folder).parts[:4] == ("outputs", "digits", "cnn", "margin")
    assert run.name.startswith("seed=0,")
    assert "macro F1" in output
    assert "AUBC" in output
    for name in (
        "journal.jsonl",
        "summary.json",
        "queries",
        "predictions",
        "tensorboard",
        "checkpoints/last.ckpt",
    ):
        assert (run / name).exists()
        assert name in output
    assert {path.name for path in (run / ".hydra").iterdir()} == {
        *("config.yaml", "hydra.yaml", "overrides.yaml")
    }
    assert {path.name for path in (run / "queries").iterdir()} == {
        *("labeled_round_01.csv", "labeled_round_02.csv")
    }
    assert [*predictions(run)] == ["round_00.npz", "round_01.npz", "round_02.npz"]


def test_a_summary_says_what_came_out(whole: tuple[Path, str]) -> None:
    run = only_journal(whole[0]).parent
    summary = json.loads((run / "summary.json").read_text())
    assert {key: summary[key] for key in ("dataset", "model", "strategy", "seed")} == {
        "dataset": "digits",
        "model": "cnn",
        "strategy": "margin",
        "seed": 0,
    }
    assert [entry["labels_bought"] for entry in summary["rounds"]] == [20, 30, 40]
    assert summary["trainable_parameters"] > 0
    assert 0.0 <= summary["aubc"] <= 1.0


def test_the_same_command_again_changes_nothing(here: Here, whole: tuple[Path, str]) -> None:
    folder, _ = whole
    run = only_journal(folder).parent
    before = {p: p.stat().st_mtime_ns for p in run.rglob("[!.]*") if p.is_file()}
    result = here(folder, "strategy=margin", *QUICK)
    assert result.returncode == 0
    assert "macro F1" in result.stdout
    assert {p: p.stat().st_mtime_ns for p in run.rglob("[!.]*") if p.is_file()} == before


def test_another_configuration_in_the_same_folder_is_refused(
    here: Here, whole: tuple[Path, str]
) -> None:
    folder, _ = whole
    run = only_journal(folder).parent
    place = f"hydra.run.dir='{run}'"
    result = here(folder, "strategy=margin", *QUICK, "recipe.label_smoothing=0.2", place)
    assert result.returncode == 1
    assert "config.recipe.label_smoothing: 0.0 -> 0.2" in result.stderr
    assert "Traceback" not in result.stderr
    assert "label_smoothing: 0.2" not in (run / ".hydra" / "config.yaml").read_text()


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL, and Ctrl-C needs a console")
def test_a_run_that_is_killed_and_interrupted_ends_as_if_it_had_not_been(
    tmp_path: Path, whole: tuple[Path, str]
) -> None:
    command_ = ("strategy=margin", *QUICK)
    assert stop_after(tmp_path, 2, signal.SIGKILL, *command_) == -signal.SIGKILL
    assert stop_after(tmp_path, 2, signal.SIGINT, *command_) == 128 + signal.SIGINT
    assert len(comparable(only_journal(tmp_path))) == 4
    assert fork(tmp_path, *command_).returncode == 0
    assert comparable(only_journal(tmp_path)) == comparable(only_journal(whole[0]))
    found, expected = (predictions(only_journal(p).parent) for p in (tmp_path, whole[0]))
    assert found == expected


def test_without_predictions_it_is_the_same_run(
    here: Here, tmp_path: Path, whole: tuple[Path, str]
) -> None:
    """It may be killed and gone on with under the other choice, in the same folder."""
    command_ = ("strategy=margin", *QUICK)
    assert stop_after(tmp_path, 3, signal.SIGKILL, *command_, "predictions=false") != 0
    run = only_journal(tmp_path).parent
    assert not (run / "predictions").exists()
    assert run.name == only_journal(whole[0]).parent.name
    assert here(tmp_path, *command_).returncode == 0
    expected = predictions(only_journal(whole[0]).parent)
    del expected["round_00.npz"]
    assert predictions(run) == expected


def test_overwrite_starts_anew(here: Here, whole: tuple[Path, str]) -> None:
    folder, _ = whole
    path = only_journal(folder)
    events, stamp = comparable(path), path.stat().st_mtime_ns
    kept = predictions(path.parent)
    (path.parent / "predictions" / "round_07.npz").write_text("of a run that went further")
    assert here(folder, "strategy=margin", *QUICK, "overwrite=true").returncode == 0
    again = comparable(path)
    assert path.stat().st_mtime_ns > stamp
    assert again[0]["config"].pop("overwrite")
    assert not events[0]["config"].pop("overwrite")
    assert again == events
    assert predictions(path.parent) == kept


@pytest.mark.parametrize(
    "wrong",
    [["model.padding=3"], ["budget.initial_policy=margin"], ["oracle=noisy", "oracle.rate=2"]],
    ids=["model", "policy", "oracle"],
)
def test_what_cannot_be_used_does_not_cost_the_run_that_is_there(
    here: Here, whole: tuple[Path, str], wrong: list[str]
) -> None:
    path = only_journal(whole[0])
    place = f"hydra.run.dir='{path.parent}'"
    content = path.read_bytes()
    assert (
        here(whole[0], "strategy=margin", *QUICK, *wrong, place, "overwrite=true").returncode == 1
    )
    assert path.read_bytes() == content


def test_queries_may_have_a_list_of_sizes(here: Here, tmp_path: Path) -> None:
    run = here(tmp_path, *QUICK, "budget.query=[5,10]")
    assert run.returncode == 0, run.stderr
    path = only_journal(tmp_path)
    events = [json.loads(line) for line in path.read_text().splitlines()]
    assert [e["labels_bought"] for e in events if e["event"] == "round"] == [20, 25, 35, 40]
    assert events[0]["config"]["budget"]["query"] == [5, 10]
    assert "budget.query=[5,10]" in path.parent.name
    again = here(tmp_path, *QUICK, "budget.query=[5, 10]")
    assert "nothing was changed" in again.stdout
    wrong = here(tmp_path, *QUICK, "budget.query=[5,0]")
    assert "budget.query must be a whole number of at least 1, or a list of them" in wrong.stderr


def test_a_frozen_network_trains_on_embeddings_that_the_next_run_finds(
    here: Here, tmp_path: Path
) -> None:
    model = ("model=mobilenet_v3_small", "model.weights=null", "model.mode=linear")
    size = ("model.image_size=16", "recipe=linear", "recipe.min_steps=8", "recipe.epochs=1")
    budget = ("budget.initial=20", "budget.query=10", "budget.total=30", "threads=1")
    first = here(tmp_path, *model, *size, *budget, "strategy=margin")
    assert first.returncode == 0, first.stderr
    assert "Embedding 1,797 images" in first.stdout
    second = here(tmp_path, *model, *size, *budget, "strategy=l2")
    assert second.returncode == 0, second.stderr
    assert "Embedding" not in second.stdout
    assert len(list(tmp_path.glob("outputs/.cache/embeddings/*.npy"))) == 1


def test_help_explains_the_groups_without_torch(tmp_path: Path) -> None:
    code = (
        "import sys, runpy\n"
        "sys.argv = ['al_lightning', '--help']\n"
        "try:\n    runpy.run_module('al_lightning', run_name='__main__')\n"
        "except SystemExit:\n    pass\n"
        "heavy = {'torch', 'lightning', 'matplotlib', 'sklearn', 'numpy'} & sys.modules.keys()\n"
        "assert not heavy, heavy\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert result.returncode == 0, result.stderr
    for word in ("strategy", "dataset", "budget.initial", "fashion_mnist", "least_confidence"):
        assert word in result.stdout


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("strategy=marg", "strategy=margin"), ("recipe.batch", "recipe.batch_size=")],
)
def test_names_and_choices_are_completed(tmp_path: Path, typed: str, offered: str) -> None:
    result = subprocess.run(
        command("-sc", "query=bash"),
        cwd=tmp_path,
        env={**os.environ, "COMP_LINE": f"al_lightning {typed}"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.split() == [offered]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such pipes")
def test_a_pipe_in_the_place_of_a_journal_keeps_nobody_waiting(here: Here, tmp_path: Path) -> None:
    path = tmp_path / "run" / "journal.jsonl"
    path.parent.mkdir()
    os.mkfifo(path)
    refused = here(tmp_path, *QUICK, "hydra.run.dir=run")
    assert refused.returncode == 1
    assert "journal.jsonl is no journal" in refused.stderr
    assert here(tmp_path, *QUICK, "hydra.run.dir=run", "overwrite=true").returncode == 0
    assert comparable(path)[-1]["event"] == "end"


def test_the_console_script_finds_modules_of_the_working_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine_of_here.py").write_text("FOUND = True\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [each for each in sys.path if each not in ("", ".")])
    monkeypatch.setattr(command_line, "main", lambda: importlib.import_module("mine_of_here"))
    command_line.console_script()
    assert sys.modules.pop("mine_of_here").FOUND


@pytest.mark.filterwarnings("error::UserWarning")
def test_others_can_compose_with_our_configuration(here: Here, tmp_path: Path) -> None:
    result = here(tmp_path, "--cfg", "job", "hydra.searchpath=[pkg://al_lightning.conf]")
    assert result.returncode == 0, result.stderr
    with initialize_config_module("al_lightning.conf", version_base="1.3"):
        assert "Entropy" in compose("config", ["strategy=entropy"]).strategy._target_


def test_cfg_job_shows_the_configuration(here: Here, tmp_path: Path) -> None:
    result = here(tmp_path, "--cfg", "job", "strategy=entropy", "dataset=cifar10")
    assert result.returncode == 0
    assert "al_lightning.strategies.Entropy" in result.stdout
    assert "al_lightning.data.CIFAR10" in result.stdout
    assert not (tmp_path / "outputs").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["strategy=margni"], ["margni", "least_confidence", "entropy"]),
        (["dataset=imagenet"], ["imagenet", "fashion_mnist", "cifar10"]),
        (["budget.querry=3"], ["querry"]),
        (["budget.initial=-1"], ["budget.initial", "-1"]),
        (["budget.initial=200", "budget.total=100"], ["budget.total", "200"]),
        (["dataset.imbalance=sideways"], ["dataset.imbalance", "sideways", "exponential"]),
        (["model.filters=[[8],[8],[8],[8],[8],[8]]"], ["8 x 8", "too small"]),
        (["dataset=image_folder"], ["Error: dataset.path must be given: dataset.path=..."]),
        (["model=timm"], ["Error: model.name must be given: model.name=..."]),
        (["+recipe.epoch=3"], ["Error: There is no recipe.epoch; did you mean recipe.epochs?"]),
        (["strategy=mix", "strategy.shares=null"], ["strategy.shares must be a Mapping, not None"]),
        (["budget.total=1"], ["budget.total must be a whole number of at least 2"]),
        (["hydra.launcher=joblib"], ["hydra.launcher=joblib: write hydra/launcher=joblib"]),
        (["launcher=joblib"], ["There is no launcher; did you mean hydra/launcher?"]),
        (["budget.initial_policy=marginn"], ["did you mean margin?"]),
        (["budget.initial_policy=margin"], ["cannot be Margin: it needs probabilities"]),
        (["model=resnet18", "model.weights=a.pth"], ["a.pth: there is no such file"]),
        (
            ["oracle=noisy", "oracle.rate=most"],
            ["oracle.rate must be a number, not 'most'"],
        ),
        (["+oracle.spelling=odd"], ["Error: There is no oracle.spelling"]),
        (["names.model=null"], ["Error: names.model must be a text, not None"]),
        (["names.strategy=[a,b]"], ["Error: names.strategy must be a text, not ['a', 'b']"]),
        (["output_root=null"], ["Error: output_root must be a folder, not None"]),
        (["output_root="], ["Error: output_root must be a folder, not ''"]),  # as of an unset $RUNS
        (["names=null"], ["Error: ", "names"]),
        (["recipe.optimizer=null"], ["recipe.optimizer must make an optimiser", "not None"]),
    ],
)
def test_errors_of_usage_are_one_message_without_a_traceback(
    here: Here, tmp_path: Path, arguments: list[str], said: list[str]
) -> None:
    result = here(tmp_path, *arguments)
    assert result.returncode != 0
    assert "Traceback" not in result.stderr
    for words in said:
        assert words in result.stderr
    assert not list(tmp_path.glob("outputs/**/journal.jsonl"))


def test_an_unknown_error_ends_a_run_with_a_failure(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(cfg: DictConfig) -> None:
        raise RuntimeError("a bug of somebody")

    monkeypatch.setattr("al_lightning.cli.app.run", broken)
    result = here(tmp_path)
    assert result.returncode == 1
    assert "RuntimeError: a bug of somebody" in result.stderr
    sweep = here(tmp_path, "-m", "seed=0,1", "hydra.sweeper.max_batch_size=1")
    assert sweep.returncode == 1
    assert sweep.stderr.count("Traceback") == 2
    assert "2 of 2 runs failed; the same command runs them again" in sweep.stderr


def test_full_errors_are_a_variable_away(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HYDRA_FULL_ERROR", "1")
    result = here(tmp_path, "budget.initial=-1")
    assert result.returncode != 0
    assert "Traceback" in result.stderr
    assert "budget.initial" in result.stderr


def composed(*overrides: str) -> Any:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        return compose("config", overrides=[*overrides], return_hydra_config=False)


@pytest.mark.parametrize("recipe", sorted(path.stem for path in (CONF / "recipe").glob("*.yaml")))
def test_every_recipe_can_be_built(recipe: str) -> None:
    cfg = composed(f"recipe={recipe}")
    backbone = instantiate(cfg.model, _convert_="all")(image_shape=(1, 8, 8), num_classes=10)
    assert instantiate(cfg.recipe, _convert_="all").classifier(backbone, 10) is not None


def test_the_plain_recipe_is_the_yardstick() -> None:
    recipe = composed("recipe=plain").recipe
    assert recipe.optimizer._target_ == "torch.optim.Adam"
    assert (recipe.optimizer.lr, recipe.batch_size, recipe.epochs) == (0.001, 64, 10)
    assert (recipe.min_steps, recipe.scheduler, recipe.augmentation) == (0, None, None)


def test_digits_have_a_budget_and_a_recipe_of_their_size_and_others_the_standard() -> None:
    assert composed().budget.total == 300
    assert composed().recipe.min_steps < composed("recipe=default").recipe.min_steps
    assert composed("dataset=mnist").recipe == composed("recipe=default").recipe
    assert composed("budget=standard").budget.total == 3000
    assert composed("dataset=fashion_mnist").budget.total == 3000


def test_every_yaml_says_what_it_is_and_names_its_target() -> None:
    for path in CONF.glob("*/*.yaml"):
        assert path.read_text().startswith("#"), path
        if path.parent.name != "experiment":  # these choose among the others
            assert {"_target_", "defaults"} & OmegaConf.load(path).keys(), path


def test_the_passive_baseline_buys_all_at_once_whatever_the_budget_of_the_others() -> None:
    for chosen in ("strategy=passive", "experiment=passive"):
        cfg = composed("dataset=fashion_mnist", chosen, "budget.initial=9", "budget.validation=7")
        budget = instantiate(cfg.budget_override)
        assert (budget.initial, budget.total, budget.validation) == ("all", "all", 7)
        assert (
            budget.query_size(0) > 10**8
        )  # of what some labels are there already: all that is left
        assert cfg.strategy._target_ == "al_lightning.strategies.Random"


def test_keys_of_classes_are_given_as_the_manual_has_it() -> None:
    (line,) = re.findall(
        r"'(oracle\.keys=.*?)'", (CONF / "oracle" / "page.yaml").read_text(encoding="utf-8")
    )
    assert line in (CONF.parent / "docs" / "labeling.md").read_text(encoding="utf-8")
    assert composed("oracle=page", line).oracle["keys"] == {"cat": "c", "dog": "d"}


@contextmanager
def held_by_another(folder: Path) -> Iterator["subprocess.Popen[str]"]:
    """A process that holds the lock of a run until it reads a line."""
    program = (
        "import sys; from pathlib import Path; from al_lightning.utils.locks import only_one\n"
        "with only_one(Path(sys.argv[1])): print('held', flush=True); sys.stdin.readline()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(folder / ".lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_second_process_in_a_folder_is_refused_with_the_first_ones_name(
    here: Here, whole: tuple[Path, str]
) -> None:
    folder, _ = whole
    run = only_journal(folder).parent
    with held_by_another(run) as process:
        result = here(folder, "strategy=margin", *QUICK)
        assert result.returncode == 1
        assert f"in use by process {process.pid} on {socket.gethostname()}" in result.stderr
        assert "Traceback" not in result.stderr
    # The lock of a process that was killed is no lock, though its name is still there.
    assert (run / ".lock.owner").exists()
    assert here(folder, "strategy=margin", *QUICK).returncode == 0
    assert not (run / ".lock.owner").exists()


def test_the_job_of_a_sweep_waits_for_another_process_and_finds_the_run_done(
    here: Here, whole: tuple[Path, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = whole
    print_waiting = run_folder._print_waiting

    def overheard(run: Path, holder: str) -> None:
        print_waiting(run, holder)
        process.kill()

    monkeypatch.setattr(run_folder, "_print_waiting", overheard)
    with held_by_another(only_journal(folder).parent) as process:
        result = here(folder, "-m", "strategy=margin", *QUICK, "report=false")
    assert result.returncode == 0
    assert f"in use by process {process.pid}" in result.stdout
    assert "This run is finished" in result.stdout


@pytest.mark.parametrize(
    ("wrong", "meant"),
    [
        ("budget.qeury=5", "There is no budget.qeury; did you mean budget.query?"),
        ("batch_size=5", "There is no batch_size; did you mean recipe.batch_size?"),
        ("strategi=margin", "There is no strategi; did you mean strategy?"),
        ("strategy=margn", "There is no margn; did you mean margin?"),
        ("dataset.imbalence=step", "did you mean dataset.imbalance?"),
    ],
)
def test_a_name_that_does_not_exist_is_answered_by_the_nearest(
    here: Here, tmp_path: Path, wrong: str, meant: str
) -> None:
    result = here(tmp_path, wrong)
    assert result.returncode == 1
    assert meant in result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "outputs").exists()


def test_a_wrong_choice_among_swept_ones_is_named(here: Here, tmp_path: Path) -> None:
    result = here(tmp_path, "-m", "strategy=margin,entrop", "dataset=image_folder", "dataset.pth=x")
    assert result.returncode == 1
    assert "did you mean entropy?" in result.stderr
    assert "did you mean dataset.path?" in result.stderr


def test_a_right_command_that_fails_gets_no_hint(here: Here, tmp_path: Path) -> None:
    result = here(tmp_path, "budget.initial=-1", "+trainer.gradient_clip_val=1")
    assert result.returncode == 1
    assert "did you mean" not in result.stderr


def test_a_disk_that_cannot_be_written_is_named(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    result = here(tmp_path, *QUICK)
    assert result.returncode == 1
    assert "No space left on device" in result.stderr
    assert "the same command continues" in result.stderr
    assert "Traceback" not in result.stderr


def test_the_shared_fit_changes_no_result(here: Here, whole: tuple[Path, str]) -> None:
    """Entropy meets margin's first fit in the cache; without the cache it comes to the same."""
    folder, _ = whole
    assert list((folder / "outputs" / ".cache").glob("*.ckpt"))
    results = {}
    for cache in ("true", "false"):
        assert (
            here(folder, "strategy=entropy", *QUICK, f"cache={cache}", "overwrite=true").returncode
            == 0
        )
        (path,) = folder.glob("outputs/digits/cnn/entropy/*/journal.jsonl")
        results[cache] = comparable(path)
        results[cache][0]["config"].pop("cache")
        results[cache][0].pop("overrides")
    assert results["true"] == results["false"]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("seed=one", "seed must be a whole number of at least 0, not 'one'"),
        ("seed=-1", "seed must be a whole number of at least 0, not -1"),
        ("seed=null", "seed must be a whole number of at least 0, not None"),
        ("query_seed=1.5", "query_seed must be a whole number"),
        ("threads=many", "threads must be a whole number of at least 1, not 'many'"),
        ("overwrite=maybe", "overwrite must be true or false, not 'maybe'"),
        ("cache=1", "cache must be true or false, not 1"),
        ("predictions=some", "predictions must be true or false, not 'some'"),
        ("progress=often", "progress must be auto, true or false"),
    ],
)
def test_values_of_a_wrong_type_are_refused_before_any_work(
    here: Here, tmp_path: Path, wrong: str, said: str
) -> None:
    result = here(tmp_path, *QUICK, wrong) if "threads" not in wrong else here(tmp_path, wrong)
    assert result.returncode == 1
    assert said in result.stderr
    assert "Traceback" not in result.stderr
    assert not list(tmp_path.glob("outputs/**/journal.jsonl"))


@pytest.mark.parametrize("root", ["here", "here/below"])
def test_an_output_root_that_is_a_file_is_named(here: Here, tmp_path: Path, root: str) -> None:
    (tmp_path / "here").write_text("")
    result = here(tmp_path, f"output_root={root}")
    assert result.returncode == 1
    assert f"Error: {tmp_path / 'here'} is no folder" in result.stderr


def test_a_run_that_waits_for_a_person_is_no_failure(here: Here, tmp_path: Path) -> None:
    quick = [argument for argument in QUICK if not argument.startswith("budget")]
    command_ = ("oracle=csv", *quick, "budget.initial=0", "budget.query=12", "budget.total=24")
    result = here(tmp_path, *command_)
    assert result.returncode == 0
    assert "12 images need a label" in result.stdout
    assert "Then run the same command again" in result.stdout
    sheet = next(tmp_path.glob("outputs/**/queries/round_00.csv"))
    header, *rows = sheet.read_text().splitlines()
    labeled = [row + str(i % 10) for i, row in enumerate(rows)]
    sheet.write_text("\n".join([header, *labeled]))
    result = here(tmp_path, *command_)
    assert "round  0       12 labels" in result.stdout
    assert next(tmp_path.glob("outputs/**/queries/round_01.csv")).exists()
    # Who starts anew loses nothing that a person has done.
    result = here(tmp_path, *command_, "overwrite=true")
    assert "Leave out overwrite=true" in result.stdout
    kept = next(tmp_path.glob("outputs/**/overwritten_00"))
    assert (kept / "queries" / "round_00.csv").read_text() == "\n".join([header, *labeled])
    assert (kept / "journal.jsonl").exists()
    assert "overwritten_00" in result.stdout


@pytest.mark.parametrize(
    ("overrides", "decoded", "taken", "said"),
    [
        (["model=efficientnet_lite0_linear"], 224, 224, ""),
        (["model=efficientnet_lite0"], 96, 96, ""),
        (["model=efficientnet_lite0_linear", "model.image_size=192"], 192, 192, ""),
        (["model=resnet18", "model.mode=linear"], 224, 224, ""),
        (["model=vit_b_16"], 224, 224, ""),
        (["model=resnet18", "model.image_size=null"], 64, None, ""),
        (["model=cnn"], 64, "none", ""),
        (["model=efficientnet_lite0", "dataset.image_size=64"], 64, 96, "dataset.image_size=96"),
        (["model=efficientnet_lite0", "dataset.image_size=128"], 128, 96, ""),
        (["model=cnn", "dataset.image_size=32"], 32, "none", ""),
    ],
)
def test_images_are_decoded_at_what_the_network_takes(
    capsys: pytest.CaptureFixture[str],
    overrides: list[str],
    decoded: int,
    taken: int | str | None,
    said: str,
) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        cfg = compose("config", overrides=["dataset=image_folder", *overrides])
        cifar = compose("config", overrides=["dataset=cifar10", *overrides[:1]])
    build._decide_sizes(cfg)
    assert cfg.dataset.image_size == decoded
    assert cfg.model.get("image_size", "none") == taken
    printed = capsys.readouterr().out
    assert (said in printed) if said else not printed
    build._decide_sizes(cifar)
    assert not capsys.readouterr().out


def test_a_model_takes_the_images_shape_whether_its_yaml_is_partial_or_not() -> None:
    cfg = OmegaConf.create({"model": {"_target_": "mine.Net", "width": 3}})
    OmegaConf.set_struct(cfg, True)
    build._complete_model(cfg)
    assert cfg.model == {"_target_": "mine.Net", "width": 3, "_partial_": True}
    given = OmegaConf.create({"model": {"_target_": "mine.Net", "_partial_": False}})
    build._complete_model(given)
    assert given.model["_partial_"] is False
    build._complete_model(OmegaConf.create({"model": None}))


def test_a_data_set_may_say_nothing_of_flips() -> None:
    recipe = OmegaConf.load(CONF / "recipe" / "default.yaml")
    for dataset, flips in (({}, False), ({"horizontal_flip": True}, True)):
        cfg = OmegaConf.create({"dataset": dataset, "recipe": recipe})
        assert cfg.recipe.augmentation.horizontal_flip is flips


WAITS = """
import sys, time
from al_lightning.cli import app
def wait():
    print("waiting", flush=True)
    time.sleep(600)
app.job = wait
sys.argv = ["al_lightning", "-m"]
app.main()
"""


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGTERM")
def test_a_sweep_that_waits_for_its_workers_is_interrupted_too() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", WAITS], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "waiting\n"
    process.send_signal(signal.SIGTERM)  # by default it would die, and leave its workers
    _, errors = process.communicate(timeout=DEADLINE)
    assert process.returncode == 128 + signal.SIGTERM
    assert errors.endswith("Interrupted. The same command continues from here.\n")
