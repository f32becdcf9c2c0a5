from functools import partial
from typing import Any

import pytest
import torch
from lightning import Trainer
from omegaconf import OmegaConf
from torch import nn

from al_lightning.data import ImageFolder, ImageTable
from al_lightning.data.transforms import augmentation
from al_lightning.inference.rebuild import rebuild
from al_lightning.models import CNN
from al_lightning.training.muon import MuonAdamW
from al_lightning.training.recipe import Recipe, one_cycle
from al_lightning.utils.errors import UsageError
from tests.cli.test_app import composed


def test_what_the_command_line_records_is_made_without_it() -> None:
    cfg = composed("model.dense=[7]", "recipe.label_smoothing=0.3")
    plain: Any = {
        key: OmegaConf.to_container(cfg[key], resolve=True) for key in ("recipe", "model")
    }
    recipe = rebuild(plain["recipe"], "recipe")
    assert isinstance(recipe, Recipe)
    assert recipe.label_smoothing == 0.3
    assert isinstance(recipe.optimizer, partial)
    assert (recipe.optimizer.func, recipe.optimizer.keywords["lr"]) == (MuonAdamW, 0.003)
    classifier = recipe.classifier(rebuild(plain["model"], "model")((3, 9, 8), 4), 4)
    assert isinstance(classifier.backbone, CNN)
    assert classifier.backbone.embed(torch.rand(2, 3, 9, 8)).shape == (2, 7)


@pytest.mark.parametrize(
    ("target", "found"),
    [
        ("torch.optim.SGD", torch.optim.SGD),
        ("torch.optim.lr_scheduler.StepLR", torch.optim.lr_scheduler.StepLR),
        ("torch.nn.CrossEntropyLoss", nn.CrossEntropyLoss),
        ("al_lightning.data.augmentation", augmentation),
        ("al_lightning.training.recipe.one_cycle", one_cycle),
        ("al_lightning.models.CNN", CNN),
        ("al_lightning.data.ImageTable", ImageTable),
        ("al_lightning.data.ImageFolder", ImageFolder),
        ("lightning.Trainer", Trainer),
    ],
)
def test_ours_and_what_trains_is_made(target: str, found: Any) -> None:
    assert rebuild({"_target_": target, "_partial_": True}, "x").func is found


@pytest.mark.parametrize(
    "target",
    [
        "torch.hub.load",
        "os.system",
        "builtins.exec",
        "subprocess.run",
        "torch.load",
        "torch.nn.Linear.__init__",
        "torch.optim.sgd.torch.hub.load",  # from an allowed place to another
        "al_lightning.utils.files.os.system",
        "al_lightning.cli.run_folder.clear",  # ours, and no network
        "al_lightning.training.fitting.fit_watched",
        "lightning.Fabric",
        "lightning.Trainer.fit",
        "nowhere.Network",
    ],
)
@pytest.mark.parametrize("place", ["itself", "below", "in a list"])
def test_anything_else_is_refused_by_name_and_not_run(target: str, place: str) -> None:
    node: Any = {"_target_": target, "_partial_": True}
    if place == "below":
        node = {"_target_": "al_lightning.models.CNN", "_partial_": True, "filters": node}
    elif place == "in a list":
        node = {"a": [1, node]}
    with pytest.raises(UsageError, match=rf"names {target}, which is no network.*--trust"):
        rebuild(node, "model")


def test_trust_makes_anything() -> None:
    assert rebuild({"_target_": "fractions.Fraction", "_args_": [3, 4]}, "x", trust=True) == 0.75
    with pytest.raises(UsageError, match=r"names nowhere\.Network, which is not there"):
        rebuild({"_target_": "nowhere.Network"}, "model", trust=True)


def test_wrong_arguments_are_named() -> None:
    with pytest.raises(UsageError, match=r"recipe cannot be made.*depth"):
        rebuild({"_target_": "al_lightning.training.recipe.Recipe", "depth": 3}, "recipe")


def test_arguments_by_place_must_be_a_list() -> None:
    with pytest.raises(UsageError, match=r"x\._args_ must be a list, not 5"):
        rebuild({"_target_": "al_lightning.models.CNN", "_args_": 5}, "x")


def test_text_stays_text() -> None:
    node = {"a": "${oc.env:HOME}", "b": [1, None, True]}
    assert rebuild(node, "x") == node
