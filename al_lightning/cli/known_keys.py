"""Keys of an own experiment that nothing reads."""

import re

from hydra.conf import HydraConf
from omegaconf import DictConfig, OmegaConf

from al_lightning.cli.configuration import CONF, groups
from al_lightning.utils.errors import UsageError
from al_lightning.utils.hints import did_you_mean

_BY_CHOICES = ("budget_override",)  # of strategy=passive


def require_known_keys(cfg: DictConfig, *others: DictConfig | HydraConf) -> None:
    """Refuse keys at the top of the configuration that change nothing.

    A key that another value refers to, such as ``lr`` by ``${lr}``, is read.

    Args:
        cfg: The composed configuration.
        *others: What else may refer to its keys, such as Hydra's own configuration.

    Raises:
        UsageError: If there is such a key, or an experiment is not merged into the configuration; names
            the keys.
    """
    own = OmegaConf.load(CONF / "config.yaml")
    known = {*map(str, own), *groups(), *_BY_CHOICES} - {"experiment"}
    text = "".join(map(OmegaConf.to_yaml, (cfg, *others)))
    for key in map(str, cfg):
        if key in known or re.search(rf"\$\{{[^}}]*\b{re.escape(key)}\b", text):
            continue
        if key == "experiment":
            raise UsageError(
                f"The keys of the experiment ({', '.join(map(str, cfg.experiment))}) count for "
                "nothing: the first line of its YAML file must be '# @package _global_', without a "
                "byte order mark (BOM) before it"
            )
        raise UsageError(f"There is no key {key}, and nothing reads it{did_you_mean(key, known)}")
