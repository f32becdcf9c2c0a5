"""Every YAML of conf/dataset names a source and exactly its constructor's arguments."""

import inspect
from pathlib import Path

import pytest
from hydra.utils import get_class, instantiate
from omegaconf import OmegaConf

from al_lightning.data import BaseSource

CONFIGS = sorted((Path(__file__).parents[2] / "conf" / "dataset").glob("*.yaml"))

NAMES = {"torchvision": "CIFAR100", "medmnist": "bloodmnist"}


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_config_instantiates_its_source(path: Path) -> None:
    assert path.read_text().startswith("# ")
    places = {"data_root": "somewhere", "output_root": "outputs"}
    config = OmegaConf.create({**places, "dataset": OmegaConf.load(path)}).dataset
    arguments = inspect.signature(get_class(config._target_)).parameters
    assert [key for key in config if key not in ("defaults", "_target_")] == list(arguments)
    for key, parameter in arguments.items():
        given = parameter.default is not parameter.empty and not path.stem.startswith("imbalanced")
        if given and not OmegaConf.is_interpolation(config, key):  # where things are
            assert config[key] == parameter.default
    config.pop("defaults", None)  # Hydra composes these before anything is built
    known = {"path": "somewhere", "name": NAMES.get(path.stem, "somewhere")}
    for key, value in known.items():
        if OmegaConf.is_missing(config, key):
            config[key] = value
    assert isinstance(instantiate(config, _convert_="all"), BaseSource)
