"""How much of a pretrained network is trained decides how, and by which strategy: ``model.mode``."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

import hydra
from hydra.conf import HydraConf
from hydra.errors import HydraException
from omegaconf import DictConfig, OmegaConf

from al_lightning.cli.configuration import CONF
from al_lightning.cli.first_job import first_job
from al_lightning.cli.model_choice import AUTO
from al_lightning.run.keys import key_of

_FROZEN = "linear"
_RECIPES = {_FROZEN: "linear", "last_block": "finetune", "finetune": "finetune"}
#: Chosen by config.yaml, a data set or a model; any other one was named by a person.
_UNNAMED = {"default", "small", "finetune", "linear"}
_FOR_FROZEN = "dropquery"  # docs/study.md
_FOR_OTHERS = "margin"  # what strategy/auto.yaml is made of
_KEYS = "strategy."


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


def strategy_name(cfg: DictConfig, choice: str, overrides: Sequence[str]) -> str:
    """Return the name of the strategy that a run has, where it may be ``auto``.

    Settings that the strategy for frozen networks does not have are those of the other one.

    Args:
        cfg: The composed configuration.
        choice: What was chosen.
        overrides: As given on the command line.
    """
    if choice != AUTO:
        return choice
    is_frozen = OmegaConf.select(cfg, "model.mode") == _FROZEN
    return _FOR_FROZEN if is_frozen and _suit_both(cfg.strategy, overrides) else _FOR_OTHERS


def _suit_both(strategy: DictConfig, overrides: Sequence[str]) -> bool:
    """Return whether what was set of a strategy that was not named is a setting of both."""
    plain, wanted = _settings(_FOR_OTHERS), _settings(_FOR_FROZEN)
    changed = {key for key in {*plain, *strategy} if strategy.get(key) != plain.get(key)}
    keys = map(key_of, overrides)
    typed = {key.removeprefix(_KEYS) for key in keys if key.startswith(_KEYS)}
    return changed | typed <= plain.keys() & wanted.keys() - {"_target_"}


@cache
def _settings(name: str) -> dict[str, Any]:
    return dict(OmegaConf.load(CONF / "strategy" / f"{name}.yaml"))


def compose_by_mode(
    cfg: DictConfig, hydra_cfg: HydraConf | DictConfig
) -> tuple[DictConfig, str | None]:
    """Compose again if the mode of the model needs another recipe or strategy, and none was named.

    A recipe of the command line or of an experiment is stronger.

    Args:
        cfg: The composed configuration.
        hydra_cfg: Hydra's own: what was chosen, and by which overrides.

    Returns:
        The configuration, and the name of the recipe if it is another one now.
    """
    given: Any = OmegaConf.to_container(hydra_cfg.overrides)  # as typed, nothing resolved
    by_mode = _by_mode(cfg, hydra_cfg.runtime.choices, given["task"])
    if not by_mode:
        return cfg, None
    again = hydra.compose(
        hydra_cfg.job.config_name,
        [*given["hydra"], *given["task"], *by_mode],
        return_hydra_config=True,
    )
    choices, before = again.hydra.runtime.choices, hydra_cfg.runtime.choices
    completed = cfg.copy()
    completed.names.strategy = cfg.names.strategy  # which depends on the strategy before
    changed = [group for group in ("recipe", "strategy") if choices[group] != before[group]]
    if "strategy" in changed:  # but for what an experiment of one's own has set of the other
        again.strategy = OmegaConf.masked_copy(again.strategy, [*_settings(_FOR_FROZEN)])
    for group in changed:
        OmegaConf.update(completed, group, again[group], merge=False)
    return completed, choices.recipe if "recipe" in changed else None


def shown_by_mode(arguments: Sequence[str]) -> list[str]:
    """Return the overrides that make ``--cfg`` show what the mode of the model needs.

    Hydra shows a configuration before anybody could compose it again.

    Args:
        arguments: Of the command line.
    """
    if not any(a == "-c" or a.startswith("--cfg") for a in arguments):
        return []
    if not any("=" in a for a in arguments):  # composing takes a third of what --cfg takes
        return []
    try:
        overrides = first_job(arguments)
        with hydra.initialize_config_dir(str(CONF), version_base="1.3"):
            cfg = hydra.compose("config", overrides, return_hydra_config=True)
    except HydraException:  # which Hydra will raise once more, and say
        return []
    return _by_mode(cfg, cfg.hydra.runtime.choices, overrides)


def _by_mode(cfg: DictConfig, choices: Mapping[str, Any], overrides: Sequence[str]) -> list[str]:
    """Return the overrides that the mode of the model needs."""
    recipe, found = fitting_recipe(cfg, choices), []
    if recipe is not None:
        found.append(f"recipe_by_mode={recipe}")
    if choices.get("strategy") == AUTO and strategy_name(cfg, AUTO, overrides) == _FOR_FROZEN:
        found.append(f"strategy={_FOR_FROZEN}")
    return found
