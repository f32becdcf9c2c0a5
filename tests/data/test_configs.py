"""Every YAML of conf/dataset names a source and exactly its constructor's arguments."""

import inspect
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.utils import get_class, instantiate
from omegaconf import OmegaConf

from al_lightning.cli.resolvers import register
from al_lightning.data import BaseSource

CONFIGS = sorted((Path(__file__).parents[2] / "conf" / "dataset").glob("*.yaml"))

NAMES = {"torchvision": "CIFAR100", "medmnist": "bloodmnist"}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_config_instantiates_its_source(path: Path) -> None:
    assert path.read_text().startswith("# ")
    register()
    places = ["data_root=somewhere", "output_root=outputs"]
    with initialize_config_dir(str(path.parents[1]), version_base="1.3"):
        config = compose("config", [f"dataset={path.stem}", *places]).dataset
    arguments = inspect.signature(get_class(config._target_)).parameters
    assert [key for key in config if key != "_target_"] == list(arguments)
    for key, parameter in arguments.items():
        given = parameter.default is not parameter.empty and not path.stem.startswith("imbalanced")
        if given and not OmegaConf.is_interpolation(config, key):  # where things are
            assert config[key] == parameter.default
    known = {"path": "somewhere", "name": NAMES.get(path.stem, "somewhere")}
    for key, value in known.items():
        if OmegaConf.is_missing(config, key):
            config[key] = value
    assert isinstance(instantiate(config, _convert_="all"), BaseSource)


@pytest.mark.parametrize(
    ("choice", "mirrored"),
    [
        (["dataset=cifar100"], True),
        (["dataset=svhn"], False),
        (["dataset=torchvision", "dataset.name=Food101"], True),
        (["dataset=torchvision", "dataset.name=Unknown"], False),
        (["dataset=cifar100", "dataset.horizontal_flip=false"], False),
    ],
)
def test_images_are_mirrored_in_training_where_the_data_set_says_so(
    choice: list[str], mirrored: bool
) -> None:
    register()
    places = ["data_root=somewhere", "output_root=outputs"]
    with initialize_config_dir(str(CONFIGS[0].parents[1]), version_base="1.3"):
        config = compose("config", [*choice, *places])
    assert config.dataset.horizontal_flip is mirrored
    assert config.recipe.augmentation.horizontal_flip is mirrored
