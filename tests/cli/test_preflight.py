import errno
from pathlib import Path
from typing import Any

import pytest
from hydra import compose, initialize_config_dir
from omegaconf import OmegaConf

from al_lightning.cli import preflight
from al_lightning.cli.search import given_overrides
from al_lightning.utils.errors import UsageError
from tests.command_line import CONF, QUICK, Here


def test_a_disk_without_room_for_a_folder_is_one_message(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(**options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(preflight, "TemporaryDirectory", full)
    with pytest.raises(UsageError, match=r"No folder can be made for .*: No space left on device"):
        preflight._check_output_root(str(tmp_path))


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="File name too long"):
        preflight._check_output_root(str(tmp_path / ("x" * 300)))
    file = tmp_path / "file"
    file.touch()
    with pytest.raises(UsageError, match="file is no folder"):
        preflight._check_output_root(str(file / "outputs"))
    preflight._check_output_root(str(tmp_path / "new" / "outputs"))
    assert not list(tmp_path.glob("*/"))


@pytest.mark.parametrize("root", ["outputs", "imgs/outputs", "imgs/a/.b", "imgs", "imgs/../imgs"])
def test_runs_among_the_folders_of_classes_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, root: str
) -> None:
    (tmp_path / "imgs").mkdir()
    monkeypatch.chdir(tmp_path / "imgs")
    root = root if root == "outputs" else f"../{root}"
    with pytest.raises(
        UsageError, match=r"is in the folder of the images.*output_root=\.\./outputs"
    ):
        preflight.require_images_apart(".", root)
    (tmp_path / "imgs" / "train").mkdir()  # then no other folder is read
    preflight.require_images_apart(".", root)


def test_runs_elsewhere_are_taken_and_images_nowhere_are_not(tmp_path: Path) -> None:
    images = tmp_path / "imgs"
    images.mkdir()
    for root in (tmp_path / "outputs", tmp_path / "imgs2", images / ".runs"):
        preflight.require_images_apart(str(images), str(root))
    preflight.require_images_apart(None, str(images))
    preflight.require_images_apart("~nobody_is_called_so", str(images))
    preflight.require_images_apart("s3://bucket/table.csv", "outputs")
    for empty in ("", " "):
        with pytest.raises(UsageError, match=r"dataset\.path is empty"):
            preflight.require_images_apart(empty, "outputs")


def test_a_list_of_choices_is_refused_before_there_is_a_folder(
    capsys: pytest.CaptureFixture[str],
) -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config = compose("config", ["strategy=[margin,entropy]"], return_hydra_config=True)
        with pytest.raises(SystemExit) as left:
            preflight.PreflightCheck().on_run_start(config)
    assert left.value.code == 1
    assert "-m strategy=margin,entropy" in capsys.readouterr().err


def test_what_becomes_multirun_yaml_holds_no_secrets() -> None:
    secret = ["logger.tracking_uri='http://me:pw1@host/'", "+hydra.job.env_set.WANDB_API_KEY=pw2"]
    overrides = ["logger=mlflow", *secret, "+model.url='ftp://me:pw3@host/'", "+x.token=pw4"]
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config: Any = compose("config", overrides, return_hydra_config=True)
        config.hydra.overrides.task = overrides[-2:]  # the others: al_lightning.cli.arguments
        config.hydra.job.override_dirname = ",".join(overrides[-2:])
        preflight.PreflightCheck().on_multirun_start(config)
    config.hydra.overrides.hydra = []  # all of them, where nothing was typed
    written = OmegaConf.to_yaml(config)
    assert not [secret for secret in ("pw1", "pw2", "pw3", "pw4") if secret in written]
    assert config.model.url == "ftp://***@host/"
    assert given_overrides(config) == ["+model.url='ftp://***@host/'", "+x.token=***"]
    assert config.strategy._target_ == "al_lightning.strategies.Margin"


def test_a_name_that_is_too_long_is_found_before_its_parent_is_there(tmp_path: Path) -> None:
    why = preflight._why_not_made(str(tmp_path / "outputs" / ("x" * 300)))
    assert why is not None
    assert why.endswith("File name too long")
    assert not [*tmp_path.iterdir()]


def test_a_link_to_nothing_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "outputs").symlink_to(tmp_path / "gone")
    assert (
        preflight._why_not_made(str(tmp_path / "outputs" / "a"))
        == f"{tmp_path}/outputs is no folder"
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("hydra.run.dir=/proc/none/x", "No folder can be made for /proc/none/x"),
        ("-m hydra.sweep.dir=/proc/none/x", "or hydra.sweep.dir"),
        ("project=taken", "outputs/projects/taken is no folder: give it another place"),
        (f"project={'x' * 300}", "File name too long"),
        (f"names.strategy={'x' * 300}", "File name too long"),
        ("project=../x", "project must be a name"),
        ("names.strategy=../../../../x", "names.strategy must be the name of a folder of runs"),
        ("names.strategy=/x", "names.strategy must be the name of a folder of runs"),
        ("names.dataset=''", "names.dataset must be the name of a folder of runs"),
        ("dataset=image_folder dataset.path=" + "x" * 300, "File name too long"),
        ("output_root=" + "x" * 300, "File name too long"),
    ],
)
def test_a_folder_that_hydra_cannot_make_is_one_message(
    here: Here, tmp_path: Path, arguments: str, said: str
) -> None:
    (tmp_path / "outputs" / "projects").mkdir(parents=True)
    (tmp_path / "outputs" / "projects" / "taken").touch()
    result = here(tmp_path, *arguments.split(), *QUICK)
    assert result.returncode == 1
    assert said in result.stderr
    assert "full_key" not in result.stderr
    assert "Traceback" not in result.stderr
    assert not [*tmp_path.glob("outputs/**/journal.jsonl")]


def test_a_file_in_the_way_of_the_runs_of_a_sweep_is_one_message(
    here: Here, tmp_path: Path
) -> None:
    (tmp_path / "outputs").mkdir()
    (tmp_path / "outputs" / "digits").touch()
    result = here(tmp_path, "-m", "seed=0,1", *QUICK)
    assert result.returncode == 1
    assert "outputs/digits" in result.stderr
    assert "Traceback" not in result.stderr


def test_what_is_checked_stays_as_it_was() -> None:
    with initialize_config_dir(str(CONF), version_base="1.3"):
        config: Any = compose("config", return_hydra_config=True)
        preflight.PreflightCheck().on_run_start(config)
    assert not OmegaConf.is_readonly(config.hydra)
