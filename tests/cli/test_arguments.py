import os
import random
import shlex
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from al_lightning.cli.arguments import parsed, prepared, quoted, readable_forms


def value_of(argument: str) -> object:
    override = parsed(argument)
    assert override is not None, argument
    return override.value()


def test_a_quoted_text_is_read_as_just_that_text() -> None:
    letters = "ab'\\\"=#~${} ,()[]ü"
    generator = random.Random(0)
    for _ in range(500):
        text = "".join(generator.choice(letters) for _ in range(generator.randint(1, 8)))
        assert value_of(f"key={quoted(text)}") == text


@pytest.mark.parametrize(
    "path", ["a=b", "a#b", "a{b", "Bilder (2024)", "ä", "2024", "1e3", "it's", "x/seed=0,a=1(b)"]
)
def test_a_path_is_read_whatever_is_in_it(path: str) -> None:
    (argument,) = prepared([f"dataset.path={path}"])
    assert value_of(argument) == path


@pytest.mark.parametrize("path", ["a,b", "[x]", "{a:b}", "null", "a ", "~a"])
def test_a_folder_that_is_there_is_meant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / path).mkdir()
    (argument,) = prepared([f"dataset.path={path}"])
    assert value_of(argument) == path
    assert prepared(["-m", "dataset.path=a,b"])[1] == "dataset.path=a,b"


def test_a_home_folder_is_meant_by_a_tilde(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/srv/me")
    monkeypatch.setenv("USERPROFILE", "/srv/me")
    for argument in prepared(["output_root=~/runs", "hydra.run.dir='~/runs'"]):
        assert value_of(argument) == "/srv/me/runs"


@pytest.mark.parametrize(
    "argument",
    [
        *("dataset.cache_dir=null", "model.weights=null", "model.weights=DEFAULT", "seed=0,1"),
        *("strategy=margin", "recipe.optimizer.lr=1e-3", "dataset.path=a,b", "--cfg=job", "-m"),
        *("dataset.path=${oc.env:X}", "~trainer.devices", "logger=mlflow"),
    ],
)
def test_what_hydra_reads_rightly_is_left_alone(argument: str) -> None:
    assert prepared(["-m", argument])[1] == argument


def test_paths_of_a_sweep_are_several() -> None:
    arguments = prepared(["-m", "dataset.path=a(1),b(2)"])
    assert arguments[1] == "dataset.path='a(1)','b(2)'"


def test_what_opens_a_service_is_referred_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "environ", dict(os.environ))
    arguments = prepared(
        ["logger.tracking_uri=http://me:pw@host/", "+logger.offline=true", "logger.name=a${seed}"]
    )
    assert "pw" not in " ".join(arguments)
    assert os.environ["AL_LIGHTNING_ARGUMENT_0"] == "http://me:pw@host/"
    assert arguments[0] == "logger.tracking_uri=${oc.env:AL_LIGHTNING_ARGUMENT_0}"
    assert arguments[1] == "+logger.offline='${oc.decode:${oc.env:AL_LIGHTNING_ARGUMENT_1}}'"
    assert OmegaConf.create({"offline": value_of(arguments[1])}).offline is True
    assert arguments[2] == "logger.name=a${seed}"  # what it stands for depends on the run


@pytest.mark.parametrize(
    ("argument", "value"),
    [
        ("names.strategy=a=b", "a=b"),
        ("names.strategy=it's", "it's"),
        ("names.strategy=$x!(ü)", "$x!(ü)"),
        ("dataset.classes=[a(b), c]", ["a(b)", "c"]),
    ],
)
def test_the_form_that_is_shown_works_in_a_shell(argument: str, value: object) -> None:
    ((given, form),) = readable_forms([argument, "seed=0", "-m"])
    assert given == argument
    (seen,) = shlex.split(form)
    assert value_of(seen) == value


@pytest.mark.parametrize(
    ("typed", "form"),
    [
        ("budget.query=[10, 30] seed=1", '"budget.query=[10, 30]"'),
        ("seed=0, 1 -m", '"seed=0, 1"'),
        ("seed=0,1, strategy=random,", '"seed=0,1"'),
    ],
)
def test_what_a_blank_after_a_comma_has_split_is_shown_as_one(typed: str, form: str) -> None:
    assert readable_forms(typed.split())[0][1] == form


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("a=1 --config-dir my b=2 -m c=3", "--config-dir my -m a=1 b=2 c=3"),
        ("a=1 --config-dir=my -cd other b=2", "--config-dir=my -cd other a=1 b=2"),
        ("a=1 --cfg job ~b", "--cfg job a=1 ~b"),
        ("--info a=1", "--info=all a=1"),
        ("a=1 -i config", "-i config a=1"),
        ("-sc query=bash", "-sc query=bash"),
        ("", ""),
    ],
)
def test_options_may_stand_between_overrides(typed: str, read: str) -> None:
    assert prepared(typed.split()) == read.split()
