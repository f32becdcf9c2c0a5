"""From what Hydra composed to what a run is built from, and what it records of that."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig, OmegaConf

from al_lightning.cli.choices import require_single_choices
from al_lightning.cli.paths import places_as_written, weights_files, with_absolute_paths
from al_lightning.cli.recipe_by_mode import compose_by_mode
from al_lightning.cli.text_values import with_text_as_text
from al_lightning.keys import NO_EFFECT_ON_RESULTS, NOT_RECORDED, is_below, key_of
from al_lightning.redaction import MASK, redacted


@dataclass(frozen=True)
class Composition:
    """A configuration that is ready to be built from.

    Attributes:
        cfg: What to build from: paths are absolute, text is text.
        recorded: The configuration as plain values, as the journal has it: interpolations resolved but
            for those that say where things are, without secrets.
        overrides: What was given on the command line, but for what may not be written down.
        irrelevant: Keys of ``recorded``, dotted, that no result depends on, or whose content is in the
            journal besides.
        recipe: The recipe that the mode of the model chose, if it did.
        files: What Hydra would have written into .hydra/ before the folder was known to be free.
    """

    cfg: DictConfig
    recorded: dict[str, Any]
    overrides: list[str]
    irrelevant: tuple[str, ...]
    recipe: str | None
    files: dict[str, str]


def completed(cfg: DictConfig) -> Composition:
    """Complete the configuration of this job.

    Raises:
        UsageError: If a group was given a list, or text is no text.
        OmegaConfBaseException: If a value is missing, or an interpolation leads nowhere.
    """
    hydra_cfg = HydraConfig.get()
    given: Any = OmegaConf.to_container(hydra_cfg.overrides.task)  # as typed, nothing resolved
    require_single_choices(hydra_cfg.runtime.choices, given)
    cwd = Path(hydra_cfg.runtime.cwd)
    cfg, recipe = compose_by_mode(cfg, hydra_cfg)
    places = places_as_written(cfg)
    cfg = with_absolute_paths(with_text_as_text(cfg, given), cwd)
    resolved = OmegaConf.to_container(cfg, resolve=True, throw_on_missing=True)
    overrides = [o for o in given if not is_below(key_of(o), (*NOT_RECORDED, "overwrite"))]
    return Composition(
        cfg,
        _for_the_disk(resolved, places),
        redacted(overrides),
        (*NO_EFFECT_ON_RESULTS, *weights_files(cfg, cwd)),
        recipe,
        _files(_for_the_disk(OmegaConf.to_container(cfg), places), redacted(overrides)),
    )


def _for_the_disk(plain: Any, places: Mapping[str, str]) -> dict[str, Any]:
    """Return a configuration as it may be written, places as they were given."""
    for key, text in places.items():
        node, *parts = plain, *key.split(".")
        for part in parts[:-1]:
            node = node[part]
        node[parts[-1]] = text
    return redacted({key: value for key, value in plain.items() if key not in NOT_RECORDED})


def _files(recorded: dict[str, Any], overrides: list[str]) -> dict[str, str]:
    hydra_cfg: Any = OmegaConf.to_container(HydraConfig.get())
    hydra_cfg["overrides"]["task"] = overrides
    hydra_cfg["job"]["override_dirname"] = ",".join(overrides)
    hydra_cfg["job"]["env_set"] = dict.fromkeys(hydra_cfg["job"]["env_set"], MASK)
    return {
        "config.yaml": OmegaConf.to_yaml(OmegaConf.create(recorded)),
        "hydra.yaml": OmegaConf.to_yaml(OmegaConf.create({"hydra": redacted(hydra_cfg)})),
        "overrides.yaml": OmegaConf.to_yaml(OmegaConf.create(overrides)),
    }
