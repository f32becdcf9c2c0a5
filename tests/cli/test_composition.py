"""What a run records of its configuration, by runs as a user types them."""

import json
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from al_lightning.cli.composition import Composition
from tests.command_line import QUICK, Here, only_journal


def test_an_experiment_of_ones_own_is_stronger_than_the_defaults_and_weaker_than_the_command_line(
    here: Here, tmp_path: Path
) -> None:
    (tmp_path / "mine" / "experiment").mkdir(parents=True)
    (tmp_path / "mine" / "experiment" / "eight.yaml").write_text(
        "# @package _global_\ndefaults:\n  - override /strategy: random\n"
        "seed: 8\nquery_seed: 3\noutput_root: elsewhere\ncache: false\n"
    )
    chosen = ("--config-dir", str(tmp_path / "mine"), "experiment=eight", *QUICK)
    assert here(tmp_path, *chosen).returncode == 0
    assert here(tmp_path, *chosen, "query_seed=4").returncode == 0
    found = {}
    for path in tmp_path.glob("elsewhere/digits/cnn/random/seed=8*/journal.jsonl"):
        start = json.loads(path.read_text().splitlines()[0])
        assert start["overrides"][:2] == [
            "--config-dir=mine",
            "experiment=eight",
        ]  # the whole command
        config = start["config"]
        assert (config["seed"], config["output_root"], config["cache"]) == (8, "elsewhere", False)
        found[config["query_seed"]] = path
    assert found.keys() == {3, 4}
    assert not (tmp_path / "outputs").exists()


def test_one_folder_is_one_run_and_no_secret_is_written(
    here: Here, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AL_LIGHTNING_DATA", "/mnt/s3cr3t")
    arguments = (*QUICK, "strategy=random", "+model.note='http://me:s3cr3t@host'")
    result = here(tmp_path, *arguments, "~model.note", "+hydra.job.env_set.K=s3cr3t")
    assert result.returncode == 0, result.stderr
    run = only_journal(tmp_path).parent
    start = json.loads((run / "journal.jsonl").read_text().splitlines()[0])
    assert start["config"]["data_root"] == "${oc.env:AL_LIGHTNING_DATA,data}"
    for path in (path for path in tmp_path.rglob("*") if path.is_file()):
        assert b"s3cr3t" not in path.read_bytes(), path
        assert "s3cr3t" not in str(path)
    for root in ("outputs/", "./outputs", str(tmp_path / "outputs")):
        again = here(tmp_path, *arguments, "~model.note", f"output_root={root}")
        assert "This run is finished" in again.stdout
    assert only_journal(tmp_path).parent == run


def test_what_is_decided_before_a_run_begins_is_recorded() -> None:
    cfg = OmegaConf.create({"model": {"image_size": "auto"}, "data_root": "/mnt/x", "logger": "y"})
    composition = Composition(cfg, None, {"data_root": "data"}, ["overwrite=true", "seed=1"])
    cfg.model.image_size = 224
    assert composition.recorded() == {"model": {"image_size": 224}, "data_root": "data"}
    assert composition.overrides() == ["seed=1"]


def test_the_recipe_of_a_mode_is_said_first_and_recorded(here: Here, tmp_path: Path) -> None:
    model = ("model=mobilenet_v3_small", "model.weights=null", "model.image_size=32")
    short = [a for a in QUICK if not a.startswith("model.")]
    result = here(tmp_path, *model, "model.mode=linear", *short, "hydra.job.chdir=true")
    assert result.returncode == 0, result.stderr
    assert "recipe=linear" in result.stdout.splitlines()[0]
    config = json.loads(only_journal(tmp_path).read_text().splitlines()[0])["config"]
    assert config["recipe"]["optimizer"]["weight_decay"] == 5.0
    assert config["recipe"]["augmentation"] is None
    assert config["model"]["image_size"] == 32
