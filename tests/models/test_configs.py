"""Every YAML of conf/model names a network and exactly its constructor's arguments."""

import inspect
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import get_class
from omegaconf import OmegaConf

from al_lightning.models import Backbone, PretrainedBackbone

FOLDER = Path(__file__).parents[2] / "conf"
CONFIGS = sorted((FOLDER / "model").glob("*.yaml"))
OWN = {("clip_vit_b32", "weights"): "openai"}  # not those that were trained further on ImageNet
_GIVEN = {"self", "trunk", "image_shape", "num_classes", "options"}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_config_names_its_networks_arguments(path: Path) -> None:
    assert path.read_text().startswith("# ")
    with initialize_config_dir(str(FOLDER), version_base="1.3"):
        config = compose("config", overrides=[f"model={path.stem}"]).model
    network = get_class(config._target_)
    assert issubclass(network, Backbone)
    arguments = dict(inspect.signature(network).parameters)
    if issubclass(network, PretrainedBackbone):
        arguments |= inspect.signature(PretrainedBackbone).parameters
    assert set(config) - {"_target_", "_partial_"} == set(arguments) - _GIVEN
    for key in ("weights", "backbone_lr_factor", "freeze_batch_norm", "dropout"):
        if key in arguments:
            assert config[key] == OWN.get((path.stem, key), arguments[key].default)


@pytest.mark.parametrize(
    ("model", "mode", "steps"),
    [
        ("cnn", None, 750),
        ("resnet18", "finetune", 600),
        ("efficientnet_lite0_linear", "linear", 150),
    ],
)
def test_a_model_brings_its_recipe_also_where_the_data_set_has_one(
    model: str, mode: str | None, steps: int
) -> None:
    with initialize_config_dir(str(FOLDER), version_base="1.3"):
        config = compose("config", overrides=[f"model={model}", "dataset=cifar10"])
        small = compose("config", overrides=[f"model={model}", "dataset=digits"])
    assert config.model.get("mode") == mode
    assert config.recipe.min_steps == steps
    assert small.recipe.min_steps == (200 if model == "cnn" else steps)
    assert not OmegaConf.is_missing(config, "model")
