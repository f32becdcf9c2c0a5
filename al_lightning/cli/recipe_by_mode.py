"""How much of a pretrained network is trained decides how: ``model.mode`` chooses the recipe."""

from collections.abc import Mapping, Sequence
from typing import Any

import hydra
from hydra.conf import HydraConf
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from al_lightning.cli.configuration import CONF

_RECIPES = {"linear": "linear", "last_block": "finetune", "finetune": "finetune"}
#: Chosen by config.yaml, a data set or a model; any other one was named by a person.
_UNNAMED = {"default", "small", "finetune", "linear"}


def fitting_recipe(cfg: DictConfig, choices: Mapping[str, Any]) -> str | None:
    """Return the recipe of ``model.mode``, if another was composed; else None.

    Args:
        cfg: The composed configuration.
        choices: ``hydra.runtime.choices``.
    """
    mode = OmegaConf.select(cfg, "model.mode")
    wanted = _RECIPES.get(mode) if isinstance(mode, str) else None
    composed = choices.get("recipe")
    if wanted is None or composed == wanted or composed not in _UNNAMED:
        return None
    return wanted if "linear" in (wanted, composed) else None


def compose_by_mode(
    cfg: DictConfig, hydra_cfg: HydraConf | DictConfig
) -> tuple[DictConfig, str | None]:
    """Compose again if the mode of the model needs another recipe, and none was named.

    A recipe of the command line or of an experiment is stronger.

    Args:
        cfg: The composed configuration.
        hydra_cfg: Hydra's own: what was chosen, and by which overrides.

    Returns:
        The configuration, and the name of the recipe if it is another one now.
    """
    wanted = fitting_recipe(cfg, hydra_cfg.runtime.choices)
    if wanted is None:
        return cfg, None
    given: Any = OmegaConf.to_container(hydra_cfg.overrides)  # as typed, nothing resolved
    again = hydra.compose(
        hydra_cfg.job.config_name,
        [*given["hydra"], *given["task"], f"recipe_by_mode={wanted}"],
        return_hydra_config=True,
    )
    if again.hydra.runtime.choices.recipe != wanted:
        return cfg, None
    with_recipe = cfg.copy()
    OmegaConf.update(with_recipe, "recipe", again.recipe, merge=False)
    return with_recipe, wanted


def shown_recipe(arguments: Sequence[str]) -> list[str]:
    """Return the override that makes ``--cfg`` show the recipe of the mode of the model.

    Hydra shows a configuration before anybody could compose it again.

    Args:
        arguments: Of the command line.
    """
    if not any(a == "-c" or a.startswith("--cfg") for a in arguments):
        return []
    overrides = [a for a in arguments if "=" in a and not a.startswith("-")]
    if not overrides:  # composing takes a third of what --cfg takes, and the default has no mode
        return []
    try:
        with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
            cfg = hydra.compose("config", overrides, return_hydra_config=True)
    except HydraException:  # which Hydra will raise once more, and say
        return []
    wanted = fitting_recipe(cfg, cfg.hydra.runtime.choices)
    return [] if wanted is None else [f"recipe_by_mode={wanted}"]
